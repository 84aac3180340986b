//! `/dashboard`: who calls, how much, who is limited, and whether all is well.

use std::{net::SocketAddr, sync::Arc};

use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    web::{Data, Query, ServiceConfig},
};
use askama::Template as _;
use serde::Deserialize;
use tokio::runtime::Handle;
use tokio_util::task::AbortOnDropHandle;
use tollbar_core::{
    domain::ApiName,
    usecases::{Analytics, CallWindow, LiveSessions, Readiness},
};
use tollbar_http::ApiError;
use tracing::error;

use super::{latency::Latencies, numbers, page, view::Page};
use crate::admin::check_page;

/// What the page is allowed to load: what this listener serves.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const STYLE: &str = include_str!("../../assets/dashboard.css");
const SCRIPT: &str = include_str!("../../assets/dashboard.js");
const ICON: &str = include_str!("../../assets/icon.svg");

/// What the dashboard tells of.
#[derive(Clone)]
pub(crate) struct Sources {
    pub(crate) analytics: Arc<Analytics>,
    pub(crate) readiness: Arc<Readiness>,
    pub(crate) live_sessions: Arc<LiveSessions>,
    /// Where clients call.
    pub(crate) public: SocketAddr,
    pub(crate) latencies: Arc<Latencies>,
    /// Reads the numbers.
    pub(crate) runtime: Handle,
    /// Names by which the page may be asked for, beside addresses and localhost.
    pub(crate) hosts: Arc<[String]>,
}

/// What somebody wants to see.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Wish {
    api: Option<String>,
    window: Option<String>,
}

/// Mounts the page and what it loads.
pub(crate) fn configure(sources: Sources) -> impl FnOnce(&mut ServiceConfig) {
    let file = |kind: &'static str, text: &'static str| {
        move || async move {
            let mut answer = HttpResponse::Ok();
            guarded(answer.content_type(kind)).body(text)
        }
    };
    move |app| {
        app.app_data(Data::new(sources))
            .service(page("/dashboard", show))
            .service(page("/dashboard/dashboard.css", file("text/css; charset=utf-8", STYLE)))
            .service(page("/dashboard/dashboard.js", file("text/javascript; charset=utf-8", SCRIPT)))
            .service(page("/dashboard/icon.svg", file("image/svg+xml", ICON)))
            .service(page("/", to_dashboard));
    }
}

fn guarded(answer: &mut actix_web::HttpResponseBuilder) -> &mut actix_web::HttpResponseBuilder {
    answer
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
}

async fn to_dashboard() -> HttpResponse {
    HttpResponse::SeeOther().insert_header((header::LOCATION, "/dashboard")).finish()
}

async fn show(sources: Data<Sources>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    check_page(request.headers(), &sources.hosts)?;
    // What makes no sense is answered by what makes some: a link from yesterday shall show something.
    let wish = Query::<Wish>::from_query(request.query_string()).map(Query::into_inner).unwrap_or_default();
    let wished = wish.api.and_then(|name| ApiName::new(&name).ok());
    let window = CallWindow::ALL.into_iter().find(|window| Some(window.name()) == wish.window.as_deref());
    let window = window.unwrap_or(CallWindow::Hours24);
    // Where clients are answered, too: who waits for the same reading must not wait for the one thread that draws pages.
    let (public, runtime) = (sources.public, sources.runtime.clone());
    let reading = runtime.spawn(async move {
        let apis = sources.analytics.apis().await;
        let named = wished.filter(|api| apis.contains(api));
        let api =
            named.or_else(|| sources.analytics.counts().api_of_ping()).or_else(|| apis.first().cloned());
        let numbers = numbers::read(&sources, api.as_ref(), window).await;
        (apis, api, numbers)
    });
    let (apis, api, numbers) = AbortOnDropHandle::new(reading).await.map_err(|failure| {
        error!(%failure, "the numbers of the dashboard were not read");
        ApiError::Internal
    })?;
    let page = Page::new(&apis, api.as_ref(), window, public, numbers);
    match page.render() {
        Ok(text) => Ok(guarded(HttpResponse::Ok().content_type("text/html; charset=utf-8")).body(text)),
        Err(failure) => {
            error!(%failure, "the dashboard was not written");
            Err(ApiError::Internal)
        }
    }
}
