//! When what became of calls is told.

use super::*;
use crate::{
    counts::CallBook,
    domain::{Activity, CallOutcome, Incarnation, Outcomes},
    ports::ManualClock,
};

fn ping() -> ApiName {
    ApiName::new("ping").unwrap()
}

fn book() -> (Arc<CallBook>, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new());
    let options = BookOptions { commit_first: true, ..BookOptions::default() };
    (Arc::new(CallBook::new(Incarnation::from_bytes([1; 16]), clock.clone(), options)), clock)
}

/// Counts a call that waits for its epoch, closes that, and says how many calls it told of and how many it told of what became of them.
async fn flush(book: &Arc<CallBook>, user: u64) -> (u64, u64) {
    let counted = book.enter().unwrap().count(&ping(), UserId::new(user).unwrap());
    let waiting = tokio::spawn(counted.commit());
    book.wished().await;
    let told = tell(&book.close().unwrap()).await;
    waiting.await.unwrap().unwrap();
    told
}

async fn tell(closed: &ClosedEpoch) -> (u64, u64) {
    let sums = closed.settled().await;
    closed.is_in_ledger();
    let outcomes =
        |activity: &Activity| activity.minutes.iter().map(|(_, outcomes)| outcomes.admitted).sum::<u64>();
    (sums.tallies.iter().map(|tally| tally.calls).sum(), sums.activity.iter().map(outcomes).sum())
}

#[tokio::test(start_paused = true)]
async fn where_calls_wait_it_is_told_once_a_second() {
    let (book, clock) = book();
    assert_eq!(flush(&book, 1).await, (1, 1));
    assert_eq!(flush(&book, 2).await, (1, 0));
    clock.advance(Duration::from_millis(999));
    assert_eq!(flush(&book, 3).await, (1, 0));
    clock.advance(Duration::from_millis(1));
    assert_eq!(flush(&book, 3).await, (1, 3), "with all that was left out");
    assert!(book.close().is_none());
}

#[tokio::test(start_paused = true)]
async fn what_is_left_out_is_told_by_the_next_epoch_that_nobody_waits_for_and_by_the_last() {
    let (book, _) = book();
    flush(&book, 1).await;
    assert_eq!(flush(&book, 2).await, (1, 0));
    assert_eq!(tell(&book.close().expect("something is left to tell")).await, (0, 1));
    assert_eq!(flush(&book, 3).await, (1, 0));
    book.tell_all();
    assert_eq!(flush(&book, 4).await, (1, 2));
    assert!(book.close().is_none());
}

#[tokio::test]
async fn what_counts_for_nobody_is_told_with_the_rest() {
    let (book, _) = book();
    book.note(&ping(), CallOutcome::Admitted);
    book.note(&ping(), CallOutcome::Refused);
    let sums = book.close().expect("there is something to tell").settled().await;
    assert_eq!(sums.tallies, []);
    let outcomes = Outcomes { admitted: 1, refused: 1, ..Outcomes::default() };
    assert_eq!(sums.activity[0].minutes[0].1, outcomes);
}
