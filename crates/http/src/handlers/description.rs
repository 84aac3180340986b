//! `/openapi.json`.

use actix_web::{HttpResponse, http::StatusCode};

use crate::{
    answer,
    openapi::{self, OfFixedMethods},
};

/// Describe the API.
///
/// This document, in OpenAPI 3.1. The operator listener has it as a page for people, too, at `/docs`.
#[utoipa::path(
    method(get, head), path = "/openapi.json", tag = "service", operation_id = "openapi",
    responses(OfFixedMethods, (status = 200, description = "The description.", body = inline(Object), content_type = "application/json")),
)]
pub(crate) async fn openapi() -> HttpResponse {
    answer::begin(StatusCode::OK).content_type("application/json").body(openapi::openapi())
}
