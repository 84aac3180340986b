//! `/ping`, and what is told of calls: `/top`, `/count` and `/calls`.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web::Data};
use tollbar_core::{
    domain::{ApiName, Caller},
    usecases::{CallWindow, Reading, TOP_LIMIT, Windowed},
};

use super::{
    calls_answers::{Board, Callers, Count, Estimate, Ranked, Steps, Told, Top, places},
    calls_query::{self, OF_COUNT, OF_SERIES, OF_TOP, RANKED_BY},
};
use crate::{
    ApiError, Services, answer,
    incoming::incoming,
    openapi::{Admitted, OfBar, OfCalls, OfCount, OfFixedMethods, OfSeries, OfTop},
};

/// Call the example API.
///
/// Goes by the policy for `/ping`, wherever the route is mounted: by default once in 5 s and twice in a minute. A call that is let
/// through takes `ping.delay`, and is counted once.
#[utoipa::path(
    get, path = "/ping", tag = "calls", operation_id = "ping",
    security(("bearer" = []), ("cookie" = [])),
    responses(Admitted, OfBar, OfFixedMethods),
)]
pub(crate) async fn ping(services: Data<Services>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let bar = &services.bar;
    let question = bar.question(&incoming(&request, bar.options()).with("GET", b"/ping"));
    let passed = bar.decide(&question).await?;
    services.ping.call().await;
    let mut response = answer::done();
    answer::add(response.headers_mut(), passed.headers);
    Ok(response)
}

/// Rank users by their calls.
///
/// Without parameters: the ten users who called the API of `/ping` most of all time. With one: of that API and window, up to 100 users,
/// and by how much a number may be too low.
#[utoipa::path(
    method(get, head), path = "/top", tag = "calls", operation_id = "top", params(OfTop),
    responses(OfCalls, OfFixedMethods, (
        status = 200, description = "The users, most calls first.", body = Top<'_>, examples(
            ("window" = (summary = "?window=7d&by=limited", value = json!({
                "api": "ping", "window": "7d", "from": "2026-11-21T00:00:00Z", "by": "limited",
                "top": [{"userId": 7, "calls": 412}], "maxError": 0,
            }))),
            ("allTime" = (summary = "Without parameters", value = json!({
                "topUsersCallingAPIAllTime": ["CallingPingAPI userID:3 called 4 times"], "top": [{"userId": 3, "calls": 4}],
            }))),
        ),
    )),
)]
pub(crate) async fn top(services: Data<Services>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let analytics = &services.analytics;
    let Some(query) = calls_query::parse(&request, &OF_TOP)? else {
        return board(&services).await;
    };
    // What is wrong is said before anything is looked up.
    let (window, by, limit) = (query.window()?, query.by()?, query.limit()?);
    let api = query.api(analytics).await?;
    let found = analytics.top(&api, window, by, limit).await?;
    let by = RANKED_BY.into_iter().find(|(_, known)| *known == by).map_or("", |(name, _)| name);
    let told = tell(&api, window, found, |ranking| Ranked::of(by, &ranking));
    Ok(answer::json(StatusCode::OK, &Top::Window(told)))
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
    Ok(answer::json(StatusCode::OK, &Top::AllTime(body)))
}

/// Count different users.
///
/// Without parameters: those who ever called the API of `/ping`. With one: of that API and window, and the standard error of the number.
#[utoipa::path(
    method(get, head), path = "/count", tag = "calls", operation_id = "count", params(OfCount),
    responses(OfCalls, OfFixedMethods, (
        status = 200, description = "How many.", body = Count<'_>, examples(
            ("window" = (summary = "?window=24h", value = json!({
                "api": "ping", "window": "24h", "from": "2026-11-27T09:00:00Z", "estimatedCount": 1204, "standardError": 0.008_125,
            }))),
            ("allTime" = (summary = "Without parameters", value = json!({"estimatedCount": 150}))),
        ),
    )),
)]
pub(crate) async fn count(services: Data<Services>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let analytics = &services.analytics;
    let Some(query) = calls_query::parse(&request, &OF_COUNT)? else {
        let Reading { value: estimated_count, stale } = match analytics.counts().api_of_ping() {
            Some(api) => analytics.counts().distinct(&api).await?,
            None => Reading { value: 0, stale: false },
        };
        return Ok(answer::json(StatusCode::OK, &Count::AllTime(Estimate { estimated_count, stale })));
    };
    let window = query.window()?;
    let api = query.api(analytics).await?;
    let found = analytics.distinct(&api, window).await?;
    Ok(answer::json(StatusCode::OK, &Count::Window(tell(&api, window, found, Callers::from))))
}

/// Tell what became of calls.
///
/// How many were admitted, limited and refused, step by step. Minutes are kept for 24 hours, hours for 30 days, days for 400 days.
#[utoipa::path(
    method(get, head), path = "/calls", tag = "calls", operation_id = "calls", params(OfSeries),
    responses(OfCalls, OfFixedMethods, (
        status = 200, description = "Each step of the window.", body = Told<'_, Steps>, example = json!({
            "api": "ping", "window": "today", "from": "2026-11-28T00:00:00Z", "step": "hour",
            "points": [{"start": "2026-11-28T00:00:00Z", "admitted": 90, "limited": 12, "repeated": 11, "refused": 1}],
        }),
    )),
)]
pub(crate) async fn series(services: Data<Services>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let analytics = &services.analytics;
    let query = calls_query::parse(&request, &OF_SERIES)?.unwrap_or_default();
    let (window, step) = (query.window()?, query.step()?);
    let api = query.api(analytics).await?;
    let found = analytics.series(&api, window, step).await?;
    let step = calls_query::name_of(step);
    let told = tell(&api, window, found, |points| Steps::of(step, points));
    Ok(answer::json(StatusCode::OK, &told))
}

fn tell<T, S>(
    api: &ApiName,
    window: CallWindow,
    found: Windowed<T>,
    told: impl FnOnce(T) -> S,
) -> Told<'_, S> {
    let Windowed { from, reading: Reading { value, stale } } = found;
    let (from, value) = (from.map(answer::rfc3339), told(value));
    Told { api: api.as_str(), window: window.name(), from, value, stale }
}
