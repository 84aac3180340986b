//! The script of the limits against the rule that it must follow, on a real engine.
#![allow(clippy::unwrap_used, reason = "tests stop where something fails")]

mod common;

use std::time::Duration;

use common::{Fixture, api, beside, epoch, fixture, log_in, policy, user};
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, RngSeed, TestRunner},
};
use tollbar_core::{
    domain::{ExactLog, Policy, PolicyName},
    ports::{Clock, Crossing, OneTrip, RateLimiter},
};

#[derive(Debug, Clone)]
enum Step {
    Advance(Duration),
    Back(Duration),
    /// The number of the policy.
    Decide(usize),
    Peek(usize),
}

/// Times are whole multiples of this, or beside it by a microsecond, so that many steps fall on the edge of a window.
const HALF: Duration = Duration::from_micros(500);

fn span(halves: std::ops::Range<u32>) -> impl Strategy<Value = Duration> {
    let beside = prop_oneof![8 => Just(0), 1 => Just(1)];
    (halves, beside).prop_map(|(halves, beside)| halves * HALF + Duration::from_micros(beside))
}

fn policies() -> impl Strategy<Value = Vec<Policy>> {
    let windows = prop::collection::vec((1..8_u32, 2..80_u32), 1..4);
    let policy = (windows, 1..4_u32).prop_map(|(windows, cost)| {
        let windows: Vec<_> = windows.iter().map(|&(quota, halves)| (quota, halves * HALF)).collect();
        let least = windows.iter().map(|(quota, _)| *quota).min().unwrap();
        policy(&windows, cost.min(least))
    });
    prop::collection::vec(policy, 3)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..3_usize).prop_map(Step::Decide),
        2 => (0..3_usize).prop_map(Step::Peek),
        4 => span(0..18).prop_map(Step::Advance),
        1 => span(0..120).prop_map(Step::Advance),
        1 => span(0..60).prop_map(Step::Back),
    ]
}

/// 100 users take 100 steps each; policies of one name follow each other in any order, so quotas and periods fall and rise.
#[tokio::test]
async fn every_decision_is_the_one_of_the_exact_log() {
    let Fixture { live, clock, prefix: _prefix } = fixture().await;
    let mut runner = TestRunner::new(Config { rng_seed: RngSeed::Fixed(7), ..Config::default() });
    let (mut allowed, mut denied) = (0, 0);
    for id in 1..=100 {
        let policies = policies().new_tree(&mut runner).unwrap().current();
        let steps = prop::collection::vec(step(), 100).new_tree(&mut runner).unwrap().current();
        let mut log = ExactLog::default();
        for (number, step) in steps.iter().enumerate() {
            match *step {
                Step::Advance(span) => clock.advance(span),
                Step::Back(span) => clock.step_back(span),
                Step::Peek(at) => {
                    let expected = log.peek(&policies[at], clock.now());
                    assert_eq!(
                        live.peek(&policies[at], user(id).into()).await.unwrap(),
                        expected,
                        "{id} {number}"
                    );
                }
                Step::Decide(at) => {
                    let expected = log.decide(&policies[at], clock.now());
                    let decision = live.decide(&policies[at], user(id).into()).await.unwrap();
                    assert_eq!(decision, expected, "{id} {number} {policies:?}");
                    *if decision.allowed() { &mut allowed } else { &mut denied } += 1;
                }
            }
        }
    }
    assert!(allowed > 500 && denied > 500, "{allowed} allowed, {denied} denied");
}

#[tokio::test]
async fn a_full_log_of_the_largest_quota_is_kept_exactly() {
    let Fixture { live, clock, prefix: _prefix } = fixture().await;
    let policy =
        policy(&[(10_000, Duration::from_secs(400 * 24 * 60 * 60)), (2_000, Duration::from_secs(1))], 500);
    let mut log = ExactLog::default();
    for _ in 0..40 {
        let expected = log.decide(&policy, clock.now());
        assert_eq!(live.decide(&policy, user(1).into()).await.unwrap(), expected);
        clock.advance(Duration::from_micros(249_999));
    }
}

#[tokio::test]
async fn a_peek_writes_nothing_and_a_denial_neither() {
    let Fixture { live, clock, prefix } = fixture().await;
    let ping = policy(&[(1, Duration::from_secs(5))], 1);
    let mut side = beside(prefix.url());
    let key = format!("{prefix}:{{1}}:1");
    live.peek(&ping, user(1).into()).await.unwrap();
    let exists: bool = redis::cmd("EXISTS").arg(&key).query(&mut side).unwrap();
    assert!(!exists);
    assert!(live.decide(&ping, user(1).into()).await.unwrap().allowed());
    let read = |side: &mut redis::Connection| -> Vec<u8> { redis::cmd("GET").arg(&key).query(side).unwrap() };
    let before = read(&mut side);
    clock.advance(Duration::from_secs(1));
    assert!(!live.decide(&ping, user(1).into()).await.unwrap().allowed());
    clock.step_back(Duration::from_secs(3));
    live.peek(&ping, user(1).into()).await.unwrap();
    assert_eq!(read(&mut side), before);
    // Only a clock that stepped back makes a denial write.
    live.decide(&ping, user(1).into()).await.unwrap();
    assert_ne!(read(&mut side), before);
    // It lives as long as the unit matters; a clock that a test sets adds an hour.
    let ttl: i64 = redis::cmd("PTTL").arg(&key).query(&mut side).unwrap();
    assert!(ttl > 3_600_000 + 5_000 - 1_500, "{ttl}");
}

#[tokio::test]
async fn a_damaged_log_is_as_good_as_none() {
    let Fixture { live, prefix, .. } = fixture().await;
    let ping = policy(&[(1, Duration::from_secs(5))], 1);
    let mut side = beside(prefix.url());
    let key = |id| format!("{prefix}:{{{id}}}:{id}");
    redis::cmd("SET").arg(key(1)).arg("damaged").exec(&mut side).unwrap();
    redis::cmd("SADD").arg(key(2)).arg("another type").exec(&mut side).unwrap();
    for id in [1, 2] {
        assert!(live.peek(&ping, user(id).into()).await.unwrap().allowed());
        assert!(live.decide(&ping, user(id).into()).await.unwrap().allowed());
        assert!(!live.decide(&ping, user(id).into()).await.unwrap().allowed());
    }
}

/// On the engine's own clock: 64 at once, and just the quota gets through.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_concurrency_admits_more_than_the_quota() {
    let prefix = tollbar_testkit::RedisPrefix::new();
    let live = common::connect(prefix.url(), prefix.as_str()).await;
    let ten = policy(&[(10, Duration::from_secs(60)), (20, Duration::from_secs(90))], 1);
    let calls = (0..64).map(|_| {
        let (live, ten) = (live.clone(), ten.clone());
        tokio::spawn(async move { live.decide(&ten, user(1).into()).await.unwrap().allowed() })
    });
    let mut allowed = 0;
    for call in calls.collect::<Vec<_>>() {
        allowed += u32::from(call.await.unwrap());
    }
    assert_eq!(allowed, 10);
}

/// A policy that is used no more, or a user who seldom calls under it, takes no room from the rest.
#[tokio::test]
async fn a_log_that_does_no_more_is_cleared_away() {
    let Fixture { live, clock, prefix } = fixture().await;
    let token = log_in(&live, 1).await;
    let named = |name, seconds| {
        let window = policy(&[(5, Duration::from_secs(seconds))], 1).windows().to_vec();
        Policy::new(PolicyName::new(name).unwrap(), api(), window).unwrap()
    };
    let (brief, long) = (named("brief", 1), named("long", 60));
    for policy in [&long, &brief, &long] {
        assert!(matches!(live.admit(&token, policy, epoch()).await.unwrap(), Crossing::Admitted(_)));
    }
    let holds = |name: &str| {
        let key = format!("{prefix}:{{1}}:1");
        let record: Vec<u8> = redis::cmd("GET").arg(key).query(&mut beside(prefix.url())).unwrap();
        record.windows(name.len()).any(|part| part == name.as_bytes())
    };
    assert!(holds("brief") && holds("long"));
    clock.advance(Duration::from_secs(1));
    assert!(matches!(live.admit(&token, &long, epoch()).await.unwrap(), Crossing::Admitted(_)));
    assert!(!holds("brief") && holds("long"));
}
