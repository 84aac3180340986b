//! `/ping`, `/top` and `/count`.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web::Data};
use serde::Serialize;
use tollbar_core::domain::Caller;

use crate::{ApiError, Services, answer, incoming::incoming};

#[derive(Serialize)]
struct Top {
    /// The sentences that clients were written against.
    #[serde(rename = "topUsersCallingAPIAllTime")]
    sentences: Vec<String>,
    top: Vec<Place>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Place {
    user_id: u64,
    calls: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Count {
    estimated_count: u64,
}

/// Goes by the policy for `/ping`, wherever the route is mounted.
pub(crate) async fn ping(services: Data<Services>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let bar = &services.bar;
    let question = bar.question(&incoming(&request, bar.options()).with("GET", b"/ping"));
    let passed = bar.decide(&question).await?;
    services.ping.call().await;
    let mut response = answer::done();
    answer::add(response.headers_mut(), passed.headers);
    Ok(response)
}

pub(crate) async fn top(services: Data<Services>) -> Result<HttpResponse, ApiError> {
    let callers = services.counts.top().await?;
    let sentence =
        |Caller { user, calls }: &Caller| format!("CallingPingAPI userID:{user} called {calls} times");
    let place = |caller: &Caller| Place { user_id: caller.user.get(), calls: caller.calls };
    let body =
        Top { sentences: callers.iter().map(sentence).collect(), top: callers.iter().map(place).collect() };
    Ok(answer::json(StatusCode::OK, &body))
}

pub(crate) async fn count(services: Data<Services>) -> Result<HttpResponse, ApiError> {
    let estimated_count = services.counts.distinct().await?;
    Ok(answer::json(StatusCode::OK, &Count { estimated_count }))
}
