//! `/healthz` and `/readyz`.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, http::StatusCode, web::Data};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    ApiError, Services, answer,
    openapi::{Done, OfFixedMethods, OfReadiness, readiness, tiers},
};

/// What of the service can be served: all, or not all.
pub(crate) const READINESS: [&str; 2] = ["ready", "degraded"];

/// Something can be served.
#[derive(Serialize, ToSchema)]
pub(crate) struct Ready {
    #[schema(schema_with = readiness)]
    status: &'static str,
    #[schema(schema_with = tiers)]
    dependencies: BTreeMap<&'static str, &'static str>,
}

/// Ask whether the process lives.
///
/// It answers: nothing else is asked.
#[utoipa::path(
    method(get, head), path = "/healthz", tag = "service", operation_id = "healthz",
    responses(OfFixedMethods, (status = 200, description = "It lives.", body = Done)),
)]
pub(crate) async fn healthz() -> HttpResponse {
    answer::done()
}

/// Ask whether anything can be served.
///
/// 503 only where nothing can be served, or where nothing new should be sent.
#[utoipa::path(
    method(get, head), path = "/readyz", tag = "service", operation_id = "readyz",
    responses(OfReadiness, OfFixedMethods, (
        status = 200, description = "Something can be served.", body = Ready,
        example = json!({"status": "ready", "dependencies": {"postgres": "up", "redis": "up"}}),
    )),
)]
pub(crate) async fn readyz(services: Data<Services>) -> Result<HttpResponse, ApiError> {
    let report = services.readiness.call().await;
    if services.shutdown.has_begun() || !report.ready() {
        return Err(ApiError::NotReady(report));
    }
    let [ready, degraded] = READINESS;
    let status = if report.degraded() { degraded } else { ready };
    Ok(answer::json(StatusCode::OK, &Ready { status, dependencies: answer::states(&report) }))
}
