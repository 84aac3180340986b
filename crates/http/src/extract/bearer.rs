//! Extractor: the bearer token of a request (RFC 6750).

use std::{
    fmt,
    future::{Ready, ready},
};

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::header};
use zeroize::Zeroizing;

use crate::ApiError;

/// The one credential that a request presents, not yet known to be a token. Wiped when dropped, never shown.
///
/// No `Authorization`, or one of another scheme, is [`ApiError::NoCredential`]; a malformed credential, or more than one, is
/// [`ApiError::InvalidToken`].
pub struct Bearer(Zeroizing<String>);

impl Bearer {
    /// The text that the client presents.
    pub fn expose(&self) -> &str {
        &self.0
    }

    fn of(request: &HttpRequest) -> Result<Self, ApiError> {
        let mut credentials = request.headers().get_all(header::AUTHORIZATION);
        let credential = credentials.next().ok_or(ApiError::NoCredential)?;
        if credentials.next().is_some() {
            return Err(ApiError::InvalidToken);
        }
        let credential = credential.to_str().map_err(|_| ApiError::InvalidToken)?;
        let (scheme, token) = credential.split_once(' ').unwrap_or((credential, ""));
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(ApiError::NoCredential);
        }
        // RFC 9110 allows several spaces between scheme and credential.
        let token = token.trim_start_matches(' ');
        if is_b64token(token) {
            Ok(Self(Zeroizing::new(token.to_owned())))
        } else {
            Err(ApiError::InvalidToken)
        }
    }
}

/// The characters of a token: a table, since every request is asked for a hundred of them.
const ALLOWED: [bool; 256] = {
    let mut allowed = [false; 256];
    let mut byte = u8::MAX;
    while byte > 0 {
        allowed[byte as usize] =
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/');
        byte -= 1;
    }
    allowed
};

/// `b64token` of RFC 6750, section 2.1.
fn is_b64token(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    !body.is_empty() && body.bytes().all(|byte| ALLOWED[usize::from(byte)])
}

impl FromRequest for Bearer {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request))
    }
}

impl fmt::Debug for Bearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bearer(…)")
    }
}

#[cfg(test)]
mod tests {
    use actix_web::{http::header::HeaderValue, test::TestRequest};

    use super::*;

    fn bearer(headers: &[&[u8]]) -> Result<String, ApiError> {
        let mut request = TestRequest::default();
        for value in headers {
            request = request.append_header((header::AUTHORIZATION, HeaderValue::from_bytes(value).unwrap()));
        }
        Bearer::of(&request.to_http_request()).map(|bearer| bearer.expose().to_owned())
    }

    #[test]
    fn takes_one_token_whatever_the_case_of_its_scheme() {
        for value in ["Bearer tbs_a-b_c", "bearer tbs_a-b_c", "BEARER  tbs_a-b_c"] {
            assert_eq!(bearer(&[value.as_bytes()]).unwrap(), "tbs_a-b_c");
        }
        assert_eq!(bearer(&[b"Bearer abc=="]).unwrap(), "abc==");
    }

    #[test]
    fn tells_no_credential_from_a_bad_one() {
        for none in [&[][..], &[&b"Basic dXNlcjpwYXNz"[..]], &[b""], &[b"Bearerx y"]] {
            assert!(matches!(bearer(none), Err(ApiError::NoCredential)), "{none:?}");
        }
        for bad in [
            &[&b"Bearer"[..]][..],
            &[b"Bearer "],
            &[b"Bearer a b"],
            &[b"Bearer a, Bearer b"],
            &[b"Bearer a=b"],
            &[b"Bearer =="],
            &[b"Bearer \xff"],
            &[b"Bearer a", b"Bearer b"],
            &[b"Basic a", b"Bearer b"],
        ] {
            assert!(matches!(bearer(bad), Err(ApiError::InvalidToken)), "{bad:?}");
        }
    }
}
