//! `/healthz` and `/readyz`.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, http::StatusCode, web::Data};
use serde::Serialize;

use crate::{Services, answer};

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
pub(crate) async fn readyz(services: Data<Services>) -> HttpResponse {
    let report = services.readiness.call().await;
    let (code, status) = if services.shutdown.has_begun() || !report.ready() {
        (StatusCode::SERVICE_UNAVAILABLE, "unavailable")
    } else if report.degraded() {
        (StatusCode::OK, "degraded")
    } else {
        (StatusCode::OK, "ready")
    };
    let state = |up| if up { "up" } else { "down" };
    let dependencies = report.dependencies.iter().map(|tier| (tier.name, state(tier.up))).collect();
    answer::json(code, &Ready { status, dependencies })
}
