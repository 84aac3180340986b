//! A request of the `http` crate as the bar reads it, and the bar's words as an answer of it.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use tollbar_core::usecases::Question;
use tollbar_wire::{Answer, Bar, Headers, Incoming};

struct RequestHeaders<'a>(&'a HeaderMap);

impl Headers for RequestHeaders<'_> {
    fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.0.get_all(name).iter().map(HeaderValue::as_bytes)
    }
}

/// All that a decision needs of a request.
pub(crate) fn question<B>(bar: &Bar, request: &Request<B>, peer: Option<IpAddr>) -> Question {
    let headers = RequestHeaders(request.headers());
    let target = request.uri().path().as_bytes();
    let authority = request.uri().authority().map(http::uri::Authority::as_str);
    let incoming = Incoming::new(request.method().as_str(), target, &headers).with_authority(authority);
    bar.question(&incoming.from_peer(peer, &bar.options().trusted_proxies))
}

/// An answer that is told without a framework.
pub(crate) fn response<B: From<String>>(answer: Answer) -> Response<B> {
    let mut response = Response::new(B::from(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    add(response.headers_mut(), answer.headers);
    response
}

/// Adds headers to those of an answer.
pub(crate) fn add(to: &mut HeaderMap, headers: impl IntoIterator<Item = (&'static str, String)>) {
    for (name, value) in headers {
        // What Tollbar writes is visible ASCII; a value that is not is better left out than the answer.
        if let Ok(value) = HeaderValue::try_from(value) {
            to.insert(HeaderName::from_static(name), value);
        }
    }
}
