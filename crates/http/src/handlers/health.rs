//! `/healthz` and `/readyz`.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, http::StatusCode, web::Data};
use serde::Serialize;

use crate::{ApiError, Services, answer};

#[derive(Serialize)]
struct Ready {
    status: &'static str,
    dependencies: BTreeMap<&'static str, &'static str>,
}

/// The process answers: nothing else is asked.
pub(crate) async fn healthz() -> HttpResponse {
    answer::done()
}

/// 503 only where nothing can be served, or where nothing new should be sent.
pub(crate) async fn readyz(services: Data<Services>) -> Result<HttpResponse, ApiError> {
    let report = services.readiness.call().await;
    if services.shutdown.has_begun() || !report.ready() {
        return Err(ApiError::NotReady(report));
    }
    let status = if report.degraded() { "degraded" } else { "ready" };
    Ok(answer::json(StatusCode::OK, &Ready { status, dependencies: answer::states(&report) }))
}
