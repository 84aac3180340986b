//! What a [`RateLimiter`](tollbar_core::ports::RateLimiter) promises over any schedule of calls.

use std::{sync::Arc, time::Duration};

use proptest::{
    collection::vec,
    prelude::{Just, Strategy},
    prop_oneof,
    test_runner::{Config, TestCaseError, TestRunner},
};
use tokio::runtime::Handle;
use tollbar_core::domain::{Decision, Policy, Timestamp};

use crate::{
    RateLimiterHarness,
    rate_limiter::{policy, secs, user},
};

const SCHEDULES: u32 = 60;
const MICRO: Duration = Duration::from_micros(1);

/// One step of a schedule.
#[derive(Debug, Clone)]
enum Step {
    /// Time passes.
    Pass(Duration),
    /// The clock steps back.
    Back(Duration),
    /// A call of this cost, clipped to the policy.
    Call(u32),
    /// As much time as the last denial said, less a microsecond; a call; the microsecond; a call.
    Wait,
}

fn span() -> impl Strategy<Value = Duration> {
    prop_oneof![
        (0_u64..20_000_000).prop_map(Duration::from_micros),
        (0_u64..12).prop_map(Duration::from_secs),
        Just(MICRO),
    ]
}

fn steps(back: bool) -> impl Strategy<Value = Vec<Step>> {
    let calm = prop_oneof![
        6 => (1_u32..4).prop_map(Step::Call),
        3 => span().prop_map(Step::Pass),
        1 => Just(Step::Wait),
    ];
    if back {
        vec(prop_oneof![9 => calm, 1 => span().prop_map(Step::Back)], 1..60).boxed()
    } else {
        vec(calm, 1..60).boxed()
    }
}

fn windows() -> impl Strategy<Value = Vec<(u32, Duration)>> {
    vec((1_u32..8, (1_u64..15).prop_map(Duration::from_secs)), 1..4)
}

/// An account of what was admitted that is too simple to be wrong.
#[derive(Default)]
struct Ledger {
    units: Vec<Timestamp>,
}

impl Ledger {
    fn step_back(&mut self, now: Timestamp) {
        for unit in &mut self.units {
            *unit = (*unit).min(now);
        }
    }

    /// Units in `(now − period, now]`.
    fn held(&self, period: Duration, now: Timestamp) -> u32 {
        let held = self.units.iter().filter(|&&unit| now.since(unit) < period).count();
        u32::try_from(held).expect("a schedule is short")
    }

    fn admits(&self, policy: &Policy, now: Timestamp) -> bool {
        policy.windows().iter().all(|w| self.held(w.period(), now) + policy.cost() <= w.quota())
    }
}

fn check(ledger: &mut Ledger, policy: &Policy, decision: &Decision) -> Result<(), String> {
    let now = decision.at;
    ledger.step_back(now);
    if decision.allowed() != ledger.admits(policy, now) {
        return Err(format!("{decision:?} with {:?} admitted before", ledger.units));
    }
    if decision.allowed() {
        ledger.units.extend(std::iter::repeat_n(now, policy.cost() as usize));
    }
    for state in &decision.windows {
        let held = ledger.held(state.window.period(), now);
        if held > state.window.quota() || state.remaining != state.window.quota() - held {
            return Err(format!("{state:?} while {held} are held"));
        }
    }
    Ok(())
}

async fn play<H: RateLimiterHarness>(
    harness: &H,
    subject: u64,
    windows: &[(u32, Duration)],
    steps: &[Step],
) -> Result<(), String> {
    let limiter = harness.rate_limiter();
    let any = policy("random", windows);
    let most = windows.iter().map(|window| window.0).min().unwrap_or(1);
    let (mut ledger, mut last) = (Ledger::default(), None);
    for step in steps {
        match step {
            Step::Pass(span) => harness.pass(*span),
            Step::Back(span) => {
                harness.step_back(*span);
                last = None;
            }
            Step::Call(cost) => {
                let policy = any.clone().with_cost((*cost).min(most)).map_err(|error| error.to_string())?;
                let decision =
                    limiter.decide(&policy, user(subject)).await.map_err(|error| format!("{error:?}"))?;
                check(&mut ledger, &policy, &decision)?;
                last = (!decision.allowed()).then_some((policy, decision));
            }
            Step::Wait => {
                let Some((policy, denied)) = last.take() else { continue };
                let until = denied.at + denied.retry_after();
                let left = until.since(harness.clock().now());
                if left.is_zero() {
                    continue;
                }
                harness.pass(left.saturating_sub(MICRO));
                for expected in [false, true] {
                    let decision =
                        limiter.decide(&policy, user(subject)).await.map_err(|error| format!("{error:?}"))?;
                    check(&mut ledger, &policy, &decision)?;
                    if decision.allowed() != expected {
                        return Err(format!("{denied:?} named a wait that {decision:?} does not keep"));
                    }
                    harness.pass(MICRO);
                }
            }
        }
    }
    Ok(())
}

/// Plays random schedules, each for a user of its own, and shrinks one that fails.
fn explore<H: RateLimiterHarness>(harness: &Arc<H>, back: bool) {
    let config = Config { cases: SCHEDULES, failure_persistence: None, ..Config::default() };
    let subject = std::sync::atomic::AtomicU64::new(0);
    let outcome = TestRunner::new(config).run(&(windows(), steps(back)), |(windows, steps)| {
        let subject = subject.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
        let played = Handle::current().block_on(play(harness.as_ref(), subject, &windows, &steps));
        played.map_err(TestCaseError::fail)
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}

async fn explore_aside<H: RateLimiterHarness>(harness: H, back: bool) {
    let harness = Arc::new(harness);
    let aside = tokio::task::spawn_blocking(move || explore(&harness, back));
    aside.await.expect("every schedule keeps the promise");
}

suite! {
    ($) rate_limiter_random_suite, rate_limiter_random, RateLimiterHarness;

    /// Whatever the schedule: no window ever holds more than its quota, nothing is denied that would fit, a denied call spends
    /// nothing, and retry-after is exact on the decision's own time.
    async fn any_schedule_is_exact(harness) {
        explore_aside(harness, false).await;
    }

    /// The same where the clock steps back now and then.
    async fn any_schedule_is_exact_on_a_clock_that_steps_back(harness) {
        explore_aside(harness, true).await;
    }

    /// The same numbers on a user's second visit, long after: nothing is left of the first.
    async fn a_long_pause_leaves_a_clean_slate(harness) {
        let (limiter, three) = (harness.rate_limiter(), policy("three", &[(3, secs(10)), (5, secs(60))]));
        for _ in 0..2 {
            for remaining in (0..3).rev() {
                let decision = limiter.decide(&three, user(1)).await.unwrap();
                assert_eq!((decision.allowed(), decision.windows[0].remaining), (true, remaining));
            }
            harness.pass(secs(60));
        }
    }
}
