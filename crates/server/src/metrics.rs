//! What is measured, in Prometheus' form. Each metric is recorded where it is known; this is what they all are.

use std::{sync::OnceLock, time::Duration};

use metrics::{describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

static METRICS: OnceLock<PrometheusHandle> = OnceLock::new();

/// From a tenth of a millisecond, for a trip to an engine nearby, to what outlasts every deadline but that of the ledger.
const SECONDS: [f64; 14] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];
const CALLS: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// What was recorded is only kept for ever once it is put together.
const UPKEEP: Duration = Duration::from_secs(5);

const COUNTERS: [(&str, &str); 10] = [
    ("tollbar_http_requests_total", "Requests answered, by the route's template, method and status."),
    (
        "tollbar_decisions_total",
        "Calls by policy and outcome: admitted, limited, repeated (denied from memory), refused (no live session), failed; and \
         shadowed, which would have been denied.",
    ),
    (
        "tollbar_session_lookups_total",
        "Look-ups of sessions in the live tier: hit, miss, or failed. A miss is asked of the durable tier.",
    ),
    (
        "tollbar_session_changes_unconfirmed_total",
        "Logins and logouts that stand, and that the live tier was not known to have heard of when they were answered: another \
         process may believe a session that has ended for session.cache_ttl.",
    ),
    (
        "tollbar_deny_cache_lookups_total",
        "Look-ups among those who are known to be over a limit: a hit is denied from memory, a miss is asked of the live tier.",
    ),
    ("tollbar_engine_failures_total", "Calls to an engine that failed, by operation and kind."),
    ("tollbar_counts_flushed_calls_total", "Calls that this process has put into the ledger."),
    (
        "tollbar_counts_adopted_calls_total",
        "Calls of processes that died, which this one has put into the ledger.",
    ),
    (
        "tollbar_bcrypt_turned_away_total",
        "Signups and logins turned away because too many passwords waited to be hashed.",
    ),
    (
        "tollbar_trace_spans_total",
        "Spans that were on their way to the collector: sent, or lost because it did not take them.",
    ),
];
const GAUGES: [(&str, &str); 9] = [
    ("tollbar_breaker_open", "Whether calls to an engine are refused, because it does not answer."),
    (
        "tollbar_engine_calls_in_flight",
        "Calls that an engine is at, or that wait for one of its connections; a batch is one call.",
    ),
    ("tollbar_pool_connections", "Connections that an engine's pool has at most; calls beyond that wait."),
    ("tollbar_gate_queue_calls", "Calls that wait for the batch before theirs, by lane."),
    (
        "tollbar_counts_pending_callers",
        "Callers whose calls wait for the ledger; more than a moment's means that it is away.",
    ),
    (
        "tollbar_counts_flush_timestamp_seconds",
        "When this process looked last for calls to put into the ledger.",
    ),
    (
        "tollbar_counts_behind",
        "Whether the live counts may lack calls, so that /top and /count are the ledger's.",
    ),
    ("tollbar_bcrypt_queue_hashes", "Passwords that are hashed or wait for it."),
    ("tollbar_build_info", "1, with the version that runs."),
];
const HISTOGRAMS: [(&str, &str); 3] = [
    (
        "tollbar_http_request_duration_seconds",
        "From a request's head to its answer, by the route's template and method.",
    ),
    (
        "tollbar_engine_call_duration_seconds",
        "Calls to an engine, waiting for a connection included, by operation.",
    ),
    ("tollbar_gate_batch_calls", "Calls that shared a trip to Redis."),
];

/// Begins to record. Before anything that records is made: what is made without a recorder records nothing. A second call, as tests make
/// it, changes nothing.
///
/// # Errors
/// Another library has taken the recorder of this process.
pub fn start() -> Result<(), BuildError> {
    if METRICS.get().is_some() {
        return Ok(());
    }
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?
        .set_buckets_for_metric(Matcher::Suffix("_calls".to_owned()), &CALLS)?
        .install_recorder()?;
    for (name, help) in COUNTERS {
        describe_counter!(name, help);
    }
    for (name, help) in GAUGES {
        describe_gauge!(name, help);
    }
    for (name, help) in HISTOGRAMS {
        describe_histogram!(name, help);
    }
    gauge!("tollbar_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    METRICS.get_or_init(|| handle);
    Ok(())
}

/// All of them, as text; nothing before [`start`].
pub(crate) fn text() -> String {
    METRICS.get().map(PrometheusHandle::render).unwrap_or_default()
}

/// Keeps what is recorded in bounds while nobody reads it; for ever.
pub(crate) async fn keep_up() {
    let Some(metrics) = METRICS.get() else { return std::future::pending().await };
    loop {
        tokio::time::sleep(UPKEEP).await;
        metrics.run_upkeep();
    }
}
