//! The parameters of `/top`, `/count` and `/calls`.

use std::collections::HashMap;

use actix_web::{HttpRequest, web::Query};
use tollbar_core::{
    domain::{ApiName, Step},
    usecases::{Analytics, CallWindow, RankedBy, TOP_LIMIT, TOP_MOST},
};

use crate::ApiError;

/// The parameters of `/top`.
pub(crate) const OF_TOP: [&str; 4] = ["api", "window", "by", "limit"];
/// Those of `/count`.
pub(crate) const OF_COUNT: [&str; 2] = ["api", "window"];
/// Those of `/calls`.
pub(crate) const OF_SERIES: [&str; 3] = ["api", "window", "step"];

/// What callers may be ranked by.
pub(crate) const RANKED_BY: [(&str, RankedBy); 2] =
    [("calls", RankedBy::Calls), ("limited", RankedBy::Limited)];

/// What is said of a window that there is not.
pub(crate) const NO_SUCH_WINDOW: &str = "window must be one of today, 24h, 7d, 30d, all!";
/// What is said of steps that are kept for less than the window.
pub(crate) const STEP_NOT_KEPT: &str =
    "Minutes are kept for 24 hours and hours for 30 days, so this window has longer steps!";

/// What is said of a parameter that is not known here.
pub(crate) fn unknown(known: &[&str]) -> ApiError {
    ApiError::invalid(format!("The parameters here are {}!", known.join(", ")))
}

/// What was asked for; what was not is as it was before there were parameters.
#[derive(Debug, Default)]
pub(crate) struct CallsQuery(HashMap<String, String>);

/// `None`: there is no parameter at all.
pub(crate) fn parse(request: &HttpRequest, known: &[&str]) -> Result<Option<CallsQuery>, ApiError> {
    let text = request.query_string();
    if text.is_empty() {
        return Ok(None);
    }
    let pairs = Query::<Vec<(String, String)>>::from_query(text)
        .map_err(|_| ApiError::invalid("The query must be parameters such as window=24h!"))?;
    let mut parameters = HashMap::new();
    for (name, value) in pairs.into_inner() {
        if !known.contains(&name.as_str()) {
            return Err(unknown(known));
        }
        if parameters.insert(name, value).is_some() {
            return Err(ApiError::invalid("Each parameter must be given once!"));
        }
    }
    Ok(Some(CallsQuery(parameters)))
}

impl CallsQuery {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The API; that of `/ping` where none is named.
    pub(crate) async fn api(&self, analytics: &Analytics) -> Result<ApiName, ApiError> {
        let Some(name) = self.get("api") else {
            let missing = || ApiError::invalid("api must be given, since no policy is for /ping!");
            return analytics.counts().api_of_ping().ok_or_else(missing);
        };
        let api = ApiName::new(name).map_err(|error| ApiError::invalid(format!("api: {error}!")))?;
        if analytics.knows(&api).await? { Ok(api) } else { Err(ApiError::UnknownApi) }
    }

    pub(crate) fn window(&self) -> Result<CallWindow, ApiError> {
        let Some(name) = self.get("window") else { return Ok(CallWindow::AllTime) };
        let named = CallWindow::ALL.into_iter().find(|window| window.name() == name);
        named.ok_or_else(|| ApiError::invalid(NO_SUCH_WINDOW))
    }

    pub(crate) fn by(&self) -> Result<RankedBy, ApiError> {
        let Some(name) = self.get("by") else { return Ok(RankedBy::Calls) };
        let named = RANKED_BY.into_iter().find(|(known, _)| *known == name);
        named.map(|(_, by)| by).ok_or_else(|| ApiError::invalid("by must be calls or limited!"))
    }

    pub(crate) fn limit(&self) -> Result<usize, ApiError> {
        let Some(text) = self.get("limit") else { return Ok(TOP_LIMIT) };
        let number = text.parse().ok().filter(|limit| (1..=TOP_MOST).contains(limit));
        number.ok_or_else(|| ApiError::invalid(format!("limit must be a whole number from 1 to {TOP_MOST}!")))
    }

    /// The steps; the finest that are kept for as long as the window is, where none are named.
    pub(crate) fn step(&self) -> Result<Step, ApiError> {
        let finest = self.window()?.finest_step();
        let Some(name) = self.get("step") else { return Ok(finest) };
        let named = Step::ALL.into_iter().find(|step| name_of(*step) == name);
        let step = named.ok_or_else(|| ApiError::invalid("step must be one of minute, hour, day!"))?;
        if step < finest {
            return Err(ApiError::invalid(STEP_NOT_KEPT));
        }
        Ok(step)
    }
}

/// What a step is called.
pub(crate) fn name_of(step: Step) -> &'static str {
    match step {
        Step::Minute => "minute",
        Step::Hour => "hour",
        Step::Day => "day",
    }
}
