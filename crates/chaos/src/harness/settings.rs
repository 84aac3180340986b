//! How the processes of a stage are configured, and what of it the checker has to know.

use std::time::Duration;

use super::clock::micros;
use super::options::Pace;
use super::plan::{CLAIM, StagePlan};
use crate::history::{Api, Terms, Window};

const CACHE_TTL: Duration = Duration::from_secs(5);

/// Quota, and period in seconds, of each policy's windows.
fn windows(api: Api) -> &'static [(usize, u64)] {
    match api {
        Api::Closed => &[(4, 1), (25, 15)],
        Api::Wide => &[(10_000, 60)],
        Api::Open | Api::Local => &[(5, 2)],
    }
}

/// The configuration file: policies do not come from the environment.
pub(super) fn policies() -> String {
    let policy = |api: Api| {
        let name = api.name();
        let on_outage = match api {
            Api::Closed | Api::Wide => "closed",
            Api::Open => "open",
            Api::Local => "local",
        };
        let window =
            |(quota, period): &(usize, u64)| format!("{{ quota = {quota}, period = \"{period}s\" }}");
        let windows: Vec<_> = windows(api).iter().map(window).collect();
        format!(
            "[[policies]]\nname = \"{name}\"\npath = \"/{name}\"\non_outage = \"{on_outage}\"\nwindows = [{}]\n\n",
            windows.join(", ")
        )
    };
    Api::ALL.map(policy).concat()
}

/// The settings of a process with these engines, as environment variables.
pub(super) fn variables(
    stage: &StagePlan,
    pace: &Pace,
    redis: &str,
    postgres: &str,
) -> Vec<(String, String)> {
    let time = |time: Duration| format!("{}ms", time.as_millis());
    let settings = [
        ("SERVER__WORKERS", "2".to_owned()),
        ("ADMIN__BIND", "127.0.0.1:0".to_owned()),
        ("DATABASE__URL", postgres.to_owned()),
        ("DATABASE__POOL_SIZE", "8".to_owned()),
        ("DATABASE__DEADLINE", time(pace.postgres_deadline)),
        ("DATABASE__CLAIM", time(CLAIM)),
        ("REDIS__URL", redis.to_owned()),
        ("REDIS__DEADLINE", time(pace.redis_deadline)),
        ("SESSION__TTL", time(stage.session_ttl)),
        ("SESSION__CACHE_TTL", time(CACHE_TTL)),
        ("PASSWORD__BCRYPT_COST", "4".to_owned()),
        ("PING__DELAY", "0s".to_owned()),
        ("GATE__DENY_CACHE", if stage.deny_cache { "65536" } else { "0" }.to_owned()),
        ("COUNTS__FLUSH", time(stage.flush)),
        ("LOG__FORMAT", "json".to_owned()),
    ];
    let settings = settings.into_iter().map(|(name, value)| (format!("TOLLBAR__{name}"), value));
    let bug = stage.bug.map(|bug| ("TOLLBAR_SABOTAGE".to_owned(), bug.name().to_owned()));
    settings.chain(bug).collect()
}

/// The same for the checker.
pub(super) fn terms(stage: &StagePlan, pace: &Pace) -> Terms {
    let window = |(quota, period): &(usize, u64)| Window { quota: *quota, period: period * 1_000_000 };
    Terms {
        processes: stage.processes,
        cache_ttl: micros(CACHE_TTL),
        session_ttl: micros(stage.session_ttl),
        flush: micros(stage.flush),
        redis_deadline: micros(pace.redis_deadline),
        postgres_deadline: micros(pace.postgres_deadline),
        deny_cache: stage.deny_cache,
        windows: Api::ALL.map(|api| windows(api).iter().map(window).collect()),
        slack: micros(pace.slack),
    }
}
