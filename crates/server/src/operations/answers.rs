//! What operators are told, in the one shape that the operator listener and `--json` share. Times are RFC 3339 in UTC.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tollbar_core::domain::{Caller, Decision, Policy, Timestamp, WindowState};

/// Which process it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct About {
    /// Its version.
    pub(crate) version: String,
    /// Which installation it serves: the same for all processes on one database.
    pub(crate) installation: String,
    /// Where it keeps live things: `memory` or `redis`.
    pub(crate) live: String,
}

/// Who called, or was limited, most; the shape of `GET /top?window=…`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TopAnswer {
    pub(crate) api: String,
    pub(crate) window: String,
    /// When the window began; all time has no beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) from: Option<String>,
    pub(crate) by: String,
    pub(crate) top: Vec<Place>,
    /// By how much each number may be too low.
    pub(crate) max_error: u64,
    /// Whether it is older than it should be.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) stale: bool,
}

/// A place on a leaderboard.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Place {
    pub(crate) user_id: u64,
    pub(crate) calls: u64,
}

impl From<&Caller> for Place {
    fn from(caller: &Caller) -> Self {
        Self { user_id: caller.user.get(), calls: caller.calls }
    }
}

/// An account.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AccountAnswer {
    pub(crate) id: u64,
    pub(crate) username: String,
    pub(crate) created_at: String,
    pub(crate) live_sessions: usize,
    /// Admitted calls that are in the ledger.
    pub(crate) calls: Vec<ApiCalls>,
}

/// Calls to one API.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ApiCalls {
    pub(crate) api: String,
    pub(crate) calls: u64,
}

/// The live sessions of an account.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SessionsAnswer {
    pub(crate) id: u64,
    pub(crate) username: String,
    pub(crate) sessions: Vec<SessionAnswer>,
}

/// A live session: nothing by which it could be used.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SessionAnswer {
    /// Its number among the user's sessions; proxies tell it to applications as `X-Tollbar-Session`.
    pub(crate) session: u64,
    /// `null`: it was opened by a version that did not note it.
    pub(crate) opened_at: Option<String>,
    pub(crate) expires_at: String,
}

/// The end of an account's sessions.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LogoutAnswer {
    pub(crate) id: u64,
    pub(crate) username: String,
    /// How many sessions have ended.
    pub(crate) ended: usize,
    /// Whether the live tier is known to have heard of it.
    pub(crate) confirmed: bool,
}

/// Limits that were reset.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ResetAnswer {
    /// How many states that still held anything were forgotten, one for each policy and path.
    pub(crate) reset: u64,
    /// For how many seconds processes that were not asked may go on to deny from memory; `null` where there are none.
    pub(crate) others_deny_for: Option<f64>,
}

/// How the windows of a policy stand.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PeekAnswer {
    pub(crate) windows: Vec<WindowAnswer>,
}

/// How a window stands, in microseconds.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WindowAnswer {
    remaining: u32,
    reset_after: u64,
    retry_after: u64,
}

impl PeekAnswer {
    pub(crate) fn new(decision: &Decision) -> Self {
        let micros = |span: Duration| u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
        let window = |state: &WindowState| WindowAnswer {
            remaining: state.remaining,
            reset_after: micros(state.reset_after),
            retry_after: micros(state.retry_after),
        };
        Self { windows: decision.windows.iter().map(window).collect() }
    }

    /// The decision that it tells of; the time of it is not told.
    pub(crate) fn decision(&self, policy: &Policy) -> Decision {
        let state = |(window, told): (&tollbar_core::domain::Window, &WindowAnswer)| WindowState {
            window: *window,
            remaining: told.remaining,
            reset_after: Duration::from_micros(told.reset_after),
            retry_after: Duration::from_micros(told.retry_after),
        };
        let windows = policy.windows().iter().zip(&self.windows).map(state).collect();
        Decision { at: Timestamp::default(), windows, repeated: false }
    }
}

/// RFC 3339 in UTC; a clock beyond the year 9999 is held there.
pub(super) fn rfc3339(at: Timestamp) -> String {
    let micros = i64::try_from(at.as_micros()).unwrap_or(i64::MAX);
    jiff::Timestamp::from_microsecond(micros).unwrap_or(jiff::Timestamp::MAX).to_string()
}
