//! Who a request says it is: a bearer token (RFC 6750), or the session cookie where cookies are taken.

use tollbar_core::usecases::Credential;
use zeroize::Zeroizing;

use crate::{Headers, cookie, incoming::Incoming, origin};

/// What a request presents. Two that disagree are none.
pub(crate) fn of<H: Headers + ?Sized>(request: &Incoming<'_, H>, takes_cookies: bool) -> Credential {
    let bearer = bearer(request.headers());
    if !takes_cookies || matches!(bearer, Credential::Malformed) {
        return bearer;
    }
    let mut cookies = cookie::presented(request.headers());
    let Some(cookie) = cookies.next() else { return bearer };
    if cookies.any(|other| other != cookie) {
        return Credential::Malformed;
    }
    match bearer {
        // A page of another site cannot send this header in a user's name.
        Credential::Token(token) if token.as_bytes() == cookie => Credential::Token(token),
        Credential::None if origin::is_safe(request.method()) => token(cookie),
        Credential::None if origin::is_same(request.headers(), request.host(), request.scheme()) => {
            token(cookie)
        }
        Credential::None => Credential::CrossSite,
        _ => Credential::Malformed,
    }
}

fn bearer(headers: &(impl Headers + ?Sized)) -> Credential {
    let mut all = headers.all("authorization");
    let Some(credential) = all.next() else { return Credential::None };
    if all.next().is_some() {
        return Credential::Malformed;
    }
    let at = credential.iter().position(|byte| *byte == b' ').unwrap_or(credential.len());
    let (scheme, rest) = credential.split_at(at);
    if !credential.is_ascii() {
        return Credential::Malformed;
    }
    if !scheme.eq_ignore_ascii_case(b"bearer") {
        return Credential::None;
    }
    // RFC 9110 allows several spaces between scheme and credential.
    let spaces = rest.iter().take_while(|byte| **byte == b' ').count();
    token(&rest[spaces..])
}

fn token(text: &[u8]) -> Credential {
    match std::str::from_utf8(text) {
        Ok(text) if is_b64token(text) => Credential::Token(Zeroizing::new(text.to_owned())),
        _ => Credential::Malformed,
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What these headers present: a token, or a word for what else.
    fn found(method: &str, headers: &[(&'static str, &'static str)], takes_cookies: bool) -> String {
        let request = Incoming::new(method, b"/", headers).with_authority(Some("h"));
        match of(&request, takes_cookies) {
            Credential::None => "none".into(),
            Credential::Token(token) => token.to_string(),
            Credential::Malformed => "malformed".into(),
            Credential::CrossSite => "cross-site".into(),
        }
    }

    #[test]
    fn takes_one_token_whatever_the_case_of_its_scheme() {
        for value in ["Bearer tbs_a-b_c", "bearer tbs_a-b_c", "BEARER  tbs_a-b_c"] {
            assert_eq!(found("GET", &[("authorization", value)], false), "tbs_a-b_c");
        }
        assert_eq!(found("GET", &[("authorization", "Bearer abc==")], false), "abc==");
    }

    #[test]
    fn tells_no_credential_from_a_bad_one() {
        for none in [&[][..], &["Basic dXNlcjpwYXNz"], &[""], &["Bearerx y"]] {
            let headers: Vec<_> = none.iter().map(|value| ("authorization", *value)).collect();
            assert_eq!(found("GET", &headers, true), "none", "{none:?}");
        }
        for bad in [
            &["Bearer"][..],
            &["Bearer "],
            &["Bearer a b"],
            &["Bearer a, Bearer b"],
            &["Bearer a=b"],
            &["Bearer =="],
            &["Bearer \u{ff}"],
            &["Bearer a", "Bearer b"],
            &["Basic a", "Bearer b"],
        ] {
            let headers: Vec<_> = bad.iter().map(|value| ("authorization", *value)).collect();
            assert_eq!(found("GET", &headers, true), "malformed", "{bad:?}");
        }
    }

    #[test]
    fn a_cookie_is_a_credential_where_cookies_are_taken() {
        let cookie = ("cookie", "a=1; __Host-tollbar=t");
        assert_eq!(found("GET", &[cookie], true), "t");
        assert_eq!(found("GET", &[cookie], false), "none");
        assert_eq!(found("GET", &[cookie, ("authorization", "Basic x")], true), "t");
        assert_eq!(found("GET", &[("cookie", "__Host-tollbar=")], true), "malformed");
    }

    #[test]
    fn two_that_disagree_are_malformed() {
        let (cookie, same, other) =
            (("cookie", "__Host-tollbar=t"), ("authorization", "Bearer t"), ("authorization", "Bearer u"));
        assert_eq!(found("POST", &[cookie, same], true), "t");
        assert_eq!(found("GET", &[cookie, other], true), "malformed");
        assert_eq!(found("GET", &[cookie, other], false), "u");
        assert_eq!(found("GET", &[cookie, ("cookie", "__Host-tollbar=u")], true), "malformed");
        assert_eq!(found("GET", &[cookie, cookie], true), "t");
        assert_eq!(found("GET", &[cookie, ("authorization", "Bearer a b")], true), "malformed");
    }

    #[test]
    fn a_cookie_changes_something_for_its_own_origin_only() {
        let cookie = ("cookie", "__Host-tollbar=t");
        for method in ["POST", "PUT", "DELETE", "PATCH", "PROPFIND"] {
            assert_eq!(found(method, &[cookie], true), "cross-site", "{method}");
            assert_eq!(found(method, &[cookie, ("origin", "https://evil")], true), "cross-site");
            assert_eq!(found(method, &[cookie, ("sec-fetch-site", "same-origin")], true), "t");
            assert_eq!(found(method, &[cookie, ("origin", "https://h")], true), "t");
        }
        for method in ["GET", "HEAD", "OPTIONS", "TRACE"] {
            assert_eq!(found(method, &[cookie, ("sec-fetch-site", "cross-site")], true), "t", "{method}");
        }
    }
}
