//! What the dashboard shows, read of both tiers at once. What cannot be read is left out, and the rest is shown.

use futures_util::future::{join, join_all, join5};
use tollbar_core::{
    StoreError,
    domain::{ApiName, Ranking, Timestamp},
    ports::{Clock as _, SystemClock},
    usecases::{CallWindow, Distinct, RankedBy, ReadinessReport, Reading, Series, TOP_LIMIT, Windowed},
};

use super::{dashboard::Sources, exposition, latency::Latency};
use crate::metrics;

/// All of it; `None`: it is not known.
pub(crate) struct Numbers {
    pub(crate) at: Timestamp,
    pub(crate) readiness: ReadinessReport,
    /// Each breaker's engine and server, and whether it is open.
    pub(crate) breakers: Vec<(String, bool)>,
    pub(crate) live_sessions: Option<Reading<u64>>,
    pub(crate) series: Option<Windowed<Series>>,
    pub(crate) callers: Option<Windowed<Ranking>>,
    pub(crate) limited: Option<Windowed<Ranking>>,
    pub(crate) distinct: Vec<(CallWindow, Option<Windowed<Distinct>>)>,
    pub(crate) latencies: Vec<Latency>,
}

/// Reads it; nothing of calls where there is no API.
pub(crate) async fn read(sources: &Sources, api: Option<&ApiName>, window: CallWindow) -> Numbers {
    let analytics = &sources.analytics;
    let ranked = async |by| match api {
        Some(api) => known(analytics.top(api, window, by, TOP_LIMIT).await),
        None => None,
    };
    let series = async {
        match api {
            Some(api) => known(analytics.series(api, window, window.finest_step()).await),
            None => None,
        }
    };
    let distinct = async {
        let Some(api) = api else { return Vec::new() };
        let of = |window| async move { (window, known(analytics.distinct(api, window).await)) };
        join_all(CallWindow::ALL.map(of)).await
    };
    let calls = join5(
        series,
        ranked(RankedBy::Calls),
        ranked(RankedBy::Limited),
        distinct,
        sources.live_sessions.count(),
    );
    let ((series, callers, limited, distinct, live_sessions), readiness) =
        join(calls, sources.readiness.call()).await;
    let metrics = metrics::text();
    let breakers = exposition::samples(&metrics, "tollbar_breaker_open").map(|sample| {
        let name = [sample.label("engine"), sample.label("server")].map(Option::unwrap_or_default).join(" ");
        (name.trim().to_owned(), sample.value > 0.0)
    });
    Numbers {
        at: SystemClock.now(),
        readiness,
        breakers: breakers.collect(),
        live_sessions: known(live_sessions),
        series,
        callers,
        limited,
        distinct,
        latencies: sources.latencies.look(&metrics),
    }
}

/// Why it is not known is in the log and in the state of the dependencies.
fn known<T>(read: Result<T, StoreError>) -> Option<T> {
    read.inspect_err(|error| tracing::debug!(?error, "the dashboard lacks a number")).ok()
}
