//! Keeps pages of other sites out. The listener is one of this machine's, and so is every browser on it: what a page sends there looks as if an
//! operator did.

use std::net::IpAddr;

use actix_web::{
    Error,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::header::{self, HeaderMap, HeaderName},
    middleware::Next,
    web::Data,
};
use tollbar_http::ApiError;

use super::Admin;

/// What browsers say of who asks; no page can change it.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");

/// Refuses what another site's page may have sent. What changes something must besides be JSON, which [`ApiJson`](tollbar_http::ApiJson) asks
/// for: such a request a browser does not send elsewhere without asking first, and nobody here would answer that.
pub(super) async fn guard<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let hosts = request.app_data::<Data<Admin>>().map_or(&[][..], |admin| &admin.hosts[..]);
    check(request.headers(), hosts)?;
    next.call(request).await
}

/// That this page is opened by a browser, if only by a link from elsewhere, or asked for by none of another site's pages: making it is work.
pub(crate) fn check_page(headers: &HeaderMap, hosts: &[String]) -> Result<(), ApiError> {
    let is = |name: &HeaderName, value: &str| headers.get(name).is_some_and(|found| found == value);
    if is(&SEC_FETCH_MODE, "navigate") && is(&SEC_FETCH_DEST, "document") {
        return own_host(headers, hosts).map(drop);
    }
    check(headers, hosts)
}

/// The host that is asked for. A page that has made its own name one of this machine's (DNS rebinding) asks for that name.
fn own_host(headers: &HeaderMap, hosts: &[String]) -> Result<String, ApiError> {
    let mut named = headers.get_all(header::HOST);
    let (Some(host), None) = (named.next(), named.next()) else { return Err(ApiError::ForeignHost) };
    let host = host.to_str().unwrap_or_default().to_ascii_lowercase();
    if is_own(&host, hosts) { Ok(host) } else { Err(ApiError::ForeignHost) }
}

fn check(headers: &HeaderMap, hosts: &[String]) -> Result<(), ApiError> {
    let host = own_host(headers, hosts)?;
    let is_elsewhere = |value: &header::HeaderValue| value != "same-origin" && value != "none";
    if headers.get_all(SEC_FETCH_SITE).any(is_elsewhere) {
        return Err(ApiError::ForeignPage);
    }
    let is_here = |origin: &header::HeaderValue| {
        origin.to_str().is_ok_and(|origin| origin.to_ascii_lowercase() == format!("http://{host}"))
    };
    if headers.get_all(header::ORIGIN).all(is_here) { Ok(()) } else { Err(ApiError::ForeignPage) }
}

/// Whether nobody else can have given this name to this listener.
fn is_own(host: &str, hosts: &[String]) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(name);
    name == "localhost" || address.parse::<IpAddr>().is_ok() || hosts.iter().any(|known| known == name)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn verdict(headers: &[(&'static str, &'static str)]) -> Result<(), String> {
        let request =
            headers.iter().fold(TestRequest::default(), |request, pair| request.append_header(*pair));
        check(request.to_http_request().headers(), &["tollbar-0".to_owned()])
            .map_err(|error| format!("{error:?}"))
    }

    #[test]
    fn only_names_that_nobody_else_can_give_are_taken() {
        for host in
            ["127.0.0.1:9090", "127.0.0.1", "[::1]:9090", "LOCALHOST:9090", "tollbar-0", "Tollbar-0:9090"]
        {
            assert_eq!(verdict(&[("host", host)]), Ok(()), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "evil.example:9090",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "tollbar-01",
        ] {
            assert_eq!(verdict(&[("host", host)]), Err("ForeignHost".to_owned()), "{host}");
        }
        assert!(verdict(&[]).is_err());
        assert!(verdict(&[("host", "localhost"), ("host", "evil.example")]).is_err());
    }

    #[test]
    fn pages_of_other_sites_are_refused() {
        let host = ("host", "127.0.0.1:9090");
        for (name, value) in [
            ("sec-fetch-site", "none"),
            ("sec-fetch-site", "same-origin"),
            ("origin", "http://127.0.0.1:9090"),
        ] {
            assert_eq!(verdict(&[host, (name, value)]), Ok(()), "{name}: {value}");
        }
        for (name, value) in [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("sec-fetch-site", ""),
            ("origin", "http://evil.example"),
            ("origin", "https://127.0.0.1:9090"),
            ("origin", "http://127.0.0.1:8080"),
            ("origin", "null"),
        ] {
            assert_eq!(verdict(&[host, (name, value)]), Err("ForeignPage".to_owned()), "{name}: {value}");
        }
        assert!(verdict(&[host, ("sec-fetch-site", "none"), ("sec-fetch-site", "cross-site")]).is_err());
    }

    #[test]
    fn a_page_may_be_opened_from_elsewhere_and_not_be_fetched() {
        let page = |host: &'static str, mode: &'static str, dest: &'static str| {
            let request = TestRequest::default().append_header(("host", host));
            let request = request.append_header(("sec-fetch-site", "cross-site"));
            let request =
                request.append_header(("sec-fetch-mode", mode)).append_header(("sec-fetch-dest", dest));
            check_page(request.to_http_request().headers(), &[]).is_ok()
        };
        assert!(page("localhost:9090", "navigate", "document"));
        for (host, mode, dest) in [
            ("evil.example", "navigate", "document"),
            ("localhost:9090", "no-cors", "empty"),
            ("localhost:9090", "navigate", "iframe"),
        ] {
            assert!(!page(host, mode, dest), "{host} {mode} {dest}");
        }
    }
}
