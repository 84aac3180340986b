//! The span of a request, by OpenTelemetry's conventions for HTTP servers: by the route's template and never by the path, without a user
//! and without a query.

use actix_http::{HttpMessage, Request};
use actix_web::http::{Method, StatusCode, Version, header::HeaderMap};
use opentelemetry::trace::TraceContextExt;
use tollbar_core::SPANS;
use tollbar_http::REQUEST_ID;
use tracing::{Span, debug_span, field::Empty};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::context;

/// A request that is being answered. Where nobody collects spans it is nothing.
#[derive(Debug)]
pub(crate) struct ServerSpan {
    span: Span,
    method: &'static str,
}

impl ServerSpan {
    /// Begins it, as a part of the trace that the request says it belongs to, and tells the app of it.
    pub(crate) fn begin(request: &Request) -> Self {
        let method = known(request.method());
        let span = debug_span!(
            target: SPANS,
            parent: None,
            "request",
            "otel.name" = if method == OTHER { "HTTP" } else { method },
            "otel.kind" = "server",
            "otel.status_code" = Empty,
            "http.request.method" = method,
            "http.response.status_code" = Empty,
            "http.route" = Empty,
            "network.protocol.version" = version(request.version()),
            "url.scheme" = "http",
            "error.type" = Empty,
            "tollbar.request_id" = Empty,
        );
        if !span.is_disabled() {
            if let Some(parent) = context::incoming(request.headers()) {
                // It fails only where the span has begun already, or is none of ours.
                let _ = span.set_parent(parent);
            }
            if let Some(context) = context::outgoing(&span.context()) {
                request.extensions_mut().insert(context);
            }
        }
        Self { span, method }
    }

    /// The span itself.
    pub(crate) fn span(&self) -> &Span {
        &self.span
    }

    /// Says how it was answered; without a route, nothing was at its path.
    pub(crate) fn answered(
        &self,
        route: impl FnOnce() -> Option<String>,
        status: StatusCode,
        headers: &HeaderMap,
    ) {
        let span = &self.span;
        if span.is_disabled() {
            return;
        }
        if let Some(route) = route() {
            span.record("http.route", &*route);
            if self.method != OTHER {
                // The name is only known now, and `tracing` cannot change it any more.
                span.context().span().update_name(format!("{} {route}", self.method));
            }
        }
        span.record("http.response.status_code", i64::from(status.as_u16()));
        if status.is_server_error() {
            span.record("error.type", status.as_str());
            span.record("otel.status_code", "error");
        }
        // The same as in each line of the log, and as the client has.
        if let Some(id) = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok()) {
            span.record("tollbar.request_id", id);
        }
    }
}

/// What a method is called that clients have made up.
const OTHER: &str = "_OTHER";

fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::HEAD => "HEAD",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        Method::CONNECT => "CONNECT",
        Method::TRACE => "TRACE",
        _ => OTHER,
    }
}

fn version(version: Version) -> &'static str {
    match version {
        Version::HTTP_09 => "0.9",
        Version::HTTP_10 => "1.0",
        Version::HTTP_2 => "2",
        _ => "1.1",
    }
}
