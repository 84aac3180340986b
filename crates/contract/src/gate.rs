//! What a [`Gate`] promises on any pair of tiers.

use std::{sync::Arc, time::Duration};

use tollbar_core::{
    counts::{CountFlusher, FlusherOptions},
    domain::{Caller, Incarnation, Policy, UserId},
    ports::{Admission, Gate},
};

use crate::{
    GateHarness,
    rate_limiter::{policy, secs},
    together,
};

pub(crate) async fn login(harness: &impl GateHarness, user: UserId) -> String {
    harness.process().open(user).await.unwrap().expect("the user exists").token.expose()
}

pub(crate) async fn admitted(gate: &Arc<dyn Gate>, token: &str, policy: &Policy) -> bool {
    matches!(gate.admit(token, policy).await.unwrap(), Admission::Admitted { .. })
}

async fn top(harness: &impl GateHarness, policy: &Policy) -> Vec<Caller> {
    harness.call_tracker().top(policy.api(), 10).await.unwrap()
}

/// Flushes once and stops.
pub(crate) async fn flush(harness: &impl GateHarness, process: u8) {
    let options = FlusherOptions { every: Duration::from_secs(600), ..FlusherOptions::default() };
    let (book, ledger, tracker) = (harness.book(), harness.call_ledger(), harness.call_tracker());
    let process = Incarnation::from_bytes([process; 16]);
    ledger.begin(book.incarnation(), process).await.unwrap();
    let history = harness.call_history();
    let flusher = CountFlusher::new(book.clone(), ledger.clone(), history, tracker, None, process, options);
    let stop = tokio_util::sync::CancellationToken::new();
    stop.cancel();
    flusher.run(stop).await;
    // A process that has stopped counts no more under its name; this one goes on.
    let next = Incarnation::from_bytes(tollbar_core::random_bytes().unwrap());
    ledger.begin(next, process).await.unwrap();
    book.begin_anew(next);
}

suite! {
    ($) gate_suite, gate, GateHarness;

    /// A live session within its limits is admitted and counted once.
    async fn an_admitted_call_is_charged_and_counted_once(harness) {
        let (user, gate) = (harness.user("ada").await, harness.gate());
        let (token, ping) = (login(&harness, user).await, policy("ping", &[(1, secs(5)), (2, secs(60))]));
        match gate.admit(&token, &ping).await.unwrap() {
            Admission::Admitted { user: admitted, decision, .. } => {
                assert_eq!(admitted, user);
                let remaining: Vec<u32> = decision.windows.iter().map(|state| state.remaining).collect();
                assert_eq!(remaining, [0, 1]);
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(top(&harness, &ping).await, [Caller { user, calls: 1 }]);
        assert_eq!(harness.call_tracker().distinct(ping.api()).await.unwrap(), 1);
    }

    /// A call over a limit is told which and for how long, and leaves no trace.
    async fn a_limited_call_is_neither_charged_nor_counted(harness) {
        let (user, gate) = (harness.user("ada").await, harness.gate());
        let (token, ping) = (login(&harness, user).await, policy("ping", &[(1, secs(5)), (2, secs(60))]));
        assert!(admitted(&gate, &token, &ping).await);
        for _ in 0..20 {
            match gate.admit(&token, &ping).await.unwrap() {
                Admission::Limited { user: limited, decision } => {
                    assert_eq!((limited, decision.retry_after()), (user, secs(5)));
                    assert_eq!(decision.violated().count(), 1);
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(top(&harness, &ping).await, [Caller { user, calls: 1 }]);
        harness.pass(secs(5));
        assert!(admitted(&gate, &token, &ping).await);
    }

    /// Without a live session nothing is charged and nothing counted.
    async fn a_call_without_a_session_is_unauthenticated(harness) {
        let (user, gate) = (harness.user("ada").await, harness.gate());
        let (old, ping) = (login(&harness, user).await, policy("ping", &[(1, secs(5))]));
        let new = login(&harness, user).await;
        for dead in ["", "tbs_", "nonsense", &old, &format!("{new}x")] {
            assert_eq!(gate.admit(dead, &ping).await.unwrap(), Admission::Unauthenticated, "{dead}");
        }
        assert_eq!(top(&harness, &ping).await, []);
        assert!(admitted(&gate, &new, &ping).await, "a dead token was charged to its user");
        assert!(harness.process().close(&new).await.unwrap());
        harness.pass(secs(5));
        assert_eq!(gate.admit(&new, &ping).await.unwrap(), Admission::Unauthenticated);
    }

    /// A session that is not cached is loaded, and the call goes on.
    async fn a_session_that_is_not_cached_is_admitted(harness) {
        let (user, gate) = (harness.user("ada").await, harness.gate());
        let (token, five) = (login(&harness, user).await, policy("five", &[(5, secs(60))]));
        for _ in 0..5 {
            harness.evict(user).await;
            assert!(admitted(&gate, &token, &five).await);
        }
        assert!(!admitted(&gate, &token, &five).await);
        assert_eq!(top(&harness, &five).await, [Caller { user, calls: 5 }]);
    }

    /// Two hundred at once against a quota of seven: seven are admitted and seven counted.
    async fn of_two_hundred_at_once_a_quota_of_seven_admits_and_counts_seven(harness) {
        let (user, gate) = (harness.user("ada").await, harness.gate());
        let (token, seven) = (login(&harness, user).await, policy("seven", &[(7, secs(60))]));
        let results = together(200, |_| {
            let (gate, token, seven) = (gate.clone(), token.clone(), seven.clone());
            async move { admitted(&gate, &token, &seven).await }
        })
        .await;
        assert_eq!(results.iter().filter(|admitted| **admitted).count(), 7);
        assert_eq!(top(&harness, &seven).await, [Caller { user, calls: 7 }]);
    }

    /// Counts equal admitted calls, over users and gates, and so does the ledger after a flush.
    async fn counts_equal_admitted_calls(harness) {
        let mut tokens = Vec::new();
        for name in ["ada", "bob", "eve", "dan"] {
            let user = harness.user(name).await;
            tokens.push((user, login(&harness, user).await));
        }
        let gates = [harness.gate(), harness.gate()];
        let many = policy("many", &[(30, secs(60))]);
        let results = together(160, |index| {
            let (gate, many) = (gates[index % 2].clone(), many.clone());
            // The first user calls most and is denied some.
            let (user, token) = tokens[if index % 2 == 0 { 0 } else { index % 4 }].clone();
            async move { (user, admitted(&gate, &token, &many).await) }
        })
        .await;
        let mut expected: Vec<Caller> = Vec::new();
        for (user, _) in &tokens {
            let calls = results.iter().filter(|(caller, admitted)| caller == user && *admitted).count() as u64;
            if calls > 0 {
                expected.push(Caller { user: *user, calls });
            }
        }
        expected.sort_by_key(|caller| (std::cmp::Reverse(caller.calls), caller.user));
        assert_eq!(expected[0].calls, 30);
        assert_eq!(top(&harness, &many).await, expected);
        assert_eq!(harness.call_tracker().distinct(many.api()).await.unwrap(), expected.len() as u64);
        flush(&harness, 1).await;
        flush(&harness, 1).await;
        let mut ledger = harness.call_ledger().totals(None, 100).await.unwrap();
        ledger.sort_by_key(|tally| (std::cmp::Reverse(tally.calls), tally.user));
        let ledger: Vec<Caller> =
            ledger.iter().map(|tally| Caller { user: tally.user, calls: tally.calls }).collect();
        assert_eq!(ledger, expected);
        assert_eq!(top(&harness, &many).await, expected, "the flush raised the board beyond the calls");
    }

    /// A live tier that lost everything is raised to the ledger again.
    async fn a_lost_board_is_raised_from_the_ledger(shared) {
        drop(shared);
        let harness = H::start_restartable().await;
        let (user, many) = (harness.user("ada").await, policy("many", &[(30, secs(60))]));
        let token = login(&harness, user).await;
        harness.save().await;
        let gate = harness.gate();
        for _ in 0..5 {
            assert!(admitted(&gate, &token, &many).await);
        }
        flush(&harness, 1).await;
        harness.roll_back().await;
        assert_eq!(top(&harness, &many).await, []);
        let (book, ledger, tracker) = (harness.book(), harness.call_ledger(), harness.call_tracker());
        assert!(!tracker.is_whole().await.unwrap());
        let (process, options) = (Incarnation::from_bytes([2; 16]), FlusherOptions::default());
        let history = harness.call_history();
        let flusher = CountFlusher::new(book, ledger, history, tracker.clone(), None, process, options);
        flusher.raise_board().await.unwrap();
        assert!(tracker.is_whole().await.unwrap());
        assert_eq!(top(&harness, &many).await, [Caller { user, calls: 5 }]);
        assert_eq!(harness.call_tracker().distinct(many.api()).await.unwrap(), 1);
        assert!(admitted(&harness.gate(), &token, &many).await);
        assert_eq!(top(&harness, &many).await, [Caller { user, calls: 6 }]);
    }
}
