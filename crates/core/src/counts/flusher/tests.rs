//! Flushes over a ledger and a live tier that fail as they are told.

use mockall::Sequence;

use super::*;
use crate::{
    counts::BookOptions,
    domain::{ApiName, Caller, Epoch, Tally, UserId},
    ports::{MockCallHistory, MockCallLedger, MockCallTracker, MockPendingCalls, SystemClock},
};

fn tally(user: u64, calls: u64) -> Tally {
    Tally { api: ApiName::new("ping").unwrap(), user: UserId::new(user).unwrap(), calls }
}

fn process() -> Incarnation {
    Incarnation::from_bytes([1; 16])
}

fn down<T>() -> Result<T, StoreError> {
    Err(StoreError::transient("test", "down"))
}

/// A live tier that is whole.
fn whole() -> MockCallTracker {
    let mut tracker = MockCallTracker::new();
    tracker.expect_is_whole().returning(|| Ok(true));
    tracker
}

fn flusher(
    ledger: MockCallLedger,
    tracker: MockCallTracker,
    pending: Option<MockPendingCalls>,
    options: BookOptions,
) -> (Arc<CallBook>, CountFlusher) {
    let book = Arc::new(CallBook::new(process(), Arc::new(SystemClock), options));
    let pending = pending.map(|pending| Arc::new(pending) as Arc<dyn PendingCalls>);
    let (ledger, tracker, history) = (Arc::new(ledger), Arc::new(tracker), Arc::new(MockCallHistory::new()));
    let options = FlusherOptions::default();
    let flusher = CountFlusher::new(Arc::clone(&book), ledger, history, tracker, pending, process(), options);
    (book, flusher)
}

async fn count(book: &CallBook) {
    book.enter().unwrap().count(&tally(1, 0).api, tally(1, 0).user).acknowledge().await.unwrap();
}

async fn pass(seconds: f64) {
    tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn an_epoch_is_repeated_until_the_ledger_has_it_and_the_last_one_is_flushed_at_the_end() {
    let (mut ledger, mut tracker, mut order) = (MockCallLedger::new(), whole(), Sequence::new());
    for (epoch, fails) in [(1, true), (1, true), (1, false), (2, false)] {
        ledger
            .expect_add()
            .once()
            .in_sequence(&mut order)
            .withf(move |id, sums| {
                id.epoch == Epoch::new(epoch)
                    && id.incarnation == process()
                    && sums.tallies == [tally(1, epoch)]
            })
            .returning(move |_, _| if fails { down() } else { Ok(Added::Totals(vec![tally(1, 9)])) });
    }
    ledger.expect_close().once().in_sequence(&mut order).returning(|_, epochs| {
        assert!(epochs.is_empty());
        Ok(())
    });
    tracker.expect_raise().times(2).returning(|_, callers| {
        assert_eq!(callers, [Caller { user: UserId::new(1).unwrap(), calls: 9 }]);
        Ok(false)
    });
    let (book, flusher) = flusher(ledger, tracker, None, BookOptions::default());
    count(&book).await;
    let stop = CancellationToken::new();
    let task = tokio::spawn(flusher.run(stop.clone()));
    pass(1.5).await;
    count(&book).await;
    count(&book).await;
    stop.cancel();
    task.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_ledger_that_stays_away_does_not_keep_a_process_from_ending() {
    let mut ledger = MockCallLedger::new();
    ledger.expect_add().returning(|_, _| down());
    // Not closed: what the live tier has noted is for others to adopt.
    ledger.expect_close().never();
    let (book, flusher) = flusher(ledger, whole(), None, BookOptions::default());
    count(&book).await;
    let stop = CancellationToken::new();
    stop.cancel();
    tokio::time::timeout(Duration::from_secs(11), flusher.run(stop)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_committed_first_need_not_wait_for_the_time_of_a_flush() {
    let (mut ledger, mut tracker) = (MockCallLedger::new(), whole());
    ledger.expect_add().once().returning(|_, sums| Ok(Added::Totals(sums.tallies.clone())));
    tracker.expect_raise().returning(|_, _| Ok(false));
    let options = BookOptions { commit_first: true, ..BookOptions::default() };
    let (book, flusher) = flusher(ledger, tracker, None, options);
    let task = tokio::spawn(flusher.run(CancellationToken::new()));
    let counted = tokio::time::timeout(Duration::from_millis(10), count(&book));
    counted.await.expect("it was flushed at once");
    task.abort();
}

#[tokio::test(start_paused = true)]
async fn what_is_in_the_ledger_is_settled_as_soon_as_the_live_tier_can() {
    let (mut ledger, mut tracker, mut pending) = (MockCallLedger::new(), whole(), MockPendingCalls::new());
    ledger.expect_add().returning(|_, sums| Ok(Added::Totals(sums.tallies.clone())));
    ledger.expect_orphans().returning(|| Ok(vec![]));
    ledger.expect_is_any_behind().returning(|| Ok(false));
    ledger.expect_close().returning(|_, _| Ok(()));
    tracker.expect_raise().returning(|_, _| Ok(false));
    pending.expect_beat().returning(|_, _| Ok(()));
    let mut order = Sequence::new();
    for (epoch, fails) in [(1, true), (1, false), (2, false)] {
        pending
            .expect_settle()
            .once()
            .in_sequence(&mut order)
            .withf(move |id| id.epoch == Epoch::new(epoch))
            .returning(move |_| if fails { down() } else { Ok(()) });
    }
    let (book, flusher) = flusher(ledger, tracker, Some(pending), BookOptions::default());
    let stop = CancellationToken::new();
    let task = tokio::spawn(flusher.run(stop.clone()));
    for _ in 0..2 {
        count(&book).await;
        pass(1.1).await;
    }
    stop.cancel();
    task.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_process_whose_counts_were_adopted_goes_on_under_another_name() {
    let (mut ledger, mut tracker, mut order) = (MockCallLedger::new(), whole(), Sequence::new());
    ledger.expect_add().once().in_sequence(&mut order).returning(|_, _| Ok(Added::Closed));
    ledger.expect_begin().once().in_sequence(&mut order).returning(|_, _| down());
    ledger.expect_begin().once().in_sequence(&mut order).returning(|incarnation, of| {
        assert!(of == process() && incarnation != process());
        Ok(())
    });
    ledger.expect_add().once().in_sequence(&mut order).returning(|id, sums| {
        assert!(id.incarnation != process() && id.epoch == Epoch::FIRST);
        assert_eq!(sums.tallies, [tally(1, 1)]);
        Ok(Added::Totals(sums.tallies.clone()))
    });
    ledger.expect_close().once().in_sequence(&mut order).returning(|of, _| {
        assert!(of != process());
        Ok(())
    });
    tracker.expect_raise().returning(|_, _| Ok(false));
    let (book, flusher) = flusher(ledger, tracker, None, BookOptions::default());
    let stop = CancellationToken::new();
    let task = tokio::spawn(flusher.run(stop.clone()));
    count(&book).await;
    pass(1.5).await;
    count(&book).await;
    pass(1.5).await;
    stop.cancel();
    task.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_fenced_call_makes_the_process_go_on_under_another_name() {
    let mut ledger = MockCallLedger::new();
    ledger.expect_begin().once().returning(|_, _| Ok(()));
    ledger.expect_close().returning(|_, _| Ok(()));
    let (book, flusher) = flusher(ledger, whole(), None, BookOptions::default());
    let task = tokio::spawn(flusher.run(CancellationToken::new()));
    let passage = book.enter().unwrap();
    assert!(passage.heed(StoreError::fenced("test")).is_fenced());
    drop(passage);
    pass(0.01).await;
    assert!(book.incarnation() != process());
    task.abort();
}

#[tokio::test(start_paused = true)]
async fn who_ends_while_the_live_counts_lack_calls_says_so_and_is_left_to_be_adopted() {
    for raised in [true, false] {
        let (mut ledger, mut tracker, mut pending) =
            (MockCallLedger::new(), MockCallTracker::new(), MockPendingCalls::new());
        ledger.expect_add().once().returning(|_, sums| Ok(Added::Totals(sums.tallies.clone())));
        ledger.expect_close().times(usize::from(raised)).returning(|_, _| Ok(()));
        let told = ledger.expect_say_behind().times(usize::from(!raised));
        told.withf(|of, behind| *of == process() && *behind).returning(|_, _| Ok(()));
        tracker.expect_raise().once().returning(move |_, _| if raised { Ok(false) } else { down() });
        pending.expect_settle().returning(|_| Ok(()));
        let (book, flusher) = flusher(ledger, tracker, Some(pending), BookOptions::default());
        let counts = flusher.live_counts();
        // Of which the live tier has not heard.
        drop(book.enter().unwrap().count_unheard(&tally(1, 0).api, tally(1, 0).user));
        let stop = CancellationToken::new();
        stop.cancel();
        flusher.run(stop).await;
        assert_eq!(counts.are_behind(), !raised);
    }
}
