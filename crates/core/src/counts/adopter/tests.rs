//! The order of an adoption.

use mockall::{Sequence, predicate::eq};

use super::*;
use crate::{
    counts::BookOptions,
    domain::{ApiName, Tally, UserId},
    ports::{ManualClock, MockCallLedger, MockCallTracker, MockPendingCalls},
};

fn named(byte: u8) -> Incarnation {
    Incarnation::from_bytes([byte; 16])
}

fn adopter(ledger: MockCallLedger, tracker: MockCallTracker, pending: MockPendingCalls) -> Adopter {
    let ledger: Arc<dyn CallLedger> = Arc::new(ledger);
    Adopter {
        book: Arc::new(CallBook::new(named(1), Arc::new(ManualClock::new()), BookOptions::default())),
        raiser: Arc::new(Raiser::new(Arc::clone(&ledger), Arc::new(tracker))),
        ledger,
        pending: Arc::new(pending),
        ttl: Duration::from_secs(9),
    }
}

fn noted(calls: u64) -> Vec<Tally> {
    vec![Tally { api: ApiName::new("ping").unwrap(), user: UserId::new(1).unwrap(), calls }]
}

#[tokio::test]
async fn the_fence_comes_first_and_the_last_flush_is_read_behind_it() {
    let (mut ledger, mut tracker, mut pending, mut order) =
        (MockCallLedger::new(), MockCallTracker::new(), MockPendingCalls::new(), Sequence::new());
    let id = |epoch| EpochId { incarnation: named(2), epoch: Epoch::new(epoch) };
    pending.expect_fence().once().in_sequence(&mut order).with(eq(named(2))).returning(|_| Ok(()));
    ledger.expect_last_added().once().in_sequence(&mut order).returning(|_| Ok(Some(Epoch::new(4))));
    for epoch in [5, 6] {
        let reads = pending.expect_pending().once().in_sequence(&mut order).with(eq(id(epoch)));
        reads.returning(move |_| Ok(noted(epoch)));
    }
    // The live counts are not whole from before the close on: whoever it was may have died before it raised them.
    tracker.expect_begin_raise().once().in_sequence(&mut order).returning(|_| Ok(true));
    ledger.expect_close().once().in_sequence(&mut order).returning(|of, epochs| {
        assert_eq!(of, named(2));
        for ((epoch, sums), number) in epochs.iter().zip([5, 6]) {
            assert_eq!((*epoch, &sums.tallies), (Epoch::new(number), &noted(number)));
            assert_eq!(sums.activity[0].minutes[0].1.admitted, number);
        }
        Ok(())
    });
    ledger.expect_totals().once().in_sequence(&mut order).returning(|_, _| Ok(vec![]));
    tracker.expect_end_raise().once().in_sequence(&mut order).returning(|_| Ok(true));
    for epoch in [5, 6] {
        pending.expect_settle().once().in_sequence(&mut order).with(eq(id(epoch))).returning(|_| Ok(()));
    }
    adopter(ledger, tracker, pending).adopt(named(2)).await.unwrap();
}

#[tokio::test]
async fn who_beats_or_is_oneself_or_is_closed_meanwhile_is_left_alone() {
    let (mut ledger, mut pending) = (MockCallLedger::new(), MockPendingCalls::new());
    ledger.expect_orphans().returning(|| Ok(vec![named(1), named(2), named(3)]));
    pending.expect_beats().with(eq(named(2))).returning(|_| Ok(true));
    pending.expect_beats().with(eq(named(3))).returning(|_| Ok(false));
    pending.expect_fence().once().with(eq(named(3))).returning(|_| Ok(()));
    ledger.expect_last_added().once().returning(|_| Ok(None));
    adopter(ledger, MockCallTracker::new(), pending).adopt_orphans(named(1)).await.unwrap();
}

#[tokio::test]
async fn whom_one_was_before_is_adopted_until_it_is_closed() {
    let (mut ledger, mut pending) = (MockCallLedger::new(), MockPendingCalls::new());
    ledger.expect_orphans().returning(|| Ok(vec![]));
    let mut fences = [Err(crate::StoreError::transient("test", "down")), Ok(())].into_iter();
    pending.expect_fence().times(2).with(eq(named(1))).returning(move |_| fences.next().unwrap());
    ledger.expect_last_added().once().with(eq(named(1))).returning(|_| Ok(None));
    let adopter = adopter(ledger, MockCallTracker::new(), pending);
    adopter.book.begin_anew(named(5));
    assert!(adopter.adopt_orphans(named(5)).await.is_err());
    for _ in 0..2 {
        adopter.adopt_orphans(named(5)).await.unwrap();
    }
}

#[tokio::test]
async fn one_that_cannot_be_adopted_does_not_keep_others_from_it() {
    let (mut ledger, mut pending) = (MockCallLedger::new(), MockPendingCalls::new());
    ledger.expect_orphans().returning(|| Ok(vec![named(2), named(3)]));
    pending.expect_beats().returning(|_| Ok(false));
    let damaged = || crate::StoreError::transient("test", "damaged");
    pending.expect_fence().times(2).with(eq(named(2))).returning(move |_| Err(damaged()));
    pending.expect_fence().once().with(eq(named(3))).returning(|_| Ok(()));
    pending.expect_fence().once().with(eq(named(1))).returning(|_| Ok(()));
    ledger.expect_last_added().times(2).returning(|_| Ok(None));
    let adopter = adopter(ledger, MockCallTracker::new(), pending);
    adopter.book.begin_anew(named(2));
    adopter.book.begin_anew(named(5));
    assert!(adopter.adopt_orphans(named(5)).await.is_err());
    assert_eq!(adopter.book.former(), [named(2)]);
}

#[tokio::test]
async fn what_the_dead_one_said_of_the_live_counts_is_said_on_until_they_are_raised() {
    let (mut ledger, mut tracker, mut pending, mut order) =
        (MockCallLedger::new(), MockCallTracker::new(), MockPendingCalls::new(), Sequence::new());
    pending.expect_fence().returning(|_| Ok(()));
    pending.expect_pending().returning(|_| Ok(vec![]));
    pending.expect_settle().returning(|_| Ok(()));
    ledger.expect_last_added().returning(|_| Ok(Some(Epoch::new(4))));
    let said = ledger.expect_say_behind().once().in_sequence(&mut order);
    said.with(eq(named(1)), eq(true)).returning(|_, _| Ok(()));
    ledger.expect_close().once().in_sequence(&mut order).returning(|_, _| Ok(()));
    ledger.expect_totals().returning(|_, _| Ok(vec![]));
    tracker.expect_begin_raise().returning(|_| Ok(true));
    tracker.expect_end_raise().once().in_sequence(&mut order).returning(|_| Ok(true));
    let adopter = adopter(ledger, tracker, pending);
    adopter.raiser.counts().set_any(true);
    adopter.adopt(named(2)).await.unwrap();
    assert!(!adopter.raiser.counts().are_behind_here());
}
