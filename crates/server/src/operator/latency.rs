//! How long answers and calls to engines take: percentiles of the last minute, out of the histograms that are measured anyway.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tollbar_core::{
    domain::Timestamp,
    ports::{Clock as _, SystemClock},
};

use super::exposition;
use crate::metrics;

/// Of what length the past is told.
const SPAN: Duration = Duration::from_secs(60);
/// How often what was measured is remembered.
const EVERY: Duration = Duration::from_secs(5);

/// Of routes, and of engines, those that cost most.
const MOST: usize = 8;

/// What was measured so far: by series, how many took no longer than each bound in seconds.
type Histograms = BTreeMap<String, Vec<(f64, f64)>>;

/// The measurements of a moment ago, to tell what came since.
#[derive(Default)]
pub(crate) struct Latencies {
    former: Mutex<VecDeque<(Timestamp, Histograms)>>,
}

/// How long one thing took.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Latency {
    /// What did: a route with its method, or an engine with an operation.
    pub(crate) of: String,
    /// How often it was done.
    pub(crate) times: f64,
    /// Half of them, 90 % and 99 % took no longer than so many seconds.
    pub(crate) seconds: [f64; 3],
}

const QUANTILES: [f64; 3] = [0.5, 0.9, 0.99];

impl Latencies {
    /// Remembers what was measured, for ever.
    pub(crate) async fn keep_up(&self) {
        loop {
            self.remember(&metrics::text(), SystemClock.steady());
            tokio::time::sleep(EVERY).await;
        }
    }

    fn remember(&self, metrics: &str, now: Timestamp) {
        let mut all = routes(metrics);
        all.extend(engines(metrics));
        let mut former = self.former.lock().unwrap_or_else(PoisonError::into_inner);
        former.push_back((now, all));
        // The last one that is older than the span stays, for it is what the span is counted from.
        while former.get(1).is_some_and(|(at, _)| now.since(*at) >= SPAN) {
            former.pop_front();
        }
    }

    /// Those of the last minute, give or take what passes between two that are remembered: routes, then engines, of either what takes longest in
    /// all first.
    pub(crate) fn look(&self, metrics: &str) -> Vec<Latency> {
        let (mut all, engines) = (routes(metrics), engines(metrics));
        let is_engine: BTreeSet<_> = engines.keys().cloned().collect();
        all.extend(engines);
        let former = self.former.lock().unwrap_or_else(PoisonError::into_inner);
        let none = Histograms::new();
        let since = former.front().map_or(&none, |(_, histograms)| histograms);
        let mut latencies: Vec<_> =
            all.iter().filter_map(|(of, now)| latency(of, now, since.get(of))).collect();
        let weight = |latency: &Latency| latency.seconds[0] * latency.times;
        latencies.sort_by(|a, b| weight(b).total_cmp(&weight(a)));
        let (engines, mut told): (Vec<_>, Vec<_>) =
            latencies.into_iter().partition(|latency| is_engine.contains(&latency.of));
        told.truncate(MOST);
        told.extend(engines.into_iter().take(MOST));
        told
    }
}

fn routes(metrics: &str) -> Histograms {
    measured(metrics, "tollbar_http_request_duration_seconds", &["method", "route"])
}

fn engines(metrics: &str) -> Histograms {
    measured(metrics, "tollbar_engine_call_duration_seconds", &["engine", "operation"])
}

fn measured(metrics: &str, name: &str, labels: &[&str]) -> Histograms {
    let mut histograms = Histograms::new();
    for sample in exposition::samples(metrics, &format!("{name}_bucket")) {
        let of: Vec<_> = labels.iter().filter_map(|label| sample.label(label)).collect();
        let bound = sample.label("le").and_then(|bound| bound.parse().ok());
        if let Some(bound) = bound {
            let buckets: &mut Vec<(f64, f64)> = histograms.entry(of.join(" ")).or_default();
            // Series that differ by status are one here.
            match buckets.iter_mut().find(|(known, _)| known.total_cmp(&bound).is_eq()) {
                Some((_, count)) => *count += sample.value,
                None => buckets.push((bound, sample.value)),
            }
        }
    }
    histograms
}

fn latency(of: &str, now: &[(f64, f64)], since: Option<&Vec<(f64, f64)>>) -> Option<Latency> {
    let before = |at: usize| since.and_then(|since| since.get(at)).map_or(0.0, |(_, count)| *count);
    let buckets = now.iter().enumerate().map(|(at, (bound, count))| (*bound, count - before(at)));
    let buckets: Vec<_> = buckets.collect();
    let times = buckets.last().map(|(_, count)| *count).filter(|times| *times > 0.0)?;
    let seconds = QUANTILES.map(|quantile| quantile_of(&buckets, quantile * times));
    Some(Latency { of: of.to_owned(), times, seconds })
}

/// As Prometheus estimates it (`histogram_quantile`): evenly spread within a bucket, and the last bound for what is beyond it.
fn quantile_of(buckets: &[(f64, f64)], rank: f64) -> f64 {
    let (mut from, mut below) = (0.0, 0.0);
    for &(bound, count) in buckets {
        if count >= rank {
            let within = count - below;
            let is_spread = bound.is_finite() && within > 0.0;
            return if is_spread { from + (bound - from) * (rank - below) / within } else { from };
        }
        (from, below) = (bound, count);
    }
    from
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured_so(counts: [u64; 3]) -> String {
        let [fast, slow, all] = counts;
        format!(
            "# TYPE tollbar_http_request_duration_seconds histogram\n\
             tollbar_http_request_duration_seconds_bucket{{method=\"GET\",route=\"/ping\",le=\"0.01\"}} {fast}\n\
             tollbar_http_request_duration_seconds_bucket{{method=\"GET\",route=\"/ping\",le=\"0.1\"}} {slow}\n\
             tollbar_http_request_duration_seconds_bucket{{method=\"GET\",route=\"/ping\",le=\"+Inf\"}} {all}\n\
             tollbar_http_request_duration_seconds_sum{{method=\"GET\",route=\"/ping\"}} 7.5\n"
        )
    }

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn quantiles_are_those_of_prometheus() {
        let latencies = Latencies::default().look(&measured_so([50, 90, 100]));
        let [Latency { of, times, seconds: [half, most, nearly_all] }] = &latencies[..] else {
            panic!("{latencies:?}")
        };
        assert_eq!((of.as_str(), times.to_string().as_str()), ("GET /ping", "100"));
        assert!((half - 0.01).abs() < 1e-9 && (most - 0.1).abs() < 1e-9, "{latencies:?}");
        assert!((nearly_all - 0.1).abs() < 1e-9, "beyond the last bound nothing is known");
    }

    #[test]
    fn engines_come_after_routes_and_statuses_are_one() {
        let of_engine = measured_so([1, 1, 900])
            .replace("http_request", "engine_call")
            .replace("method=\"GET\",route=\"/ping\"", "engine=\"redis\",operation=\"admit\"");
        let denied = measured_so([0, 4, 4]).replace("route=", "status=\"429\",route=");
        let told = Latencies::default().look(&(of_engine + &denied + &measured_so([1, 1, 1])));
        let of: Vec<_> =
            told.iter().map(|latency| (latency.of.as_str(), latency.times.to_string())).collect();
        assert_eq!(of, [("GET /ping", "5".to_owned()), ("redis admit", "900".to_owned())]);
    }

    #[test]
    fn what_is_older_than_a_minute_is_not_told() {
        let latencies = Latencies::default();
        let times = |counts| {
            let told = latencies.look(&measured_so(counts));
            told.first().map_or(0.0, |latency| latency.times).to_string()
        };
        for (second, count) in [(0, 0), (5, 8), (60, 9), (64, 9)] {
            latencies.remember(&measured_so([count; 3]), at(second));
        }
        assert_eq!(times([9; 3]), "9", "since the beginning, which was a minute ago");
        latencies.remember(&measured_so([9; 3]), at(65));
        assert_eq!(times([9; 3]), "1");
        latencies.remember(&measured_so([9; 3]), at(120));
        assert_eq!((times([9; 3]), times([12; 3])), ("0".to_owned(), "3".to_owned()));
    }
}
