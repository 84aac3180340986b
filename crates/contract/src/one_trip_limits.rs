//! What a [`OneTrip`](tollbar_core::ports::OneTrip) promises of limits and counts: they are those of the other ports.

use std::time::Duration;

use tollbar_core::{
    domain::Caller,
    ports::{Crossing, WhichLimits},
};

use crate::{
    OneTripHarness, epoch,
    one_trip::{admitted, counted_as, limited, login, remaining, state},
    rate_limiter::{policy, secs, user, violated},
    session_cache::miss,
};

const MICRO: Duration = Duration::from_micros(1);

suite! {
    ($) one_trip_limits_suite, one_trip_limits, OneTripHarness;

    /// What one port charges the other sees, and so for what they count.
    async fn limits_and_counts_are_those_of_the_other_ports(harness) {
        let (engine, limiter) = (harness.one_trip(), harness.rate_limiter());
        let (token, four) = (login(&harness, 1, 1).await, policy("four", &[(4, secs(60)), (9, secs(600))]));
        assert_eq!(remaining(&limiter.decide(&four, user(1).into()).await.unwrap()), [3, 8]);
        harness.pass(secs(1));
        assert_eq!(remaining(&admitted(&engine, &token, &four).await), [2, 7]);
        assert_eq!(remaining(&limiter.peek(&four, user(1).into()).await.unwrap()), [2, 7]);
        harness.pass(secs(1));
        assert_eq!(remaining(&engine.charge(user(1), &four, epoch()).await.unwrap()), [1, 6]);
        assert_eq!(remaining(&limiter.decide(&four, user(1).into()).await.unwrap()), [0, 5]);
        let denied = limited(&engine, &token, &four).await;
        assert_eq!(denied, limiter.decide(&four, user(1).into()).await.unwrap());
        assert_eq!((violated(&denied), denied.retry_after()), (vec![4], secs(58)));
        let tracker = harness.call_tracker();
        assert_eq!(tracker.top(four.api(), 10).await.unwrap(), [Caller { user: user(1), calls: 2 }]);
        tracker.record(four.api(), user(1), epoch()).await.unwrap();
        harness.pass(secs(58));
        admitted(&engine, &login(&harness, 1, 2).await, &four).await;
        assert_eq!(tracker.top(four.api(), 10).await.unwrap(), [Caller { user: user(1), calls: 4 }]);
    }

    /// A reset gives the quota back and touches neither the session nor the count.
    async fn a_reset_leaves_session_and_count(harness) {
        let (engine, limiter) = (harness.one_trip(), harness.rate_limiter());
        let (token, two) = (login(&harness, 1, 1).await, policy("two", &[(2, secs(60))]));
        for calls in [2, 4] {
            for left in [1, 0] {
                assert_eq!(remaining(&admitted(&engine, &token, &two).await), [left]);
            }
            limited(&engine, &token, &two).await;
            assert_eq!(limiter.reset(user(1).into(), &WhichLimits::default()).await.unwrap(), 1);
            assert_eq!(
                harness.call_tracker().top(two.api(), 10).await.unwrap(),
                [Caller { user: user(1), calls }]
            );
        }
        assert_eq!(remaining(&admitted(&engine, &token, &two).await), [1]);
    }

    /// A log of many units, as admissions make it, is as exact as a short one.
    async fn a_long_log_of_admissions_is_exact(harness) {
        let (engine, many) = (harness.one_trip(), policy("many", &[(150, secs(30))]));
        let (token, step) = (login(&harness, 1, 1).await, Duration::from_millis(10));
        for left in (0..150).rev() {
            assert_eq!(remaining(&admitted(&engine, &token, &many).await), [left]);
            harness.pass(step);
        }
        let wait = Duration::from_millis(28_500);
        assert_eq!(limited(&engine, &token, &many).await.retry_after(), wait);
        harness.pass(wait);
        assert_eq!(remaining(&admitted(&engine, &token, &many).await), [0]);
        assert_eq!(limited(&engine, &token, &many).await.retry_after(), step);
    }

    /// A log that has become shorter leaves nothing behind that could be taken for another.
    async fn a_log_may_become_shorter_and_longer_again(harness) {
        let (engine, token) = (harness.one_trip(), login(&harness, 1, 1).await);
        let (many, other) = (policy("many", &[(9, secs(10))]), policy("other", &[(9, secs(50))]));
        for calls in [6, 1, 3, 8, 2] {
            for call in 1..=calls {
                assert_eq!(remaining(&admitted(&engine, &token, &many).await), [9 - call], "of {calls}");
            }
            harness.pass(secs(10));
        }
        for left in [8, 7] {
            assert_eq!(remaining(&admitted(&engine, &token, &other).await), [left]);
        }
    }

    /// A policy that is narrowed, and widened again, forgets nothing that was admitted meanwhile or before.
    async fn a_policy_that_changes_and_changes_back_forgets_nothing(harness) {
        let (engine, token) = (harness.one_trip(), login(&harness, 1, 1).await);
        let (wide, narrow) = (policy("p", &[(5, secs(50))]), policy("p", &[(1, secs(1))]));
        for left in [4, 3, 2] {
            assert_eq!(remaining(&admitted(&engine, &token, &wide).await), [left]);
        }
        harness.pass(secs(1));
        assert_eq!(remaining(&admitted(&engine, &token, &narrow).await), [0]);
        assert_eq!(remaining(&admitted(&engine, &token, &wide).await), [0]);
        assert_eq!(limited(&engine, &token, &wide).await.retry_after(), secs(49));
    }

    /// A limited call changes nothing: no window, no board, no distinct count.
    async fn a_limited_call_changes_nothing(harness) {
        let (engine, ping) = (harness.one_trip(), policy("ping", &[(1, secs(5)), (2, secs(60))]));
        let token = login(&harness, 1, 1).await;
        admitted(&engine, &token, &ping).await;
        harness.pass(secs(1));
        let before = state(&harness, 1, &ping).await;
        for _ in 0..50 {
            let denied = limited(&engine, &token, &ping).await;
            assert_eq!(denied, before.0, "the state is the one that a peek tells");
        }
        assert_eq!(state(&harness, 1, &ping).await, before);
        harness.pass(secs(4));
        admitted(&engine, &token, &ping).await;
        // Somebody who was never admitted is no caller.
        harness.rate_limiter().decide(&ping, user(2).into()).await.unwrap();
        limited(&engine, &login(&harness, 2, 1).await, &ping).await;
        assert_eq!(state(&harness, 2, &ping).await.2, 1);
    }

    /// All windows admit a call or none is charged for it; those that deny it come in the policy's order.
    async fn several_windows_admit_and_deny_together(harness) {
        let engine = harness.one_trip();
        let token = login(&harness, 1, 1).await;
        for (name, windows, only_short, both) in [
            ("short-first", [(1, secs(5)), (2, secs(30))], vec![1], vec![1, 2]),
            ("long-first", [(2, secs(30)), (1, secs(5))], vec![1], vec![2, 1]),
        ] {
            let ping = policy(name, &windows);
            admitted(&engine, &token, &ping).await;
            assert_eq!(violated(&limited(&engine, &token, &ping).await), only_short);
            harness.pass(secs(5));
            admitted(&engine, &token, &ping).await;
            let denied = limited(&engine, &token, &ping).await;
            assert_eq!((violated(&denied), denied.retry_after()), (both, secs(25)));
            harness.pass(secs(5));
            assert_eq!(violated(&limited(&engine, &token, &ping).await), [2]);
            harness.pass(secs(20));
        }
    }

    /// A call of a cost takes that many units or none, and is one call.
    async fn a_cost_is_charged_whole_and_counted_once(harness) {
        let (engine, five) = (harness.one_trip(), policy("five", &[(5, secs(10)), (6, secs(60))]));
        let (token, by) = (login(&harness, 1, 1).await, |cost| five.clone().with_cost(cost).unwrap());
        assert_eq!(remaining(&admitted(&engine, &token, &by(3)).await), [2, 3]);
        harness.pass(secs(4));
        let denied = limited(&engine, &token, &by(3)).await;
        assert_eq!((remaining(&denied), violated(&denied), denied.retry_after()), (vec![2, 3], vec![5], secs(6)));
        assert_eq!(remaining(&engine.charge(user(1), &by(2), epoch()).await.unwrap()), [0, 1]);
        harness.pass(secs(6));
        assert_eq!(violated(&limited(&engine, &token, &by(3)).await), [6]);
        let (_, top, _) = state(&harness, 1, &five).await;
        assert_eq!(top, [Caller { user: user(1), calls: 2 }]);
    }

    /// A charge limits and counts as an admission does, asks for no session and hands out no lease.
    async fn a_charge_limits_and_counts_without_a_session(harness) {
        let (engine, two) = (harness.one_trip(), policy("two", &[(2, secs(5))]));
        for left in [1, 0] {
            let decision = engine.charge(user(1), &two, epoch()).await.unwrap();
            assert_eq!((decision.at, decision.allowed()), (harness.clock().now(), true));
            assert_eq!(remaining(&decision), [left]);
        }
        let before = state(&harness, 1, &two).await;
        assert_eq!((&before.1[..], before.2), (&[Caller { user: user(1), calls: 2 }][..], 1));
        let denied = engine.charge(user(1), &two, epoch()).await.unwrap();
        assert_eq!((denied.allowed(), denied.retry_after()), (false, secs(5)));
        assert_eq!(state(&harness, 1, &two).await, before);
        assert!(miss(&harness.session_cache(), user(1)).await.lease.is_some());
    }

    /// Logins, logouts and what they publish touch neither a user's limits nor the counts.
    async fn a_change_of_the_sessions_leaves_limits_and_counts(harness) {
        let (engine, two) = (harness.one_trip(), policy("two", &[(2, secs(60))]));
        for version in 1..3 {
            let token = login(&harness, 1, version).await;
            admitted(&engine, &token, &two).await;
        }
        let before = state(&harness, 1, &two).await;
        assert_eq!(remaining(&before.0), [0]);
        let token = login(&harness, 1, 3).await;
        harness.session_cache().change(user(1)).await.unwrap();
        assert_eq!(state(&harness, 1, &two).await, before);
        assert_eq!(engine.admit(&token, &two, epoch()).await.unwrap(), Crossing::Unknown);
        limited(&engine, &login(&harness, 1, 4).await, &two).await;
    }

    /// A clock that steps back neither admits too much nor denies for ever.
    async fn a_clock_that_steps_back_neither_admits_too_much_nor_denies_for_ever(harness) {
        let (engine, two) = (harness.one_trip(), policy("two", &[(2, secs(10))]));
        let token = login(&harness, 1, 1).await;
        for _ in 0..2 {
            admitted(&engine, &token, &two).await;
        }
        harness.step_back(secs(3_600));
        let denied = limited(&engine, &token, &two).await;
        assert_eq!(denied.retry_after(), secs(10), "units from the future count as of now");
        harness.pass(secs(10).saturating_sub(MICRO));
        let denied = limited(&engine, &token, &two).await;
        assert_eq!(denied.retry_after(), MICRO, "the step was stored, also on a denial");
        harness.pass(MICRO);
        admitted(&engine, &token, &two).await;
    }

    /// A changed quota or period acts at once on what is known.
    async fn a_changed_policy_acts_at_once(harness) {
        let (engine, token) = (harness.one_trip(), login(&harness, 1, 1).await);
        let of = |quota, period| policy("changing", &[(quota, secs(period))]);
        for _ in 0..3 {
            admitted(&engine, &token, &of(3, 30)).await;
            harness.pass(secs(1));
        }
        assert_eq!(limited(&engine, &token, &of(1, 30)).await.retry_after(), secs(29));
        admitted(&engine, &token, &of(4, 30)).await;
        assert_eq!(limited(&engine, &token, &of(4, 50)).await.retry_after(), secs(47));
    }

    /// Policies have a state each, whatever they count under; APIs have a board each, whatever limits them.
    async fn policies_and_apis_are_kept_apart(harness) {
        let (engine, token) = (harness.one_trip(), login(&harness, 1, 1).await);
        let one = policy("one", &[(2, secs(5))]);
        assert_eq!(remaining(&admitted(&engine, &token, &one).await), [1]);
        for other in ["two", "one.x"] {
            let other = policy(other, &[(2, secs(5))]);
            for left in [1, 0] {
                assert_eq!(remaining(&admitted(&engine, &token, &other).await), [left], "{other:?}");
            }
            limited(&engine, &token, &other).await;
        }
        let pong = counted_as("pong", &one);
        assert_eq!(remaining(&admitted(&engine, &token, &pong).await), [0], "the limit goes by the policy's name");
        limited(&engine, &token, &one).await;
        engine.charge(user(2), &pong, epoch()).await.unwrap();
        let (_, top, distinct) = state(&harness, 1, &one).await;
        assert_eq!((top, distinct), (vec![Caller { user: user(1), calls: 5 }], 1));
        let (_, top, distinct) = state(&harness, 1, &pong).await;
        let caller = |id| Caller { user: user(id), calls: 1 };
        assert_eq!((top, distinct), (vec![caller(1), caller(2)], 2));
    }
}
