//! The open epoch by itself.

use super::*;
use crate::{
    counts::Counted,
    domain::{Tally, UserId},
    ports::SystemClock,
};

fn user(id: u64) -> UserId {
    UserId::new(id).unwrap()
}

fn ping() -> ApiName {
    ApiName::new("ping").unwrap()
}

fn incarnation(byte: u8) -> Incarnation {
    Incarnation::from_bytes([byte; 16])
}

fn book(options: BookOptions) -> CallBook {
    CallBook::new(incarnation(1), Arc::new(SystemClock), options)
}

fn count(book: &CallBook, id: u64) -> Counted {
    book.enter().unwrap().count(&ping(), user(id))
}

#[tokio::test]
async fn an_epoch_waits_for_what_is_in_flight_and_for_nothing_later() {
    let book = book(BookOptions::default());
    count(&book, 1).acknowledge().await.unwrap();
    let (counted, dropped) = (book.enter().unwrap(), book.enter().unwrap());
    let first = book.close().unwrap();
    count(&book, 1).acknowledge().await.unwrap();
    assert!(tokio::time::timeout(Duration::from_millis(20), first.settled()).await.is_err());
    counted.count(&ping(), user(1)).acknowledge().await.unwrap();
    drop(dropped);
    assert_eq!(first.settled().await.tallies, [Tally { api: ping(), user: user(1), calls: 2 }]);
    let second = book.close().unwrap();
    let id = |epoch| EpochId { incarnation: incarnation(1), epoch };
    assert_eq!((first.id(), second.id()), (id(Epoch::FIRST), id(Epoch::FIRST.next())));
    assert_eq!(second.settled().await.tallies[0].calls, 1);
    assert!(book.close().is_none());
}

#[tokio::test]
async fn an_epoch_that_has_counted_nothing_yet_waits_for_what_is_in_flight_all_the_same() {
    let book = book(BookOptions::default());
    let passage = book.enter().unwrap();
    let closed = book.close().expect("a call is on its way through it");
    assert_eq!(passage.epoch(), closed.id());
    passage.count(&ping(), user(1)).acknowledge().await.unwrap();
    assert_eq!(closed.settled().await.tallies, [Tally { api: ping(), user: user(1), calls: 1 }]);
}

#[test]
fn a_full_book_refuses() {
    let book = book(BookOptions { limit: 2, ..BookOptions::default() });
    let _counted = [1, 2].map(|id| count(&book, id));
    assert!(book.enter().unwrap_err().is_transient());
    book.close().unwrap();
    assert!(book.enter().is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_committed_first_is_acknowledged_with_its_epoch_and_not_before() {
    let book = book(BookOptions { commit_first: true, ..BookOptions::default() });
    let (mut early, late) = (Box::pin(count(&book, 1).acknowledge()), count(&book, 2));
    assert!(tokio::time::timeout(Duration::from_millis(900), &mut early).await.is_err());
    book.wished().await;
    let closed = book.close().unwrap();
    assert_eq!(closed.settled().await.tallies.len(), 2);
    closed.is_in_ledger();
    early.await.unwrap();
    late.acknowledge().await.unwrap();
    let refused = count(&book, 3).acknowledge().await.unwrap_err();
    assert!(refused.is_transient() && !refused.is_fenced(), "{refused:?}");
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_an_epoch_that_was_adopted_is_not_acknowledged() {
    let book = book(BookOptions::default());
    let (closed_one, open_one);
    closed_one = count(&book, 1);
    let closed = book.close().unwrap();
    open_one = count(&book, 1);
    closed.was_adopted();
    book.begin_anew(incarnation(2));
    for waiting in [closed_one, open_one] {
        assert!(waiting.commit().await.unwrap_err().is_fenced());
    }
    assert_eq!(book.incarnation(), incarnation(2));
    assert!(book.close().is_none(), "the new incarnation has counted nothing");
}

#[tokio::test]
async fn a_fence_is_of_one_incarnation() {
    let book = book(BookOptions::default());
    let (passage, late) = (book.enter().unwrap(), book.enter().unwrap());
    assert!(!book.was_fenced());
    let overloaded = passage.heed(StoreError::overloaded("test"));
    assert!(!overloaded.is_fenced() && !book.was_fenced());
    assert_eq!(overloaded.noted_under(), Some(incarnation(1)));
    assert!(passage.heed(StoreError::fenced("test")).is_fenced());
    book.wished().await;
    assert!(book.was_fenced());
    book.begin_anew(incarnation(2));
    assert!(!book.was_fenced());
    assert!(late.heed(StoreError::fenced("test")).is_fenced() && !book.was_fenced());
    assert_eq!(book.former(), [incarnation(1)]);
    book.is_closed(incarnation(1));
    assert_eq!(book.former(), []);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_comes_too_late_for_its_epoch_is_acknowledged_with_the_next() {
    let book = book(BookOptions::default());
    let (late, never) = (book.enter().unwrap(), book.enter().unwrap());
    let first = book.close().unwrap();
    // It waits for the next epoch, and so for the drain of the first.
    let mut waiting = Box::pin(count(&book, 1).commit());
    assert!(tokio::time::timeout(Duration::from_millis(1), &mut waiting).await.is_err());
    let settled = tokio::time::timeout(Duration::from_millis(50), first.settled());
    assert_eq!(settled.await.expect("it waits for nobody's lost answer").tallies, []);
    first.is_in_ledger();
    let mut late = Box::pin(late.count(&ping(), user(1)).acknowledge());
    assert!(tokio::time::timeout(Duration::from_millis(900), &mut late).await.is_err());
    let second = book.close().unwrap();
    assert_eq!(second.settled().await.tallies, [Tally { api: ping(), user: user(1), calls: 2 }]);
    second.is_in_ledger();
    late.await.unwrap();
    waiting.await.unwrap();
    drop(never);
    assert!(book.close().is_none(), "what was dropped leaves no trace");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_comes_too_late_for_its_incarnation_is_not_acknowledged() {
    let book = book(BookOptions::default());
    let late = book.enter().unwrap();
    let closed = book.close().unwrap();
    let waiting = tokio::spawn(count(&book, 1).commit());
    assert_eq!(closed.settled().await.tallies, []);
    closed.was_adopted();
    book.begin_anew(incarnation(2));
    assert!(waiting.await.unwrap().unwrap_err().is_fenced());
    assert!(late.count(&ping(), user(1)).acknowledge().await.unwrap_err().is_fenced());
    assert!(book.close().is_none());
}

#[test]
fn a_call_that_was_tried_under_another_name_is_not_counted_again() {
    let book = book(BookOptions::default());
    drop(book.enter_again(incarnation(1)).unwrap());
    book.begin_anew(incarnation(2));
    assert!(book.enter_again(incarnation(1)).unwrap_err().is_fenced());
    assert!(book.close().is_none());
}

#[tokio::test(start_paused = true)]
async fn late_calls_make_no_others_late() {
    let book = book(BookOptions::default());
    let late = book.enter().unwrap();
    let first = book.close().unwrap();
    let waiting = tokio::spawn(count(&book, 1).commit());
    first.settled().await;
    let second = book.close().unwrap();
    second.settled().await;
    second.is_in_ledger();
    waiting.await.unwrap().unwrap();
    let once_more = tokio::time::timeout(Duration::from_millis(20), first.settled()).await;
    assert_eq!(once_more.expect("what is sealed waits for nobody").tallies, []);
    let late = tokio::spawn(late.count(&ping(), user(1)).acknowledge());
    let slow = book.enter().unwrap();
    book.wished().await;
    let third = book.close().expect("the late call is in it");
    assert!(
        tokio::time::timeout(Duration::from_millis(500), third.settled()).await.is_err(),
        "it is pressed"
    );
    drop(slow);
    assert_eq!(third.settled().await.tallies.len(), 1);
    third.is_in_ledger();
    late.await.unwrap().unwrap();
}

#[test]
fn a_long_row_of_epochs_ends_without_a_deep_stack() {
    let book = book(BookOptions::default());
    let slow = book.enter().unwrap();
    for _ in 0..100_000 {
        let _counted = count(&book, 1);
        drop(book.close().unwrap());
    }
    drop(slow);
}
