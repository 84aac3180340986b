//! The session as a cookie, for browsers (RFC 6265bis).

use std::time::Duration;

use crate::Headers;

/// The prefix has browsers take it over TLS only, for this host alone and all its paths (RFC 6265bis, section 4.1.3.2).
pub const COOKIE_NAME: &str = "__Host-tollbar";

const ATTRIBUTES: &str = "Path=/; Secure; HttpOnly; SameSite=Lax";

/// The value of `Set-Cookie` that hands out a token for as long as its session lasts.
pub fn session_cookie(token: &str, lasts: Duration) -> String {
    format!("{COOKIE_NAME}={token}; {ATTRIBUTES}; Max-Age={}", lasts.as_secs())
}

/// The value of `Set-Cookie` that takes it back.
pub fn ended_cookie() -> String {
    format!("{COOKIE_NAME}=; {ATTRIBUTES}; Max-Age=0")
}

/// Every value of the cookie that a request presents.
pub(crate) fn presented(headers: &(impl Headers + ?Sized)) -> impl Iterator<Item = &[u8]> {
    headers.all("cookie").flat_map(|line| line.split(|byte| *byte == b';')).filter_map(|pair| {
        let at = pair.iter().position(|byte| *byte == b'=')?;
        let (name, value) = (pair[..at].trim_ascii(), pair[at + 1..].trim_ascii());
        (name == COOKIE_NAME.as_bytes()).then_some(value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_found_among_others() {
        let found = |lines: &[(&'static str, &'static str)]| -> Vec<String> {
            presented(lines).map(|value| String::from_utf8_lossy(value).into_owned()).collect()
        };
        assert_eq!(found(&[("cookie", "a=1; __Host-tollbar=t;b=__Host-tollbar=x")]), ["t"]);
        assert_eq!(found(&[("cookie", "__Host-tollbar=t"), ("cookie", "x; __Host-tollbar=u")]), ["t", "u"]);
        for none in ["", "__host-tollbar=t", "x__Host-tollbar=t", "__Host-tollbar"] {
            assert_eq!(found(&[("cookie", none)]), [""; 0], "{none}");
        }
    }

    #[test]
    fn has_the_attributes_that_its_prefix_asks_for() {
        assert_eq!(
            session_cookie("tbs_t", Duration::from_secs(1_800)),
            "__Host-tollbar=tbs_t; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=1800"
        );
        assert_eq!(ended_cookie(), "__Host-tollbar=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0");
    }
}
