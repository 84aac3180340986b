//! What `/top`, `/count` and `/calls` say.

use serde::Serialize;
use tollbar_core::{
    domain::{Caller, Outcomes, Ranking, Timestamp},
    usecases::{Distinct, Series},
};
use utoipa::ToSchema;

use crate::{
    answer,
    openapi::{by, step, window},
};

/// Who called most: within a window, or of all time where no parameter asks for anything.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Top<'a> {
    Window(Told<'a, Ranked>),
    AllTime(Board),
}

/// How many different users called: within a window, or of all time where no parameter asks for anything.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Count<'a> {
    Window(Told<'a, Callers>),
    AllTime(Estimate),
}

/// The ten users who called most of all time.
#[derive(Serialize, ToSchema)]
pub(crate) struct Board {
    /// A sentence for each.
    #[serde(rename = "topUsersCallingAPIAllTime")]
    #[schema(max_items = 10)]
    pub(super) sentences: Vec<String>,
    /// The same for programs: most calls first, then the lower id.
    #[schema(max_items = 10)]
    pub(super) top: Vec<Place>,
    /// Whether newer calls may be missing, since something is down; not there where all is well.
    #[serde(skip_serializing_if = "is_fresh")]
    pub(super) stale: bool,
}

/// A user, and how many calls.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Place {
    /// The user's id.
    #[schema(example = 7)]
    user_id: u64,
    /// The calls.
    #[schema(example = 412)]
    calls: u64,
}

/// How many different users called of all time.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Estimate {
    /// So many; beyond some hundreds, nearly.
    #[schema(example = 150)]
    pub(super) estimated_count: u64,
    /// Whether newer calls may be missing, since something is down; not there where all is well.
    #[serde(skip_serializing_if = "is_fresh")]
    pub(super) stale: bool,
}

/// What is told, and of what.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OfWindow)]
pub(crate) struct Told<'a, T> {
    /// Of which API.
    #[schema(example = "ping")]
    pub(super) api: &'a str,
    #[schema(schema_with = window)]
    pub(super) window: &'static str,
    /// When the window began, in UTC; all time has no beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, required = false, example = "2026-11-21T00:00:00Z")]
    pub(super) from: Option<String>,
    #[serde(flatten)]
    pub(super) value: T,
    /// Whether newer calls may be missing, since something is down; not there where all is well.
    #[serde(skip_serializing_if = "is_fresh")]
    pub(super) stale: bool,
}

/// Who called most, or was limited most.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Ranked {
    #[schema(schema_with = by)]
    pub(super) by: &'static str,
    /// Most calls first, then the lower id.
    #[schema(max_items = 100)]
    pub(super) top: Vec<Place>,
    /// By how much each number may be too low.
    #[schema(example = 0)]
    pub(super) max_error: u64,
}

/// How many different users called.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Callers {
    /// So many; beyond some hundreds, nearly.
    #[schema(example = 1204)]
    estimated_count: u64,
    /// The standard error of that, as a share of it.
    #[schema(example = 0.008_125)]
    standard_error: f64,
}

/// What became of calls, step by step.
#[derive(Serialize, ToSchema)]
pub(crate) struct Steps {
    #[schema(schema_with = step)]
    step: &'static str,
    /// Each step of the window, the oldest first.
    points: Vec<Point>,
}

/// What became of the calls of a step.
#[derive(Serialize, ToSchema)]
pub(crate) struct Point {
    /// When it began, in UTC.
    #[schema(format = DateTime, example = "2026-11-28T00:00:00Z")]
    start: String,
    /// Calls that were let through.
    #[schema(example = 90)]
    admitted: u64,
    /// Calls that were over a limit.
    #[schema(example = 12)]
    limited: u64,
    /// Those of the limited that were denied from memory.
    #[schema(example = 11)]
    repeated: u64,
    /// Calls that had no live session, or were refused otherwise.
    #[schema(example = 1)]
    refused: u64,
}

/// Nothing is said of counts that are as they should be.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes it so")]
fn is_fresh(stale: &bool) -> bool {
    !stale
}

impl Ranked {
    pub(super) fn of(by: &'static str, Ranking { callers, error }: &Ranking) -> Self {
        Self { by, top: places(callers), max_error: *error }
    }
}

impl From<Distinct> for Callers {
    fn from(Distinct { callers, standard_error }: Distinct) -> Self {
        Self { estimated_count: callers, standard_error }
    }
}

impl Steps {
    pub(super) fn of(step: &'static str, points: Series) -> Self {
        Self { step, points: points.into_iter().map(Point::from).collect() }
    }
}

impl From<(Timestamp, Outcomes)> for Point {
    fn from((start, outcomes): (Timestamp, Outcomes)) -> Self {
        let Outcomes { admitted, limited, repeated, refused } = outcomes;
        Self { start: answer::rfc3339(start), admitted, limited, repeated, refused }
    }
}

pub(super) fn places(callers: &[Caller]) -> Vec<Place> {
    callers.iter().map(|caller| Place { user_id: caller.user.get(), calls: caller.calls }).collect()
}
