//! What a [`RateLimiter`](tollbar_core::ports::RateLimiter) promises of policies that choose buckets: what [`GcraLog`] says, to the
//! microsecond.

use std::{sync::Arc, time::Duration};

use proptest::{
    collection::vec,
    prelude::{Just, Strategy},
    prop_oneof,
    test_runner::{Config, TestCaseError, TestRunner},
};
use tokio::runtime::Handle;
use tollbar_core::domain::{ApiName, GcraLog, Policy, PolicyName, Quota, Subject, Window};

use crate::{
    RateLimiterHarness,
    rate_limiter::{policy, secs, user, violated},
    together,
};

const SCHEDULES: u32 = 60;
const MICRO: Duration = Duration::from_micros(1);

/// A policy of buckets `(quota, period)`.
pub(crate) fn buckets(name: &str, windows: &[(u32, Duration)]) -> Policy {
    let window =
        |&(quota, period): &(u32, Duration)| Window::new(Quota::new(quota).unwrap(), period).unwrap();
    let (name, api) = (PolicyName::new(name).unwrap(), ApiName::new("ping").unwrap());
    Policy::gcra(name, api, windows.iter().map(window).collect()).unwrap()
}

/// One step of a schedule.
#[derive(Debug, Clone)]
enum Step {
    Pass(Duration),
    Back(Duration),
    /// By one of the policies, at this part of its smallest quota.
    Call(usize, u32),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let span = || prop_oneof![(0_u64..9_000_000).prop_map(Duration::from_micros), Just(MICRO)];
    let step = prop_oneof![
        8 => (0_usize..4, prop_oneof![Just(1_000_000_u32), 1_u32..9]).prop_map(|(policy, part)| Step::Call(policy, part)),
        4 => span().prop_map(Step::Pass),
        1 => span().prop_map(Step::Back),
    ];
    vec(step, 1..60)
}

/// Two of one name, whose windows differ in number, quota and period.
fn policies() -> Vec<Policy> {
    vec![
        buckets("changing", &[(7, secs(3)), (1_000_003, secs(60))]),
        buckets("changing", &[(5, secs(4))]),
        buckets("three", &[(3, secs(1)), (10, secs(7)), (11, secs(9))]),
        buckets("large", &[(1_000_000_000, secs(86_400))]),
    ]
}

async fn run(harness: &impl RateLimiterHarness, subject: Subject, steps: Vec<Step>) -> Result<(), String> {
    let (limiter, clock, policies) = (harness.rate_limiter(), harness.clock(), policies());
    let mut logs = [GcraLog::default(), GcraLog::default(), GcraLog::default()];
    for step in steps {
        match step {
            Step::Pass(span) => harness.pass(span),
            // A spent log may have been dropped already, and then nothing is known of how far it was ahead.
            Step::Back(_)
                if logs.iter().any(|log| *log != GcraLog::default() && log.is_spent(clock.now())) => {}
            Step::Back(span) => harness.step_back(span),
            Step::Call(at, part) => {
                let smallest = policies[at].windows().iter().map(Window::quota).min().unwrap_or(1);
                let policy = policies[at].clone().with_cost((smallest / part).max(1)).unwrap();
                let log = &mut logs[[0, 0, 1, 2][at]];
                let peeked = limiter.peek(&policy, subject).await.unwrap();
                let expected = log.peek(&policy, clock.now());
                if peeked != expected {
                    return Err(format!("a peek says {peeked:?}, not {expected:?}"));
                }
                let decided = limiter.decide(&policy, subject).await.unwrap();
                let expected = log.decide(&policy, clock.now());
                if decided != expected {
                    return Err(format!("a decision says {decided:?}, not {expected:?}"));
                }
            }
        }
    }
    Ok(())
}

suite! {
    ($) rate_limiter_gcra_suite, rate_limiter_gcra, RateLimiterHarness;

    /// A burst of the quota, then a unit as each has refilled and not a microsecond before; a denied call spends nothing.
    async fn a_bucket_refills_evenly(harness) {
        let (limiter, four) = (harness.rate_limiter(), buckets("four", &[(4, secs(10))]));
        for remaining in (0..4).rev() {
            let decision = limiter.decide(&four, user(1).into()).await.unwrap();
            assert_eq!((decision.allowed(), decision.windows[0].remaining), (true, remaining));
        }
        for _ in 0..20 {
            let denied = limiter.decide(&four, user(1).into()).await.unwrap();
            assert_eq!((violated(&denied), denied.retry_after()), (vec![4], Duration::from_millis(2_500)));
        }
        harness.pass(Duration::from_millis(2_500).saturating_sub(MICRO));
        assert_eq!(limiter.decide(&four, user(1).into()).await.unwrap().retry_after(), MICRO);
        harness.pass(MICRO);
        assert!(limiter.decide(&four, user(1).into()).await.unwrap().allowed());
        assert!(!limiter.decide(&four, user(1).into()).await.unwrap().allowed());
    }

    /// The last unit of a quota fits, also where a part of the period has no exact number.
    async fn the_last_unit_of_a_quota_fits(harness) {
        let limiter = harness.rate_limiter();
        for quota in [3, 7, 49, 98, 107] {
            let policy = buckets(&format!("q{quota}"), &[(quota, secs(1))]);
            for left in (0..quota).rev() {
                assert!(limiter.peek(&policy, user(1).into()).await.unwrap().allowed(), "{quota}: {left}");
                let decision = limiter.decide(&policy, user(1).into()).await.unwrap();
                assert_eq!((decision.allowed(), decision.windows[0].remaining), (true, left), "{quota}");
            }
            assert!(!limiter.peek(&policy, user(1).into()).await.unwrap().allowed());
        }
    }

    /// A quota of a million is decided at once, by cost, and by many at the same time.
    async fn a_large_quota_is_held(harness) {
        let (limiter, million) = (harness.rate_limiter(), buckets("million", &[(1_000_000, secs(3_600))]));
        let dear = million.with_cost(99_999).unwrap();
        let admitted = together(40, |_| {
            let (limiter, dear) = (limiter.clone(), dear.clone());
            async move { limiter.decide(&dear, user(1).into()).await.unwrap().allowed() }
        })
        .await;
        assert_eq!(admitted.iter().filter(|allowed| **allowed).count(), 10);
        assert_eq!(limiter.peek(&dear, user(1).into()).await.unwrap().windows[0].remaining, 10);
    }

    /// A policy that changes its algorithm begins anew, and finds the other's state when it changes back.
    async fn the_states_of_both_algorithms_are_kept_apart(harness) {
        let limiter = harness.rate_limiter();
        let (units, bucket) = (policy("p", &[(1, secs(60))]), buckets("p", &[(1, secs(60))]));
        for _ in 0..2 {
            let expected = limiter.peek(&units, user(1).into()).await.unwrap().allowed();
            for policy in [&units, &bucket] {
                assert_eq!(limiter.decide(policy, user(1).into()).await.unwrap().allowed(), expected);
            }
        }
        harness.pass(secs(60));
        for policy in [&units, &bucket] {
            assert!(limiter.decide(policy, user(1).into()).await.unwrap().allowed());
        }
    }

    /// Whatever the schedule, and wherever the clock steps: each answer is that of [`GcraLog`].
    async fn any_schedule_is_decided_as_the_domain_decides_it(harness) {
        let runtime = Handle::current();
        let harness = Arc::new(harness);
        let explored = tokio::task::spawn_blocking(move || {
            let config = Config { cases: SCHEDULES, failure_persistence: None, ..Config::default() };
            let mut next = 0_u64;
            let next = std::sync::Mutex::new(&mut next);
            let outcome = TestRunner::new(config).run(&steps(), |steps| {
                // Every schedule has a subject of its own: a user, or what is none.
                let number = {
                    let mut next = next.lock().unwrap();
                    **next += 1;
                    **next
                };
                let subject = if number.is_multiple_of(2) {
                    user(number).into()
                } else {
                    Subject::header("x-api-key", Some(&number.to_be_bytes()))
                };
                runtime.block_on(run(&*harness, subject, steps)).map_err(TestCaseError::fail)
            });
            outcome.unwrap_or_else(|failure| panic!("{failure}"));
        });
        explored.await.expect("every schedule keeps the promise");
    }
}
