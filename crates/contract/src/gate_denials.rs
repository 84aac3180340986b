//! What a [`Gate`] promises to whoever is over a limit: also one that remembers its denials.

use std::{sync::Arc, time::Duration};

use tollbar_core::{
    domain::{Decision, Policy},
    ports::{Admission, Gate},
};

use crate::{
    GateHarness,
    gate::{admitted, login},
    rate_limiter::{policy, secs, violated},
    session_cache::CACHE_TTL,
};

const MICRO: Duration = Duration::from_micros(1);

async fn limited(gate: &Arc<dyn Gate>, token: &str, policy: &Policy) -> Decision {
    match gate.admit(token, policy).await.unwrap() {
        Admission::Limited { decision, .. } => decision,
        other => panic!("{other:?}"),
    }
}

suite! {
    ($) gate_denials_suite, gate_denials, GateHarness;

    /// At every moment the windows that still deny are named, in the policy's order, with their waits; when the last is over, and
    /// not before, the call is admitted.
    async fn the_windows_that_still_deny_are_named_with_their_waits(harness) {
        let gate = harness.gate();
        for (index, windows) in [[(1, secs(5)), (2, secs(50))], [(2, secs(50)), (1, secs(5))]].into_iter().enumerate() {
            let user = harness.user(["ada", "bob"][index]).await;
            let (token, ping) = (login(&harness, user).await, policy("ping", &windows));
            assert!(admitted(&gate, &token, &ping).await);
            harness.pass(secs(5));
            assert!(admitted(&gate, &token, &ping).await);
            for (pass, waits) in [
                (MICRO, vec![(1, 4_999_999), (2, 44_999_999)]),
                (secs(3), vec![(1, 1_999_999), (2, 41_999_999)]),
                (secs(2).saturating_sub(MICRO * 2), vec![(1, 1), (2, 40_000_001)]),
                (MICRO, vec![(2, 40_000_000)]),
                (secs(30), vec![(2, 10_000_000)]),
                (secs(10).saturating_sub(MICRO), vec![(2, 1)]),
            ] {
                harness.pass(pass);
                for _ in 0..2 {
                    let denied = limited(&gate, &token, &ping).await;
                    let mut said: Vec<_> =
                        denied.violated().map(|state| (state.window.quota(), state.retry_after.as_micros())).collect();
                    if index == 1 {
                        said.reverse();
                    }
                    assert_eq!((said, denied.at), (waits.clone(), harness.clock().now()));
                }
            }
            harness.pass(MICRO);
            assert!(admitted(&gate, &token, &ping).await);
        }
    }

    /// A wait that is longer than a session may be believed is kept all the same.
    async fn a_long_wait_is_kept_to_its_end(harness) {
        let (user, gate) = (harness.user("ada").await, harness.gate());
        let (token, rare) = (login(&harness, user).await, policy("rare", &[(1, secs(200))]));
        assert!(admitted(&gate, &token, &rare).await);
        for second in 0..200 {
            assert_eq!(limited(&gate, &token, &rare).await.retry_after(), secs(200 - second));
            harness.pass(secs(1));
        }
        assert!(admitted(&gate, &token, &rare).await);
    }

    /// A changed policy acts at once on who was denied under the former one, and so does the former one when it is back.
    async fn a_changed_policy_acts_at_once(harness) {
        let (user, gate) = (harness.user("ada").await, harness.gate());
        let token = login(&harness, user).await;
        let of = |quota, period| policy("changing", &[(quota, secs(period))]);
        assert!(admitted(&gate, &token, &of(1, 50)).await);
        assert_eq!(limited(&gate, &token, &of(1, 50)).await.retry_after(), secs(50));
        harness.pass(secs(10));
        assert_eq!(limited(&gate, &token, &of(1, 20)).await.retry_after(), secs(10), "another period");
        assert!(admitted(&gate, &token, &of(2, 50)).await, "another quota");
        let denied = limited(&gate, &token, &of(1, 50)).await;
        assert_eq!(denied.retry_after(), secs(50), "counted from the call that was admitted since");
    }

    /// A call of another cost, under another policy or by another user is a question of its own.
    async fn a_denial_is_of_one_user_one_policy_and_one_cost(harness) {
        let (ada, bob, gate) = (harness.user("ada").await, harness.user("bob").await, harness.gate());
        let (token, five) = (login(&harness, ada).await, policy("five", &[(5, secs(60))]));
        let by = |cost| five.clone().with_cost(cost).unwrap();
        assert!(admitted(&gate, &token, &by(3)).await);
        assert_eq!(violated(&limited(&gate, &token, &by(3)).await), [5]);
        assert!(admitted(&gate, &token, &by(2)).await);
        limited(&gate, &token, &by(1)).await;
        assert!(admitted(&gate, &token, &policy("other", &[(5, secs(60))])).await);
        assert!(admitted(&gate, &login(&harness, bob).await, &by(3)).await);
    }

    /// A logout or a login is seen by the next call of the same process, also of who is over a limit.
    async fn who_is_denied_and_logs_out_is_unauthenticated(harness) {
        let user = harness.user("ada").await;
        let (process, one) = (Arc::new(harness.process()), policy("one", &[(1, secs(60))]));
        let gate = harness.gate_of(Arc::clone(&process));
        let open = async || process.open(user).await.unwrap().expect("the user exists").token.expose();
        let first = open().await;
        assert!(admitted(&gate, &first, &one).await);
        limited(&gate, &first, &one).await;
        let second = open().await;
        assert_eq!(gate.admit(&first, &one).await.unwrap(), Admission::Unauthenticated, "another login ended it");
        limited(&gate, &second, &one).await;
        assert!(process.close(&second).await.unwrap());
        assert_eq!(gate.admit(&second, &one).await.unwrap(), Admission::Unauthenticated);
    }

    /// A logout at another process is seen once a session may not be believed any more, also of who is over a limit for longer.
    async fn a_denial_does_not_outlive_what_a_session_may_be_believed(harness) {
        let (user, gate) = (harness.user("ada").await, harness.gate());
        let (token, one) = (login(&harness, user).await, policy("one", &[(1, secs(3_600))]));
        assert!(admitted(&gate, &token, &one).await);
        limited(&gate, &token, &one).await;
        assert!(harness.process().close(&token).await.unwrap());
        harness.pass(CACHE_TTL);
        assert_eq!(gate.admit(&token, &one).await.unwrap(), Admission::Unauthenticated);
    }

    /// A clock that steps back makes nobody wait for longer than their window.
    async fn a_clock_that_steps_back_makes_nobody_wait_for_longer(harness) {
        let (user, gate) = (harness.user("ada").await, harness.gate());
        let (token, one) = (login(&harness, user).await, policy("one", &[(1, secs(5))]));
        assert!(admitted(&gate, &token, &one).await);
        harness.pass(secs(2));
        assert_eq!(limited(&gate, &token, &one).await.retry_after(), secs(3));
        harness.step_back(secs(600));
        assert_eq!(limited(&gate, &token, &one).await.retry_after(), secs(5));
        harness.pass(secs(5));
        assert!(admitted(&gate, &token, &one).await);
    }
}
