//! What a [`RateLimiter`](tollbar_core::ports::RateLimiter) promises over any schedule of calls.

use std::{sync::Arc, time::Duration};

use proptest::{
    collection::vec,
    prelude::{Just, Strategy},
    prop_oneof,
    test_runner::{Config, TestCaseError, TestRunner},
};
use tokio::runtime::Handle;
use tollbar_core::domain::{Decision, Policy};

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

/// An account of what was admitted that is too simple to be wrong. It goes by the time that really passed, which is the engine's
/// time as long as the engine's clock does not step back.
#[derive(Default)]
struct Account {
    passed: Duration,
    units: Vec<Duration>,
    stepped_back: bool,
}

impl Account {
    /// Units in `(now − period, now]`.
    fn held(&self, period: Duration) -> u32 {
        let held = self.units.iter().filter(|&&unit| self.passed.saturating_sub(unit) < period).count();
        u32::try_from(held).expect("a schedule is short")
    }

    fn check(&mut self, policy: &Policy, decision: &Decision) -> Result<(), String> {
        let fits = policy.windows().iter().all(|w| self.held(w.period()) + policy.cost() <= w.quota());
        // After a step back a unit may seem younger than it is, never older: only then may a call be denied that would fit.
        if decision.allowed() && !fits || !decision.allowed() && fits && !self.stepped_back {
            return Err(format!("{decision:?} at {:?} with {:?} admitted before", self.passed, self.units));
        }
        if decision.retry_after() > policy.longest_period() {
            return Err(format!("{decision:?} denies for longer than any window"));
        }
        if decision.allowed() {
            self.units.extend(std::iter::repeat_n(self.passed, policy.cost() as usize));
        }
        for state in decision.windows.iter().filter(|_| !self.stepped_back) {
            if state.remaining != state.window.quota() - self.held(state.window.period()) {
                return Err(format!("{state:?} at {:?} with {:?} admitted", self.passed, self.units));
            }
        }
        Ok(())
    }
}

/// One schedule in play.
struct Play<'a, H> {
    harness: &'a H,
    subject: u64,
    account: Account,
}

impl<H: RateLimiterHarness> Play<'_, H> {
    fn pass(&mut self, span: Duration) {
        self.harness.pass(span);
        self.account.passed += span;
    }

    async fn call(&mut self, policy: &Policy) -> Result<Decision, String> {
        let decided = self.harness.rate_limiter().decide(policy, user(self.subject).into()).await;
        let decision = decided.map_err(|error| format!("{error:?}"))?;
        self.account.check(policy, &decision)?;
        Ok(decision)
    }

    /// Every call before the denial's end is denied, the first at it is admitted.
    async fn wait_out(&mut self, policy: &Policy, denied: &Decision) -> Result<(), String> {
        let left = (denied.at + denied.retry_after()).since(self.harness.clock().now());
        if left.is_zero() {
            return Ok(());
        }
        self.pass(left.saturating_sub(MICRO));
        for expected in [false, true] {
            let decision = self.call(policy).await?;
            if decision.allowed() != expected {
                return Err(format!("{denied:?} named a wait that {decision:?} does not keep"));
            }
            self.pass(MICRO);
        }
        Ok(())
    }

    async fn all(&mut self, windows: &[(u32, Duration)], steps: &[Step]) -> Result<(), String> {
        let any = policy("random", windows);
        let most = windows.iter().map(|window| window.0).min().unwrap_or(1);
        let mut last = None;
        for step in steps {
            match step {
                Step::Pass(span) => self.pass(*span),
                Step::Back(span) => {
                    self.harness.step_back(*span);
                    self.account.stepped_back = true;
                    last = None;
                }
                Step::Call(cost) => {
                    let policy =
                        any.clone().with_cost((*cost).min(most)).map_err(|error| error.to_string())?;
                    let decision = self.call(&policy).await?;
                    last = (!decision.allowed()).then_some((policy, decision));
                }
                Step::Wait => {
                    if let Some((policy, denied)) = last.take() {
                        self.wait_out(&policy, &denied).await?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// Plays random schedules, each for a user of its own, and shrinks one that fails.
fn explore<H: RateLimiterHarness>(harness: &Arc<H>, back: bool) {
    let config = Config { cases: SCHEDULES, failure_persistence: None, ..Config::default() };
    let subject = std::sync::atomic::AtomicU64::new(0);
    let outcome = TestRunner::new(config).run(&(windows(), steps(back)), |(windows, steps)| {
        let subject = subject.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
        let mut play = Play { harness: harness.as_ref(), subject, account: Account::default() };
        let played = Handle::current().block_on(play.all(&windows, &steps));
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

    /// Where the clock steps back now and then, no window holds more than its quota of the time that really passed, and no
    /// denial outlasts the longest window.
    async fn any_schedule_is_safe_on_a_clock_that_steps_back(harness) {
        explore_aside(harness, true).await;
    }

    /// The same numbers on a user's second visit, long after: nothing is left of the first.
    async fn a_long_pause_leaves_a_clean_slate(harness) {
        let (limiter, three) = (harness.rate_limiter(), policy("three", &[(3, secs(10)), (5, secs(60))]));
        for _ in 0..2 {
            for remaining in (0..3).rev() {
                let decision = limiter.decide(&three, user(1).into()).await.unwrap();
                assert_eq!((decision.allowed(), decision.windows[0].remaining), (true, remaining));
            }
            harness.pass(secs(60));
        }
    }
}
