//! Middleware: an id for every request, in each of its log lines and in the answer; and a 500 where a handler panics.

use std::{
    panic::AssertUnwindSafe,
    sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
    },
};

use actix_web::{
    Error, HttpMessage, HttpResponse,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    error::InternalError,
    http::header::{HeaderMap, HeaderName, HeaderValue},
    middleware::Next,
};
use futures_util::FutureExt;
use tracing::{Instrument, Span, debug, error, error_span};

use crate::{ApiError, TraceContext, measured::Measured, request_id};

/// The header that carries a request's id, both ways.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

const LONGEST_ID: usize = 64;

/// Wrap an app in it with [`from_fn`](actix_web::middleware::from_fn). A caller's own id is kept where it is short and plain.
pub async fn request_span<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let measured = Measured::begin(request.method());
    within_span(request, next, Some(measured)).await
}

/// The same without metrics: for an app that is none of clients', such as one for operators.
pub async fn unmeasured_request_span<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    within_span(request, next, None).await
}

async fn within_span<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
    measured: Option<Measured>,
) -> Result<ServiceResponse<B>, Error> {
    let id = inbound(request.headers()).unwrap_or_else(fresh);
    let span = span(&request, &id);
    let handled = async {
        let answer = AssertUnwindSafe(next.call(request)).catch_unwind().await;
        let answer = answer.unwrap_or_else(|_| {
            error!("a handler panicked");
            Err(ApiError::Internal.into())
        });
        if let Ok(answer) = &answer {
            let request = answer.request();
            debug!(route = request.match_pattern().as_deref(), status = answer.status().as_u16(), "answered");
            if let Some(measured) = measured {
                measured.answered(request, answer.status());
            }
        }
        match answer {
            Ok(mut answer) => {
                answer.headers_mut().insert(REQUEST_ID, id.clone());
                Ok(answer)
            }
            Err(error) => Err(with_id(error, id.clone())),
        }
    };
    request_id::within(id.clone(), handled).instrument(span).await
}

/// Of the highest level, so that every line of the log has it, however little is logged. Neither path nor query: a client may have put a
/// secret there. The route tells enough.
fn span(request: &ServiceRequest, id: &HeaderValue) -> Span {
    let extensions = request.extensions();
    error_span!(
        "request",
        id = id.to_str().unwrap_or_default(),
        method = request.method().as_str(),
        trace_id = extensions.get::<TraceContext>().map(TraceContext::trace_id),
    )
}

fn with_id(error: Error, id: HeaderValue) -> Error {
    let mut answer: HttpResponse = error.error_response();
    answer.headers_mut().insert(REQUEST_ID, id);
    InternalError::from_response(error, answer).into()
}

/// One id of the caller's, if it cannot bend a log line.
fn inbound(headers: &HeaderMap) -> Option<HeaderValue> {
    let mut ids = headers.get_all(REQUEST_ID);
    let (only, None) = (ids.next()?, ids.next()) else { return None };
    let plain = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    let bytes = only.as_bytes();
    ((1..=LONGEST_ID).contains(&bytes.len()) && bytes.iter().all(plain)).then(|| only.clone())
}

/// An id that no other request has: random for the process, then counted.
fn fresh() -> HeaderValue {
    static PROCESS: LazyLock<u64> = LazyLock::new(|| tollbar_core::random_u64().unwrap_or_default());
    static REQUESTS: AtomicU32 = AtomicU32::new(0);
    let number = (u128::from(*PROCESS) << 32) | u128::from(REQUESTS.fetch_add(1, Ordering::Relaxed));
    let digit = |at: usize| b"0123456789abcdef"[(number >> (4 * (23 - at)) & 15) as usize];
    HeaderValue::from_bytes(&std::array::from_fn::<u8, 24, _>(digit))
        .expect("hexadecimal digits are a header value")
}
