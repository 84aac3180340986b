//! The page of the API's description, for people: on the operator listener, in one piece, without scripts and without another host.

mod endpoint;
mod page;
mod schema;

use std::{collections::BTreeMap, sync::LazyLock};

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{self, ContentType},
    web::{self, ServiceConfig},
};
use serde_json::Value;
use tracing::error;

/// Nothing but text and the one style sheet beside it.
const POLICY: &str =
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const STYLES: &str = include_str!("../../assets/docs.css");

/// `/docs`, its style sheet, and the description that it shows.
pub(crate) fn mount(app: &mut ServiceConfig) {
    app.route("/docs", web::get().to(docs))
        .route("/docs.css", web::get().to(|| async { answer("text/css; charset=utf-8", STYLES) }))
        .route(
            "/openapi.json",
            web::get().to(|| async { answer("application/json", tollbar_http::openapi()) }),
        );
}

/// The page, or of the page what is under one tag.
async fn docs(request: HttpRequest) -> HttpResponse {
    let tag = request.query_string().strip_prefix("tag=").unwrap_or_default();
    // A tag that there is not leaves nothing out.
    match pages().get(tag).or_else(|| pages().get("")) {
        Some(page) => answer(ContentType::html().0.as_ref(), page),
        None => HttpResponse::InternalServerError().finish(),
    }
}

fn answer(media: &str, body: &'static str) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, media))
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(body)
}

/// A page for each tag, and one for all under no name.
fn pages() -> &'static BTreeMap<String, String> {
    static PAGES: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| {
        let made = serde_json::from_str(tollbar_http::openapi()).map_err(page::PageError::from);
        made.and_then(|document: Value| page::all(&document)).unwrap_or_else(|error| {
            error!(%error, "the page of the API's description cannot be made");
            BTreeMap::new()
        })
    });
    &PAGES
}

#[cfg(test)]
mod tests;
