//! What the engine tests share.
#![allow(clippy::unwrap_used, reason = "tests stop where something fails")]
#![allow(dead_code, reason = "each test file uses its own part")]

use std::{sync::Arc, time::Duration};

#[allow(unused_imports, reason = "each test file uses its own part")]
pub(crate) use tollbar_contract::epoch;
use tollbar_core::{
    domain::{
        ApiName, Policy, PolicyName, Quota, Secret, Session, SessionSet, SessionToken, TokenKey, UserId,
        Verifier, Version, Window,
    },
    ports::{ManualClock, Published, SessionCache},
};
use tollbar_redis::{RedisLive, RedisOptions};
use tollbar_testkit::RedisPrefix;

/// A live tier under a prefix of its own.
pub(crate) struct Fixture {
    pub(crate) live: RedisLive,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) prefix: RedisPrefix,
}

/// On the shared engine, with a clock that the test sets.
pub(crate) async fn fixture() -> Fixture {
    let prefix = RedisPrefix::new();
    let clock = Arc::new(ManualClock::new());
    let live = connect(prefix.url(), prefix.as_str()).await.with_test_clock(clock.clone());
    Fixture { live, clock, prefix }
}

pub(crate) async fn connect(url: &str, prefix: &str) -> RedisLive {
    RedisLive::connect(options(url, prefix)).await.unwrap()
}

pub(crate) fn options(url: &str, prefix: &str) -> RedisOptions {
    // The machine of a test may be busy with other tests.
    RedisOptions { prefix: prefix.into(), deadline: Duration::from_secs(2), ..RedisOptions::new(url) }
}

/// A connection beside the one that is tested.
pub(crate) fn beside(url: &str) -> redis::Connection {
    redis::Client::open(url).unwrap().get_connection().unwrap()
}

pub(crate) fn user(id: u64) -> UserId {
    UserId::new(id).unwrap()
}

pub(crate) fn api() -> ApiName {
    ApiName::new("ping").unwrap()
}

pub(crate) fn policy(windows: &[(u32, Duration)], cost: u32) -> Policy {
    let window =
        |&(quota, period): &(u32, Duration)| Window::new(Quota::new(quota).unwrap(), period).unwrap();
    let windows = windows.iter().map(window).collect();
    Policy::new(PolicyName::new("ping").unwrap(), api(), windows).unwrap().with_cost(cost).unwrap()
}

/// A set at `version` whose sessions are of these versions, with this time left.
pub(crate) fn set(version: u64, of: &[u64], remaining: Duration) -> SessionSet {
    let session = |&v: &u64| Session {
        version: Version::new(v),
        verifier: Verifier::from_bytes([v.to_be_bytes()[7]; 32]),
        remaining,
    };
    SessionSet { version: Version::new(version), sessions: of.iter().map(session).collect() }
}

/// How many scripts clients have sent to this engine: trips, as far as decisions go.
pub(crate) fn trips(redis: &tollbar_testkit::PrivateRedis) -> u64 {
    let stats: String = redis::cmd("INFO").arg("commandstats").query(&mut beside(&redis.url())).unwrap();
    let calls = |line: &str| line.split(['=', ',']).nth(1).and_then(|calls| calls.parse::<u64>().ok());
    let scripts = ["cmdstat_evalsha:", "cmdstat_eval:"];
    stats.lines().filter(|line| scripts.iter().any(|name| line.starts_with(name))).filter_map(calls).sum()
}

/// How often clients and scripts have run a command on this engine.
pub(crate) fn runs(redis: &tollbar_testkit::PrivateRedis, command: &str) -> u64 {
    let stats: String = redis::cmd("INFO").arg("commandstats").query(&mut beside(&redis.url())).unwrap();
    let line = stats.lines().find(|line| line.starts_with(&format!("cmdstat_{command}:")));
    line.and_then(|line| line.split(['=', ',']).nth(1)).map_or(0, |calls| calls.parse().unwrap())
}

/// A user with one session, which this is the token of.
pub(crate) async fn log_in(live: &RedisLive, id: u64) -> SessionToken {
    let secret = Secret::from_bytes([1; 32]);
    let token = TokenKey::from_bytes([42; 32]).issue(user(id), Version::new(1), secret);
    let set = set_of(&token);
    let ticket = live.change(user(id)).await.unwrap();
    assert_eq!(live.publish(user(id), &set, ticket).await.unwrap(), Published::Written);
    token
}

/// The set of this one session.
pub(crate) fn set_of(token: &SessionToken) -> SessionSet {
    let remaining = Duration::from_secs(1_800);
    let session = Session { version: token.version(), verifier: token.verifier(), remaining };
    SessionSet { version: token.version(), sessions: vec![session] }
}

/// The URL of sentinels that have the same password as the servers, which it must say.
pub(crate) fn with_sentinel_password(url: &str) -> String {
    let (before_host, _) = url.split_once('@').unwrap();
    let (_, password) = before_host.rsplit_once(':').unwrap();
    format!("{url}&sentinel_password={password}")
}

/// Waits until all servers answer, and tells how long that took at most.
pub(crate) async fn up_within(limit: Duration, live: &RedisLive) {
    let up = async {
        while tollbar_core::ports::HealthCheck::check(live).await.is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(limit, up).await.expect("Redis is up");
}

/// How often a server has answered with errors that begin so.
pub(crate) fn errors(redis: &tollbar_testkit::PrivateRedis, code: &str) -> u64 {
    let stats: String = redis::cmd("INFO").arg("errorstats").query(&mut beside(&redis.url())).unwrap();
    let line = stats.lines().find(|line| line.starts_with(&format!("errorstat_{code}:")));
    line.and_then(|line| line.split('=').nth(1)).map_or(0, |count| count.parse().unwrap())
}
