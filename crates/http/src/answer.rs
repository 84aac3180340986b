//! The form that every successful answer shares.

use std::collections::BTreeMap;

use actix_web::{
    HttpResponse, HttpResponseBuilder,
    http::{StatusCode, header},
};
use serde::Serialize;
use tollbar_core::usecases::ReadinessReport;

/// Begins an answer that no cache may keep: all that Tollbar says is true for the moment only.
pub(crate) fn begin(status: StatusCode) -> HttpResponseBuilder {
    let mut answer = HttpResponse::build(status);
    answer
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"));
    answer
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

/// `{}`: it worked, and there is nothing to say.
pub(crate) fn done() -> HttpResponse {
    begin(StatusCode::OK).content_type("application/json").body("{}")
}
