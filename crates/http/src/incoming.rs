//! An actix request as the bar reads it.

use std::net::IpAddr;

use actix_web::{
    HttpRequest,
    http::{header::HeaderMap, uri::Authority},
};
use tollbar_wire::{BarOptions, Headers, Incoming};

/// The headers of a request.
pub(crate) struct RequestHeaders<'a>(&'a HeaderMap);

impl Headers for RequestHeaders<'_> {
    fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.0.get_all(name).map(actix_web::http::header::HeaderValue::as_bytes)
    }
}

/// A request, and what is around it.
pub(crate) struct Received<'a> {
    request: &'a HttpRequest,
    headers: RequestHeaders<'a>,
    options: &'a BarOptions,
}

/// A request as a bar of these options reads it.
pub(crate) fn incoming<'a>(request: &'a HttpRequest, options: &'a BarOptions) -> Received<'a> {
    Received { request, headers: RequestHeaders(request.headers()), options }
}

impl Received<'_> {
    /// The request itself.
    pub(crate) fn wire(&self) -> Incoming<'_, impl Headers> {
        let uri = self.request.uri();
        let target = uri.path().as_bytes();
        self.with(self.request.method().as_str(), target)
    }

    /// The same under the name that a route has by itself, wherever it is mounted.
    pub(crate) fn with<'a>(&'a self, method: &'a str, target: &'a [u8]) -> Incoming<'a, impl Headers> {
        let authority = self.request.uri().authority().map(Authority::as_str);
        Incoming::new(method, target, &self.headers)
            .with_authority(authority)
            .from_peer(self.peer(), &self.options.trusted_proxies)
    }

    /// Its headers.
    pub(crate) fn headers(&self) -> &impl Headers {
        &self.headers
    }

    /// The other end of the connection.
    pub(crate) fn peer(&self) -> Option<IpAddr> {
        self.request.peer_addr().map(|peer| peer.ip())
    }
}
