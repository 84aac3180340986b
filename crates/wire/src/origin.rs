//! Whether a browser sent a request on behalf of the same site: what a cookie alone does not tell.

use crate::Headers;

/// Methods that change nothing (RFC 9110, section 9.2.1), which a browser may be made to send by any page.
pub(crate) fn is_safe(method: &str) -> bool {
    matches!(method, "GET" | "HEAD" | "OPTIONS" | "TRACE")
}

/// Whether the request says that a page of the same origin made it. `Sec-Fetch-Site` (W3C Fetch Metadata) is the browser's own word;
/// only where there is none, `Origin` is compared with the host that the client asked for.
pub(crate) fn is_same(headers: &(impl Headers + ?Sized), host: Option<&str>, scheme: Option<&str>) -> bool {
    if headers.all("sec-fetch-site").next().is_some() {
        return headers.one("sec-fetch-site") == Some(b"same-origin");
    }
    let (Some(origin), Some(host)) = (headers.text("origin"), host) else { return false };
    let Some((origin_scheme, authority)) = origin.split_once("://") else { return false };
    let scheme = scheme.unwrap_or(origin_scheme);
    matches!(origin_scheme, "http" | "https")
        && origin_scheme.eq_ignore_ascii_case(scheme)
        && without_default_port(authority, scheme).eq_ignore_ascii_case(without_default_port(host, scheme))
}

fn without_default_port<'a>(authority: &'a str, scheme: &str) -> &'a str {
    let port = if scheme.eq_ignore_ascii_case("https") { ":443" } else { ":80" };
    authority.strip_suffix(port).unwrap_or(authority)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_origin_is_the_same() {
        for (headers, same) in [
            (&[("sec-fetch-site", "same-origin")][..], true),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("sec-fetch-site", "cross-site"), ("origin", "https://h")], false),
            (&[("sec-fetch-site", "none")], false),
            (&[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")], false),
            (&[("origin", "https://h")], true),
            (&[("origin", "https://H:443")], true),
            (&[("origin", "https://h:444")], false),
            (&[("origin", "http://h")], false),
            (&[("origin", "https://h.evil")], false),
            (&[("origin", "null")], false),
            (&[("origin", "https://h"), ("origin", "https://h")], false),
            (&[], false),
        ] {
            assert_eq!(is_same(headers, Some("h"), Some("https")), same, "{headers:?}");
        }
        let origin = &[("origin", "http://h:8080")][..];
        assert!(is_same(origin, Some("h:8080"), None) && is_same(origin, Some("h:8080"), Some("http")));
        assert!(!is_same(origin, None, None));
        assert!(is_same(&[("origin", "https://h")][..], Some("h:443"), Some("https")));
    }
}
