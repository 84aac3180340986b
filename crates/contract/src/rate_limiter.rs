//! What a [`RateLimiter`](tollbar_core::ports::RateLimiter) promises, case by case.

use std::time::Duration;

use tollbar_core::domain::{ApiName, Decision, Policy, PolicyName, Quota, UserId, Window};

use crate::{RateLimiterHarness, together};

const MICRO: Duration = Duration::from_micros(1);

pub(crate) fn user(id: u64) -> UserId {
    UserId::new(id).unwrap()
}

pub(crate) fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A policy of windows `(quota, period)`.
pub(crate) fn policy(name: &str, windows: &[(u32, Duration)]) -> Policy {
    let window =
        |&(quota, period): &(u32, Duration)| Window::new(Quota::new(quota).unwrap(), period).unwrap();
    let (name, api) = (PolicyName::new(name).unwrap(), ApiName::new("ping").unwrap());
    Policy::new(name, api, windows.iter().map(window).collect()).unwrap()
}

pub(crate) fn violated(decision: &Decision) -> Vec<u32> {
    decision.violated().map(|state| state.window.quota()).collect()
}

suite! {
    ($) rate_limiter_suite, rate_limiter, RateLimiterHarness;

    /// A window admits its quota, and again when the first unit leaves; not a microsecond before.
    async fn a_window_admits_its_quota_and_no_more(harness) {
        let (limiter, three) = (harness.rate_limiter(), policy("three", &[(3, secs(10))]));
        for second in 0..3 {
            assert!(limiter.decide(&three, user(1).into()).await.unwrap().allowed(), "call {second}");
            harness.pass(secs(1));
        }
        let denied = limiter.decide(&three, user(1).into()).await.unwrap();
        assert_eq!((violated(&denied), denied.retry_after()), (vec![3], secs(7)));
        harness.pass(secs(7).saturating_sub(MICRO));
        let denied = limiter.decide(&three, user(1).into()).await.unwrap();
        assert_eq!(denied.retry_after(), MICRO);
        harness.pass(MICRO);
        assert!(limiter.decide(&three, user(1).into()).await.unwrap().allowed());
        assert!(!limiter.decide(&three, user(1).into()).await.unwrap().allowed(), "one unit has left, not three");
    }

    /// A burst at the end of one period and one at the start of the next are one burst: there is no edge to hide behind.
    async fn there_is_no_edge_between_periods(harness) {
        let (limiter, ten) = (harness.rate_limiter(), policy("ten", &[(10, secs(60))]));
        harness.pass(secs(59));
        for _ in 0..10 {
            assert!(limiter.decide(&ten, user(1).into()).await.unwrap().allowed());
        }
        for _ in 0..59 {
            harness.pass(secs(1));
            assert!(!limiter.decide(&ten, user(1).into()).await.unwrap().allowed());
        }
        harness.pass(secs(1));
        assert!(limiter.decide(&ten, user(1).into()).await.unwrap().allowed());
    }

    /// A denied call spends nothing in any window.
    async fn a_denied_call_spends_nothing(harness) {
        let (limiter, ping) = (harness.rate_limiter(), policy("ping", &[(1, secs(5)), (2, secs(60))]));
        assert!(limiter.decide(&ping, user(1).into()).await.unwrap().allowed());
        for _ in 0..100 {
            let denied = limiter.decide(&ping, user(1).into()).await.unwrap();
            assert_eq!((violated(&denied), denied.windows[1].remaining), (vec![1], 1));
        }
        harness.pass(secs(5));
        assert!(limiter.decide(&ping, user(1).into()).await.unwrap().allowed(), "denials were charged");
        harness.pass(secs(5));
        let denied = limiter.decide(&ping, user(1).into()).await.unwrap();
        assert_eq!((violated(&denied), denied.retry_after()), (vec![2], secs(50)));
    }

    /// The violated windows come in the policy's order; the wait is the longest of theirs.
    async fn violated_windows_keep_the_order_of_the_policy(harness) {
        let limiter = harness.rate_limiter();
        for (name, windows, expected) in [
            ("short-first", [(1, secs(5)), (2, secs(60))], vec![1, 2]),
            ("long-first", [(2, secs(60)), (1, secs(5))], vec![2, 1]),
        ] {
            let ping = policy(name, &windows);
            limiter.decide(&ping, user(1).into()).await.unwrap();
            harness.pass(secs(5));
            limiter.decide(&ping, user(1).into()).await.unwrap();
            let denied = limiter.decide(&ping, user(1).into()).await.unwrap();
            assert_eq!((violated(&denied), denied.retry_after()), (expected, secs(55)));
        }
    }

    /// Two hundred at once against a quota of seven: seven are admitted.
    async fn of_two_hundred_at_once_a_quota_of_seven_admits_seven(harness) {
        let (limiter, seven) = (harness.rate_limiter(), policy("seven", &[(7, secs(60)), (100, secs(600))]));
        let admitted = together(200, |_| {
            let (limiter, seven) = (limiter.clone(), seven.clone());
            async move { limiter.decide(&seven, user(1).into()).await.unwrap().allowed() }
        })
        .await;
        assert_eq!(admitted.iter().filter(|allowed| **allowed).count(), 7);
    }

    /// A clock that steps back neither admits too much nor denies for ever.
    async fn a_clock_that_steps_back_neither_admits_too_much_nor_denies_for_ever(harness) {
        let (limiter, two) = (harness.rate_limiter(), policy("two", &[(2, secs(10))]));
        for _ in 0..2 {
            assert!(limiter.decide(&two, user(1).into()).await.unwrap().allowed());
        }
        harness.step_back(secs(3_600));
        let denied = limiter.decide(&two, user(1).into()).await.unwrap();
        assert_eq!(denied.retry_after(), secs(10), "units from the future count as of now");
        harness.pass(secs(10).saturating_sub(MICRO));
        assert!(!limiter.decide(&two, user(1).into()).await.unwrap().allowed(), "the step was stored, also on a denial");
        harness.pass(MICRO);
        assert!(limiter.decide(&two, user(1).into()).await.unwrap().allowed());
    }

    /// A changed quota or period acts at once on what is known.
    async fn a_changed_policy_acts_at_once(harness) {
        let limiter = harness.rate_limiter();
        let of = |quota, period| policy("changing", &[(quota, secs(period))]);
        for _ in 0..5 {
            assert!(limiter.decide(&of(5, 60), user(1).into()).await.unwrap().allowed());
            harness.pass(secs(1));
        }
        let lowered = limiter.decide(&of(2, 60), user(1).into()).await.unwrap();
        assert_eq!((lowered.retry_after(), lowered.windows[0].remaining), (secs(58), 0));
        assert!(limiter.decide(&of(6, 60), user(1).into()).await.unwrap().allowed(), "five are known, a sixth fits");
        assert!(!limiter.decide(&of(6, 60), user(1).into()).await.unwrap().allowed());
        harness.pass(secs(30));
        assert!(limiter.decide(&of(1, 30), user(1).into()).await.unwrap().allowed());
        assert!(!limiter.decide(&of(6, 60), user(1).into()).await.unwrap().allowed(), "the shorter period hid nothing");
    }

    /// A quota that is lowered and raised again finds everything that it was lowered over.
    async fn a_lowered_quota_forgets_nothing(harness) {
        let limiter = harness.rate_limiter();
        let of = |quota, period| policy("changing", &[(quota, secs(period))]);
        for _ in 0..4 {
            assert!(limiter.decide(&of(10, 60), user(1).into()).await.unwrap().allowed());
        }
        harness.pass(secs(10));
        assert!(limiter.decide(&of(1, 5), user(1).into()).await.unwrap().allowed());
        let peeked = limiter.peek(&of(10, 60), user(1).into()).await.unwrap();
        assert_eq!(peeked.windows[0].remaining, 5);
    }

    /// A call of a cost takes that many units or none.
    async fn a_cost_is_charged_whole_or_not_at_all(harness) {
        let limiter = harness.rate_limiter();
        let five = policy("five", &[(5, secs(10))]);
        let of = |cost| five.clone().with_cost(cost).unwrap();
        assert_eq!(limiter.decide(&of(3), user(1).into()).await.unwrap().windows[0].remaining, 2);
        harness.pass(secs(4));
        let denied = limiter.decide(&of(3), user(1).into()).await.unwrap();
        assert_eq!((denied.retry_after(), denied.windows[0].remaining), (secs(6), 2));
        assert!(limiter.decide(&of(2), user(1).into()).await.unwrap().allowed());
        harness.pass(secs(6));
        assert!(limiter.decide(&of(3), user(1).into()).await.unwrap().allowed());
        assert_eq!(limiter.decide(&of(1), user(1).into()).await.unwrap().retry_after(), secs(4));
    }

    /// The state of each window is that of after the call.
    async fn a_decision_tells_the_state_of_every_window(harness) {
        let (limiter, ping) = (harness.rate_limiter(), policy("ping", &[(1, secs(5)), (3, secs(60))]));
        let states = |decision: &Decision| {
            decision.windows.iter().map(|s| (s.remaining, s.reset_after, s.retry_after)).collect::<Vec<_>>()
        };
        let at = harness.clock().now();
        let first = limiter.decide(&ping, user(1).into()).await.unwrap();
        assert_eq!(first.at, at);
        assert_eq!(states(&first), [(0, secs(5), Duration::ZERO), (2, secs(60), Duration::ZERO)]);
        harness.pass(secs(2));
        let denied = limiter.decide(&ping, user(1).into()).await.unwrap();
        assert_eq!(states(&denied), [(0, secs(3), secs(3)), (2, secs(58), Duration::ZERO)]);
        harness.pass(secs(3));
        let second = limiter.decide(&ping, user(1).into()).await.unwrap();
        assert_eq!(states(&second), [(0, secs(5), Duration::ZERO), (1, secs(55), Duration::ZERO)], "the oldest leaves first");
    }

    /// A peek says what a decision would, and leaves no trace.
    async fn a_peek_writes_nothing(harness) {
        let (limiter, one) = (harness.rate_limiter(), policy("one", &[(1, secs(5))]));
        for _ in 0..3 {
            let peeked = limiter.peek(&one, user(1).into()).await.unwrap();
            assert!(peeked.allowed());
            assert_eq!((peeked.windows[0].remaining, peeked.windows[0].reset_after), (1, Duration::ZERO));
        }
        assert!(limiter.decide(&one, user(1).into()).await.unwrap().allowed());
        harness.step_back(secs(100));
        for _ in 0..2 {
            assert_eq!(limiter.peek(&one, user(1).into()).await.unwrap().retry_after(), secs(5));
        }
        harness.pass(secs(100));
        let peeked = limiter.peek(&one, user(1).into()).await.unwrap();
        assert_eq!(peeked.retry_after(), secs(5), "a peek stored that the clock stepped back");
    }

    /// Neither users nor policies share a state.
    async fn users_and_policies_are_kept_apart(harness) {
        let limiter = harness.rate_limiter();
        let (one, other) = (policy("one", &[(1, secs(5))]), policy("one.x", &[(1, secs(5))]));
        assert!(limiter.decide(&one, user(1).into()).await.unwrap().allowed());
        assert!(limiter.decide(&one, user(17).into()).await.unwrap().allowed());
        assert!(limiter.decide(&other, user(1).into()).await.unwrap().allowed());
        assert!(!limiter.decide(&one, user(1).into()).await.unwrap().allowed());
    }

    /// A state that has come to mean nothing takes no other of the same user with it.
    async fn a_spent_policy_takes_no_other_with_it(harness) {
        let limiter = harness.rate_limiter();
        let (short, long) = (policy("short", &[(1, secs(1))]), policy("long", &[(1, secs(60))]));
        assert!(limiter.decide(&long, user(1).into()).await.unwrap().allowed());
        assert!(limiter.decide(&short, user(1).into()).await.unwrap().allowed());
        for _ in 0..5 {
            harness.pass(secs(2));
            assert!(limiter.decide(&short, user(1).into()).await.unwrap().allowed());
            assert!(!limiter.decide(&long, user(1).into()).await.unwrap().allowed(), "the long window was forgotten");
        }
    }

    /// What is kept is bounded by the largest quota and the longest period that were ever asked for; a policy above them counts
    /// from what is kept.
    async fn no_more_is_kept_than_any_policy_asked_for(harness) {
        let limiter = harness.rate_limiter();
        let of = |windows: &[(u32, Duration)]| policy("changing", windows);
        assert!(limiter.decide(&of(&[(2, secs(60))]), user(1).into()).await.unwrap().allowed());
        for _ in 0..5 {
            harness.pass(secs(1));
            assert!(limiter.decide(&of(&[(2, secs(1))]), user(1).into()).await.unwrap().allowed());
        }
        let peeked = limiter.peek(&of(&[(10, secs(60))]), user(1).into()).await.unwrap();
        assert_eq!(peeked.windows[0].remaining, 8, "two units are kept, whatever was admitted");
        let brief = policy("brief", &[(3, secs(5))]);
        for _ in 0..2 {
            assert!(limiter.decide(&brief, user(1).into()).await.unwrap().allowed());
            harness.pass(secs(10));
        }
        let peeked = limiter.peek(&policy("brief", &[(10, secs(60))]), user(1).into()).await.unwrap();
        assert_eq!(peeked.windows[0].remaining, 9, "a unit that no policy could ask for any more is not kept");
    }

    /// The largest quota that is kept exactly is exact.
    async fn the_largest_quota_is_exact(harness) {
        let limiter = harness.rate_limiter();
        let large = policy("large", &[(10_000, secs(60))]);
        let by = |cost| large.clone().with_cost(cost).unwrap();
        for _ in 0..4 {
            assert!(limiter.decide(&by(2_500), user(1).into()).await.unwrap().allowed());
            harness.pass(secs(1));
        }
        let denied = limiter.decide(&by(1), user(1).into()).await.unwrap();
        assert_eq!((denied.retry_after(), denied.windows[0].remaining), (secs(56), 0));
        harness.pass(secs(56));
        assert!(limiter.decide(&by(2_500), user(1).into()).await.unwrap().allowed());
        assert!(!limiter.decide(&by(1), user(1).into()).await.unwrap().allowed());
    }
}
