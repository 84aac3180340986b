//! What a [`PendingCalls`] promises.

use std::{sync::Arc, time::Duration};

use tollbar_core::{
    domain::{EpochId, Tally, UserId},
    ports::{CallTracker, PendingCalls, RateLimiter},
};

use crate::{
    PendingCallsHarness,
    call_ledger::tally,
    harness::epoch_of,
    one_trip::{admitted, counted_as, login},
    rate_limiter::{policy, secs, user},
    together,
};

async fn pending(calls: &Arc<dyn PendingCalls>, id: EpochId) -> Vec<Tally> {
    let mut pending = calls.pending(id).await.unwrap();
    pending.sort_by(|a, b| (&a.api, a.user).cmp(&(&b.api, b.user)));
    pending
}

async fn count(tracker: &Arc<dyn CallTracker>, id: u64, epoch: EpochId) -> bool {
    match tracker.record(&tally("ping", 1, 1).api, user(id), epoch).await {
        Ok(()) => true,
        Err(error) => {
            assert!(error.is_fenced() && error.is_transient(), "{error:?}");
            false
        }
    }
}

async fn left(limiter: &Arc<dyn RateLimiter>, of: UserId) -> u32 {
    limiter.peek(&policy("ping", &[(5, secs(60))]), of.into()).await.unwrap().windows[0].remaining
}

suite! {
    ($) pending_calls_suite, pending_calls, PendingCallsHarness;

    /// Every call that is counted is noted under its epoch, whichever way it was counted; a denied one is not.
    async fn what_is_counted_is_noted(harness) {
        let (engine, calls, tracker) = (harness.one_trip(), harness.pending_calls(), harness.call_tracker());
        let (first, second) = (epoch_of(1, 1), epoch_of(1, 2));
        let two = policy("ping", &[(2, secs(60))]);
        let token = login(&harness, 1, 1).await;
        admitted(&engine, &token, &two).await;
        assert!(engine.charge(user(1), &two, first).await.unwrap().allowed());
        assert!(!engine.charge(user(1), &two, first).await.unwrap().allowed());
        assert!(engine.charge(user(17), &counted_as("pong", &two), first).await.unwrap().allowed());
        assert!(count(&tracker, 2, first).await);
        assert!(count(&tracker, 2, second).await);
        assert!(count(&tracker, 2, epoch_of(2, 1)).await);
        let noted = [tally("ping", 1, 2), tally("ping", 2, 1), tally("pong", 17, 1)];
        assert_eq!(pending(&calls, first).await, noted);
        assert_eq!(pending(&calls, second).await, [tally("ping", 2, 1)]);
        assert_eq!(pending(&calls, epoch_of(2, 2)).await, []);
        assert!(engine.limit(user(9).into(), &two).await.unwrap().allowed());
        assert_eq!(pending(&calls, first).await, noted, "a limit counts nothing");
    }

    /// Many at once, over all partitions and two epochs, are all noted, each under its own.
    async fn calls_at_once_are_all_noted(harness) {
        let (engine, calls) = (harness.one_trip(), harness.pending_calls());
        let many = policy("ping", &[(100, secs(60))]);
        together(200, |index| {
            let (engine, many) = (engine.clone(), many.clone());
            async move {
                let id = index as u64 % 40 + 1;
                engine.charge(user(id), &many, epoch_of(1, index as u64 % 2)).await.unwrap();
            }
        })
        .await;
        for epoch in [0, 1] {
            let noted = pending(&calls, epoch_of(1, epoch)).await;
            assert_eq!(noted.iter().map(|tally| tally.calls).sum::<u64>(), 100);
            assert!(noted.iter().all(|tally| tally.user.get() % 2 != epoch && tally.calls == 5), "{noted:?}");
        }
    }

    /// What is settled is forgotten, and nothing else is.
    async fn a_settled_epoch_is_forgotten(harness) {
        let (calls, tracker) = (harness.pending_calls(), harness.call_tracker());
        for epoch in [1, 2] {
            for id in 1..=40 {
                assert!(count(&tracker, id, epoch_of(1, epoch)).await);
            }
        }
        for _ in 0..2 {
            calls.settle(epoch_of(1, 1)).await.unwrap();
            assert_eq!(pending(&calls, epoch_of(1, 1)).await, []);
        }
        assert_eq!(pending(&calls, epoch_of(1, 2)).await.len(), 40);
        assert_eq!(tracker.distinct(&tally("ping", 1, 1).api).await.unwrap(), 40);
    }

    /// Whose incarnation is fenced is refused, whichever way it counts, and nothing is changed; what it has noted stays.
    async fn a_fenced_incarnation_counts_nothing(harness) {
        let (engine, calls) = (harness.one_trip(), harness.pending_calls());
        let (tracker, limiter) = (harness.call_tracker(), harness.rate_limiter());
        let five = policy("ping", &[(5, secs(60))]);
        let mut tokens = Vec::new();
        for id in 1..=40 {
            tokens.push(login(&harness, id, 1).await);
            assert!(count(&tracker, id, epoch_of(1, 1)).await);
        }
        for _ in 0..2 {
            calls.fence(epoch_of(1, 1).incarnation).await.unwrap();
        }
        for token in &tokens {
            let id = token.user();
            for epoch in [1, 2] {
                assert!(!count(&tracker, id.get(), epoch_of(1, epoch)).await);
                assert!(engine.admit(token, &five, epoch_of(1, epoch)).await.unwrap_err().is_fenced());
                assert!(engine.charge(id, &five, epoch_of(1, epoch)).await.unwrap_err().is_fenced());
            }
            assert_eq!(left(&limiter, id).await, 5);
        }
        assert_eq!(pending(&calls, epoch_of(1, 1)).await.len(), 40);
        assert_eq!(pending(&calls, epoch_of(1, 2)).await, []);
        let most = tracker.top(five.api(), 1).await.unwrap();
        assert_eq!(most[0].calls, 1, "{most:?}");
        assert!(count(&tracker, 1, epoch_of(2, 1)).await, "others go on");
        assert!(engine.limit(user(1).into(), &five).await.unwrap().allowed(), "a limit counts nothing");
    }

    /// While calls come in, a fence falls: what was acknowledged is noted when it has fallen, and nothing comes later.
    async fn nothing_is_noted_behind_a_fence(harness) {
        let (calls, tracker) = (harness.pending_calls(), harness.call_tracker());
        let id = epoch_of(1, 1);
        let outcomes = together(21, |index| {
            let (calls, tracker) = (calls.clone(), tracker.clone());
            async move {
                if index == 20 {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                    calls.fence(id.incarnation).await.unwrap();
                    return (0, pending(&calls, id).await);
                }
                let mut acknowledged = 0;
                for user in 1..=100 {
                    acknowledged += u64::from(count(&tracker, user, id).await);
                }
                (acknowledged, vec![])
            }
        })
        .await;
        let acknowledged: u64 = outcomes.iter().map(|(acknowledged, _)| acknowledged).sum();
        let noted = &outcomes[20].1;
        assert_eq!(noted.iter().map(|tally| tally.calls).sum::<u64>(), acknowledged);
        assert_eq!(&pending(&calls, id).await, noted);
    }

    /// A sign of life is believed for its time.
    async fn a_sign_of_life_lapses(harness) {
        let (calls, id) = (harness.pending_calls(), epoch_of(1, 1).incarnation);
        assert!(!calls.beats(id).await.unwrap());
        calls.beat(id, secs(600)).await.unwrap();
        assert!(calls.beats(id).await.unwrap());
        assert!(!calls.beats(epoch_of(2, 1).incarnation).await.unwrap());
        calls.beat(id, Duration::from_millis(20)).await.unwrap();
        let lapsed = async {
            while calls.beats(id).await.unwrap() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(secs(10), lapsed).await.expect("its time is over");
    }
}
