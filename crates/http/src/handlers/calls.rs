//! `/ping`, `/top` and `/count`.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web::Data};
use serde::Serialize;
use tollbar_core::{domain::Caller, usecases::Reading};

use crate::{ApiError, Services, answer, incoming::incoming};

#[derive(Serialize)]
struct Board {
    /// The sentences that clients were written against.
    #[serde(rename = "topUsersCallingAPIAllTime")]
    sentences: Vec<String>,
    top: Vec<Place>,
    #[serde(skip_serializing_if = "is_fresh")]
    stale: bool,
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
    #[serde(skip_serializing_if = "is_fresh")]
    stale: bool,
}

/// Nothing is said of counts that are as they should be.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes it so")]
fn is_fresh(stale: &bool) -> bool {
    !stale
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
    let Reading { value: callers, stale } = services.counts.top().await?;
    let sentence =
        |Caller { user, calls }: &Caller| format!("CallingPingAPI userID:{user} called {calls} times");
    let place = |caller: &Caller| Place { user_id: caller.user.get(), calls: caller.calls };
    let (sentences, top) = (callers.iter().map(sentence).collect(), callers.iter().map(place).collect());
    let body = Board { sentences, top, stale };
    Ok(answer::json(StatusCode::OK, &body))
}

pub(crate) async fn count(services: Data<Services>) -> Result<HttpResponse, ApiError> {
    let Reading { value: estimated_count, stale } = services.counts.distinct().await?;
    Ok(answer::json(StatusCode::OK, &Count { estimated_count, stale }))
}
