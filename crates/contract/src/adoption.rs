//! What two processes on the same tiers promise of each other's counts: a process that dies loses none, and one that is only taken
//! for dead counts none twice.

use std::{sync::Arc, time::Duration};

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tollbar_core::{
    counts::{BookOptions, CallBook, CountFlusher, FlusherOptions},
    domain::{Caller, Epoch, EpochId, EpochSums, Incarnation, Policy, UserId},
    ports::{Admission, Clock, Gate, Sharing, SystemClock},
};

use crate::{
    SharedTiersHarness,
    gate::login,
    rate_limiter::{policy, secs},
};

/// How long a process without a sign of life is taken for alive, in these cases.
const CLAIM: Duration = Duration::from_millis(300);
const SOON: Duration = Duration::from_secs(20);

/// A process, as far as counts go. What it has not flushed ends with it.
struct Process {
    gate: Arc<dyn Gate>,
    flushing: JoinHandle<()>,
    stop: CancellationToken,
    id: Incarnation,
}

async fn hold(harness: &impl SharedTiersHarness, id: Incarnation, ttl: Duration) {
    harness.claims().hold(id, Sharing::Together, ttl).await.unwrap();
}

async fn start(harness: &impl SharedTiersHarness, byte: u8, every: Duration, claim: Duration) -> Process {
    let id = Incarnation::from_bytes([byte; 16]);
    hold(harness, id, claim).await;
    harness.call_ledger().begin(id, id).await.unwrap();
    let book = Arc::new(CallBook::new(id, Arc::new(SystemClock), BookOptions::default()));
    let gate = harness.gate_with(Arc::new(harness.process()), book.clone());
    let (ledger, tracker) = (harness.call_ledger(), harness.call_tracker());
    let pending = Some(harness.pending_calls());
    let options = FlusherOptions { every, claim, ..FlusherOptions::default() };
    let flusher = CountFlusher::new(book, ledger, harness.call_history(), tracker, pending, id, options);
    let stop = CancellationToken::new();
    Process { gate, flushing: tokio::spawn(flusher.run(stop.clone())), stop, id }
}

impl Process {
    /// Ends without a word.
    async fn kill(self) {
        self.flushing.abort();
        let _ = self.flushing.await;
    }

    async fn end(self) {
        self.stop.cancel();
        self.flushing.await.unwrap();
    }

    /// How many of so many calls are acknowledged.
    async fn call(&self, token: &str, policy: &Policy, calls: usize) -> u64 {
        let mut acknowledged = 0;
        for _ in 0..calls {
            match self.gate.admit(token, policy).await {
                Ok(Admission::Admitted { .. }) => acknowledged += 1,
                Ok(other) => panic!("{other:?}"),
                Err(error) => assert!(error.is_fenced(), "{error:?}"),
            }
        }
        acknowledged
    }
}

async fn in_ledger(harness: &impl SharedTiersHarness) -> u64 {
    harness.call_ledger().totals(None, 100).await.unwrap().iter().map(|tally| tally.calls).sum()
}

async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let waiting = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(SOON, waiting).await.unwrap_or_else(|_| panic!("not within {SOON:?}: {what}"));
}

async fn live(harness: &impl SharedTiersHarness, policy: &Policy) -> Vec<Caller> {
    harness.call_tracker().top(policy.api(), 10).await.unwrap()
}

async fn ada(harness: &impl SharedTiersHarness) -> (UserId, String, Policy) {
    let user = harness.user("ada").await;
    (user, login(harness, user).await, policy("many", &[(500, secs(60))]))
}

suite! {
    ($) adoption_suite, adoption, SharedTiersHarness;

    /// The calls of a process that was killed before a flush come into the ledger by another, once.
    async fn a_killed_process_loses_no_call(harness) {
        let (user, token, many) = ada(&harness).await;
        let killed = start(&harness, 1, secs(600), CLAIM).await;
        assert_eq!(killed.call(&token, &many, 30).await, 30);
        killed.kill().await;
        assert_eq!(in_ledger(&harness).await, 0);
        // Two who adopt at the same time.
        let others = [start(&harness, 2, secs(600), CLAIM).await, start(&harness, 3, secs(600), CLAIM).await];
        let renewing = async {
            loop {
                for other in &others {
                    hold(&harness, other.id, CLAIM).await;
                }
                tokio::time::sleep(CLAIM / 3).await;
            }
        };
        let adopted = async {
            until("adopted", || async { in_ledger(&harness).await > 0 }).await;
            tokio::time::sleep(CLAIM * 3).await;
        };
        tokio::select! { () = renewing => {}, () = adopted => {} }
        assert_eq!(in_ledger(&harness).await, 30);
        assert_eq!(live(&harness, &many).await, [Caller { user, calls: 30 }]);
        for other in others {
            other.end().await;
        }
    }

    /// A process that lives, but was taken for dead, goes on under another name: what it acknowledged before and after is in
    /// the ledger once, and what it could not count it did not acknowledge.
    async fn a_process_that_was_taken_for_dead_counts_all_once(harness) {
        let (user, token, many) = ada(&harness).await;
        let zombie = start(&harness, 1, secs(600), CLAIM).await;
        let mut acknowledged = zombie.call(&token, &many, 20).await;
        let former = zombie.id;
        harness.claims().release(former).await.unwrap();
        // It hangs: no sign of life comes any more, in either tier.
        let (pending, ledger) = (harness.pending_calls(), harness.call_ledger());
        pending.fence(former).await.unwrap();
        let adopted = pending.pending(EpochId { incarnation: former, epoch: Epoch::FIRST });
        let adopted = EpochSums::about(SystemClock.now(), adopted.await.unwrap());
        let adopted = vec![(Epoch::FIRST, adopted)];
        ledger.close(former, &adopted).await.unwrap();
        assert_eq!(in_ledger(&harness).await, 20);
        // The first calls find it out.
        let gate = &zombie;
        until("counting goes on", || async { gate.call(&token, &many, 1).await == 1 }).await;
        acknowledged += 1 + zombie.call(&token, &many, 20).await;
        zombie.end().await;
        assert_eq!(in_ledger(&harness).await, acknowledged);
        assert_eq!(live(&harness, &many).await, [Caller { user, calls: acknowledged }]);
    }

    /// Whoever fenced a process may die before it has closed it: the process, which lives, then does it itself.
    async fn a_process_that_was_fenced_and_not_adopted_counts_all_once(harness) {
        let (user, token, many) = ada(&harness).await;
        let process = start(&harness, 1, secs(600), CLAIM).await;
        let mut acknowledged = process.call(&token, &many, 20).await;
        harness.pending_calls().fence(process.id).await.unwrap();
        let gate = &process;
        until("counting goes on", || async { gate.call(&token, &many, 1).await == 1 }).await;
        acknowledged += 1 + process.call(&token, &many, 20).await;
        until("adopted by itself", || async { in_ledger(&harness).await == 20 }).await;
        process.end().await;
        assert_eq!(in_ledger(&harness).await, acknowledged);
        assert_eq!(live(&harness, &many).await, [Caller { user, calls: acknowledged }]);
    }

    /// A process that only cannot renew its claim is not adopted while it gives a sign of life in the live tier.
    async fn a_process_that_beats_is_left_alone(harness) {
        let (_, token, many) = ada(&harness).await;
        let cut_off = start(&harness, 1, secs(600), secs(600)).await;
        harness.claims().release(cut_off.id).await.unwrap();
        assert_eq!(cut_off.call(&token, &many, 5).await, 5);
        let other = start(&harness, 2, secs(600), CLAIM).await;
        tokio::time::sleep(CLAIM * 3).await;
        assert_eq!(in_ledger(&harness).await, 0);
        assert_eq!(cut_off.call(&token, &many, 5).await, 5);
        other.end().await;
        cut_off.end().await;
        assert_eq!(in_ledger(&harness).await, 10);
    }

    /// What is in the ledger is noted no longer, and an end in order leaves no orphan.
    async fn an_end_in_order_leaves_nothing(harness) {
        let (_, token, many) = ada(&harness).await;
        let process = start(&harness, 1, Duration::from_millis(20), CLAIM).await;
        for _ in 0..5 {
            assert_eq!(process.call(&token, &many, 3).await, 3);
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
        let id = process.id;
        process.end().await;
        assert_eq!(in_ledger(&harness).await, 15);
        harness.claims().release(id).await.unwrap();
        assert_eq!(harness.call_ledger().orphans().await.unwrap(), []);
        for epoch in 1..=10 {
            let epoch = EpochId { incarnation: id, epoch: Epoch::new(epoch) };
            assert_eq!(harness.pending_calls().pending(epoch).await.unwrap(), []);
        }
    }
}
