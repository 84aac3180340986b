//! `/ping`, `/top` and `/count`.

use actix_web::{HttpResponse, http::StatusCode, web::Data};
use serde::Serialize;
use tollbar_core::domain::Caller;

use crate::{Admitted, ApiError, Bearer, Services, answer};

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

pub(crate) async fn ping(services: Data<Services>, token: Bearer) -> Result<HttpResponse, ApiError> {
    Admitted::of(services.ping.call(token.expose()).await?, services.ping.policy())?;
    Ok(answer::done())
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
