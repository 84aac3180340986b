//! `/ping`, and what is told of calls: `/top`, `/count` and `/calls`.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web::Data};
use serde::Serialize;
use tollbar_core::{
    domain::{ApiName, Caller, Outcomes, Ranking, Timestamp},
    usecases::{CallWindow, Distinct, RankedBy, Reading, Series, TOP_LIMIT, Windowed},
};

use super::calls_query;
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

/// What is told, and of what.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Told<'a, T> {
    api: &'a str,
    window: &'static str,
    /// When the window began; all time has no beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(flatten)]
    value: T,
    #[serde(skip_serializing_if = "is_fresh")]
    stale: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Ranked {
    by: &'static str,
    top: Vec<Place>,
    /// By how much each number may be too low.
    max_error: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Callers {
    estimated_count: u64,
    standard_error: f64,
}

#[derive(Serialize)]
struct Steps {
    step: &'static str,
    points: Vec<Point>,
}

#[derive(Serialize)]
struct Point {
    start: String,
    admitted: u64,
    limited: u64,
    /// Those of the limited that were denied from memory.
    repeated: u64,
    refused: u64,
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

pub(crate) async fn top(services: Data<Services>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let analytics = &services.analytics;
    let Some(query) = calls_query::parse(&request, &["api", "window", "by", "limit"])? else {
        return board(&services).await;
    };
    // What is wrong is said before anything is looked up.
    let (window, by, limit) = (query.window()?, query.by()?, query.limit()?);
    let api = query.api(analytics).await?;
    let found = analytics.top(&api, window, by, limit).await?;
    let by = match by {
        RankedBy::Calls => "calls",
        RankedBy::Limited => "limited",
    };
    let ranked = |Ranking { callers, error }| Ranked { by, top: places(&callers), max_error: error };
    Ok(tell(&api, window, found, ranked))
}

async fn board(services: &Services) -> Result<HttpResponse, ApiError> {
    let counts = services.analytics.counts();
    let Reading { value: callers, stale } = match counts.api_of_ping() {
        Some(api) => counts.top(&api, TOP_LIMIT).await?,
        None => Reading { value: Vec::new(), stale: false },
    };
    let sentence =
        |Caller { user, calls }: &Caller| format!("CallingPingAPI userID:{user} called {calls} times");
    let body = Board { sentences: callers.iter().map(sentence).collect(), top: places(&callers), stale };
    Ok(answer::json(StatusCode::OK, &body))
}

pub(crate) async fn count(services: Data<Services>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let analytics = &services.analytics;
    let Some(query) = calls_query::parse(&request, &["api", "window"])? else {
        let Reading { value: estimated_count, stale } = match analytics.counts().api_of_ping() {
            Some(api) => analytics.counts().distinct(&api).await?,
            None => Reading { value: 0, stale: false },
        };
        return Ok(answer::json(StatusCode::OK, &Count { estimated_count, stale }));
    };
    let window = query.window()?;
    let api = query.api(analytics).await?;
    let found = analytics.distinct(&api, window).await?;
    let callers = |Distinct { callers, standard_error }| Callers { estimated_count: callers, standard_error };
    Ok(tell(&api, window, found, callers))
}

pub(crate) async fn series(services: Data<Services>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let analytics = &services.analytics;
    let query = calls_query::parse(&request, &["api", "window", "step"])?.unwrap_or_default();
    let (window, step) = (query.window()?, query.step()?);
    let api = query.api(analytics).await?;
    let found = analytics.series(&api, window, step).await?;
    let step = calls_query::name_of(step);
    Ok(tell(&api, window, found, |points: Series| Steps {
        step,
        points: points.into_iter().map(point).collect(),
    }))
}

fn tell<T, S: Serialize>(
    api: &ApiName,
    window: CallWindow,
    found: Windowed<T>,
    told: impl FnOnce(T) -> S,
) -> HttpResponse {
    let Windowed { from, reading: Reading { value, stale } } = found;
    let (from, value) = (from.map(answer::rfc3339), told(value));
    answer::json(StatusCode::OK, &Told { api: api.as_str(), window: window.name(), from, value, stale })
}

fn places(callers: &[Caller]) -> Vec<Place> {
    callers.iter().map(|caller| Place { user_id: caller.user.get(), calls: caller.calls }).collect()
}

fn point((start, outcomes): (Timestamp, Outcomes)) -> Point {
    let Outcomes { admitted, limited, repeated, refused } = outcomes;
    Point { start: answer::rfc3339(start), admitted, limited, repeated, refused }
}
