//! Whole raises, over a live tier and a ledger that fail where they are told to.

use std::sync::{Arc, Mutex, OnceLock};

use mockall::Sequence;

use super::*;
use crate::{
    counts::raiser::{
        LOOK,
        tests::{raised, raiser, tally},
    },
    domain::UserId,
    ports::{MockCallLedger, MockCallTracker},
};

#[tokio::test]
async fn all_is_raised_page_by_page_and_again_after_a_failure() {
    let (mut ledger, mut tracker, mut order) = (MockCallLedger::new(), raised(2), Sequence::new());
    ledger
        .expect_totals()
        .withf(|after, _| after.is_none())
        .returning(|_, limit| Ok((1..=limit as u64).map(|id| tally(id, 1)).collect()));
    ledger
        .expect_totals()
        .withf(|after, _| *after == Some((tally(1, 1).api, UserId::new(PAGE as u64).unwrap())))
        .returning(|_, _| Ok(vec![tally(PAGE as u64 + 1, 1)]));
    for (size, fails) in [(PAGE, false), (1, true), (PAGE, false), (1, false)] {
        tracker
            .expect_raise()
            .once()
            .in_sequence(&mut order)
            .withf(move |_, callers| callers.len() == size)
            .returning(move |_, _| if fails { Err(StoreError::transient("test", "down")) } else { Ok(true) });
    }
    tracker.expect_is_whole().once().returning(|| Ok(true));
    let raiser = raiser(ledger, tracker);
    assert!(raiser.raise_all().await.is_err());
    // Whatever the live tier says of itself.
    raiser.look().await.unwrap();
    raiser.look().await.unwrap();
}

#[tokio::test]
async fn a_raise_that_may_have_begun_is_begun_again_and_not_another() {
    let (mut ledger, mut tracker) = (MockCallLedger::new(), MockCallTracker::new());
    ledger.expect_totals().returning(|_, _| Ok(vec![]));
    let (asked, first) = (Arc::new(Mutex::new(Vec::new())), StoreError::deadline("test", LOOK));
    let (heard, mut answers) = (Arc::clone(&asked), vec![Ok(true), Ok(true), Err(first)]);
    tracker.expect_begin_raise().times(3).returning(move |raise| {
        lock(&heard).push(raise);
        answers.pop().unwrap()
    });
    tracker.expect_end_raise().returning(|_| Ok(true));
    let raiser = raiser(ledger, tracker);
    assert!(raiser.raise_all().await.is_err());
    raiser.raise_all().await.unwrap();
    raiser.raise_all().await.unwrap();
    let asked = lock(&asked);
    assert!(asked[0] == asked[1] && asked[1] != asked[2], "{asked:?}");
}

#[tokio::test]
async fn a_change_that_fails_leaves_the_raise_to_be_begun_again() {
    let (mut ledger, tracker) = (MockCallLedger::new(), raised(2));
    ledger.expect_totals().returning(|_, _| Ok(vec![]));
    let raiser = raiser(ledger, tracker);
    let fails = async { Err(StoreError::transient("test", "down")) };
    assert!(raiser.raise_all_after(fails).await.is_err());
    raiser.look().await.unwrap();
}

#[tokio::test]
async fn two_do_not_raise_all_at_once() {
    let (ledger, mut tracker) = (MockCallLedger::new(), MockCallTracker::new());
    tracker.expect_is_whole().returning(|| Ok(false));
    tracker.expect_begin_raise().times(2).returning(|_| Ok(false));
    let raiser = raiser(ledger, tracker);
    raiser.look().await.unwrap();
    raiser.look().await.unwrap();
}

#[tokio::test]
async fn a_raise_makes_up_for_what_was_missing_before_it_and_not_for_what_is_since() {
    let (mut ledger, tracker) = (MockCallLedger::new(), raised(2));
    let shared = Arc::new(OnceLock::<Arc<Raiser>>::new());
    let (within, mut is_first) = (Arc::clone(&shared), true);
    ledger.expect_totals().times(2).returning(move |_, _| {
        if std::mem::take(&mut is_first) {
            within.get().unwrap().miss();
        }
        Ok(vec![])
    });
    let raiser = shared.get_or_init(|| Arc::new(raiser(ledger, tracker)));
    raiser.miss();
    raiser.raise_all().await.unwrap();
    assert!(raiser.counts().are_behind());
    raiser.look().await.unwrap();
    assert!(!raiser.counts().are_behind());
}

#[tokio::test]
async fn a_raise_that_cannot_begin_is_tried_again_and_says_nothing_of_what_is_missing() {
    let (ledger, mut tracker) = (MockCallLedger::new(), MockCallTracker::new());
    tracker.expect_begin_raise().times(2).returning(|_| Err(StoreError::transient("test", "down")));
    let raiser = raiser(ledger, tracker);
    assert!(raiser.raise_all().await.is_err());
    assert!(raiser.look().await.is_err(), "whatever the live tier says of itself");
    assert!(!raiser.counts().are_behind());
}

#[tokio::test]
async fn a_raise_that_another_one_overtook_makes_up_for_nothing() {
    let (mut ledger, mut tracker) = (MockCallLedger::new(), MockCallTracker::new());
    ledger.expect_totals().returning(|_, _| Ok(vec![]));
    tracker.expect_begin_raise().returning(|_| Ok(true));
    let mut ends = [false, true].into_iter();
    tracker.expect_end_raise().times(2).returning(move |_| Ok(ends.next().unwrap()));
    let raiser = raiser(ledger, tracker);
    raiser.miss();
    raiser.look().await.unwrap();
    assert!(raiser.counts().are_behind());
    raiser.look().await.unwrap();
    assert!(!raiser.counts().are_behind());
}
