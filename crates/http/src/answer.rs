//! The form that every answer shares.

use std::collections::BTreeMap;

use actix_web::{
    HttpResponse, HttpResponseBuilder,
    http::{
        StatusCode,
        header::{self, HeaderMap, HeaderName, HeaderValue},
    },
};
use jiff::Timestamp;
use serde::Serialize;
use tollbar_core::usecases::ReadinessReport;
use tollbar_wire::Answer;

/// Begins an answer that no cache may keep: all that Tollbar says is true for the moment only.
pub(crate) fn begin(status: StatusCode) -> HttpResponseBuilder {
    let mut answer = HttpResponse::build(status);
    answer
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"));
    answer
}

/// An answer that is told without a framework.
pub(crate) fn of(answer: Answer) -> HttpResponse {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::build(status).body(answer.body);
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

/// Each dependency and its state, by name.
pub(crate) fn states(report: &ReadinessReport) -> BTreeMap<&'static str, &'static str> {
    let state = |up| if up { "up" } else { "down" };
    report.dependencies.iter().map(|tier| (tier.name, state(tier.up))).collect()
}

/// A JSON answer.
pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> HttpResponse {
    begin(status).json(body)
}

/// RFC 3339 in UTC; a clock beyond the year 9999 is held there.
pub(crate) fn rfc3339(at: tollbar_core::domain::Timestamp) -> String {
    let micros = i64::try_from(at.as_micros()).unwrap_or(i64::MAX);
    Timestamp::from_microsecond(micros).unwrap_or(Timestamp::MAX).to_string()
}

/// `{}`: it worked, and there is nothing to say.
pub(crate) fn done() -> HttpResponse {
    begin(StatusCode::OK).content_type("application/json").body("{}")
}
