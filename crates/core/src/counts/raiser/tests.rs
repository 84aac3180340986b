//! Raises over a live tier that loses what it is told to lose.

use std::sync::OnceLock;

use mockall::Sequence;

use super::*;
use crate::{
    counts::BookOptions,
    domain::UserId,
    ports::{ManualClock, MockCallLedger, MockCallTracker},
};

fn tally(user: u64, calls: u64) -> Tally {
    Tally { api: ApiName::new("ping").unwrap(), user: UserId::new(user).unwrap(), calls }
}

fn raiser(ledger: MockCallLedger, tracker: MockCallTracker) -> Raiser {
    Raiser::new(Arc::new(ledger), Arc::new(tracker))
}

/// A tracker at which so many whole raises begin, and all that get to their end have lost nothing.
fn raised(times: usize) -> MockCallTracker {
    let mut tracker = MockCallTracker::new();
    let begun = Arc::new(Mutex::new(None));
    let ended = Arc::clone(&begun);
    // As a live tier does it: whoever has begun keeps the others out, until the end.
    tracker.expect_begin_raise().times(times).returning(move |raise| {
        let mut begun = lock(&begun);
        assert!(begun.is_none_or(|other| other == raise), "{raise:?} beside {begun:?}");
        *begun = Some(raise);
        Ok(true)
    });
    tracker.expect_end_raise().returning(move |raise| Ok(lock(&ended).take() == Some(raise)));
    tracker
}

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
async fn what_is_whole_is_left_alone_and_what_is_not_is_raised() {
    let (mut ledger, mut tracker) = (MockCallLedger::new(), raised(1));
    ledger.expect_totals().once().returning(|_, _| Ok(vec![tally(1, 3)]));
    let mut whole = [true, false, true].into_iter();
    tracker.expect_is_whole().times(3).returning(move || Ok(whole.next().unwrap()));
    tracker.expect_raise().once().returning(|_, _| Ok(true));
    let raiser = raiser(ledger, tracker);
    for _ in 0..3 {
        raiser.look().await.unwrap();
    }
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
async fn counts_that_are_found_behind_are_raised_whole() {
    let (mut ledger, mut tracker) = (MockCallLedger::new(), raised(2));
    ledger.expect_totals().times(2).returning(|_, _| Ok(vec![tally(1, 3), tally(2, 5)]));
    tracker.expect_is_whole().returning(|| Ok(true));
    let is = |id, calls| Caller { user: UserId::new(id).unwrap(), calls };
    tracker.expect_raise().times(3).returning(move |_, callers| Ok(callers == [is(3, 1), is(2, 5)]));
    let raiser = raiser(ledger, tracker);
    raiser.raise_all().await.unwrap();
    raiser.look().await.unwrap();
    // Of a new caller, whose own total tells of no loss; that of a former one, which is asked for with it, does.
    raiser.follow(&[tally(3, 1)], false).await;
    raiser.look().await.unwrap();
}

#[tokio::test]
async fn totals_that_could_not_be_passed_on_are_raised_with_all_others() {
    let (mut ledger, mut tracker, mut order) = (MockCallLedger::new(), raised(1), Sequence::new());
    ledger.expect_totals().returning(|_, _| Ok(vec![tally(1, 3)]));
    tracker.expect_is_whole().returning(|| Ok(true));
    tracker
        .expect_raise()
        .once()
        .in_sequence(&mut order)
        .returning(|_, _| Err(StoreError::overloaded("test")));
    tracker.expect_raise().once().in_sequence(&mut order).returning(|_, _| Ok(true));
    let raiser = raiser(ledger, tracker);
    raiser.follow(&[tally(1, 3)], true).await;
    assert!(raiser.counts().are_behind());
    raiser.look().await.unwrap();
    raiser.look().await.unwrap();
}

#[tokio::test]
async fn counts_lack_what_they_could_not_be_told_and_have_not_heard_otherwise() {
    for (has_unheard, fails, lacks) in
        [(true, true, true), (true, false, false), (false, true, false), (false, false, false)]
    {
        // Of what it had not heard, the live tier was behind without having lost anything.
        let all = usize::from(fails || !has_unheard);
        let (mut ledger, mut tracker) = (MockCallLedger::new(), raised(all));
        ledger.expect_totals().times(all).returning(|_, _| Ok(vec![]));
        tracker.expect_is_whole().times(1 - all).returning(|| Ok(true));
        tracker
            .expect_raise()
            .once()
            .returning(move |_, _| if fails { Err(StoreError::transient("test", "down")) } else { Ok(true) });
        let raiser = raiser(ledger, tracker);
        raiser.follow(&[tally(1, 3)], has_unheard).await;
        assert_eq!(raiser.counts().are_behind(), lacks, "{has_unheard}, {fails}");
        raiser.look().await.unwrap();
        assert!(!raiser.counts().are_behind());
    }
}

#[tokio::test]
async fn a_witness_tells_of_a_loss_beside_what_was_unheard() {
    let (mut ledger, mut tracker) = (MockCallLedger::new(), raised(1));
    ledger.expect_totals().once().returning(|_, _| Ok(vec![]));
    let mut expected = [vec![(1, 3)], vec![(2, 5)], vec![(1, 3)]].into_iter();
    let mut was_behind = [false, true, true].into_iter();
    tracker.expect_raise().times(3).returning(move |_, callers| {
        let asked: Vec<_> = callers.iter().map(|caller| (caller.user.get(), caller.calls)).collect();
        assert_eq!(asked, expected.next().unwrap());
        Ok(was_behind.next().unwrap())
    });
    let raiser = raiser(ledger, tracker);
    raiser.follow(&[tally(1, 3)], false).await;
    raiser.follow(&[tally(2, 5)], true).await;
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
async fn what_the_live_counts_lack_is_told_to_others_once_and_heard_of_them() {
    let (mut ledger, mut order) = (MockCallLedger::new(), Sequence::new());
    let (one, two) = (Incarnation::from_bytes([1; 16]), Incarnation::from_bytes([2; 16]));
    for (name, behind) in [(one, true), (two, true), (two, false)] {
        let told = ledger.expect_say_behind().once().in_sequence(&mut order);
        told.withf(move |of, says| (*of, *says) == (name, behind)).returning(|_, _| Ok(()));
    }
    let mut others = [false, true, false, false, false].into_iter();
    ledger.expect_is_any_behind().returning(move || Ok(others.next().unwrap()));
    let raiser = raiser(ledger, MockCallTracker::new());
    let book = CallBook::new(one, Arc::new(ManualClock::new()), BookOptions::default());
    // Whether it lacks any itself, and what is known then; the third time it has another name.
    for (round, (own, behind)) in
        [(false, false), (true, true), (true, true), (true, true), (false, false)].into_iter().enumerate()
    {
        if round == 2 {
            book.begin_anew(two);
        }
        raiser.counts().set_here(own);
        raiser.tell(Some(&book)).await.unwrap();
        raiser.hear(Some(&book)).await.unwrap();
        assert_eq!(raiser.counts().are_behind(), behind, "{round}");
    }
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

#[tokio::test(start_paused = true)]
async fn who_cannot_reach_the_live_tier_hears_of_others_all_the_same() {
    let (mut ledger, mut tracker) = (MockCallLedger::new(), MockCallTracker::new());
    tracker.expect_is_whole().returning(|| Err(StoreError::transient("test", "down")));
    ledger.expect_is_any_behind().returning(|| Ok(true));
    let (raiser, stop) = (raiser(ledger, tracker), CancellationToken::new());
    let book =
        CallBook::new(Incarnation::from_bytes([1; 16]), Arc::new(ManualClock::new()), BookOptions::default());
    let looking = async {
        tokio::time::sleep(LOOK * 2).await;
        stop.cancel();
    };
    tokio::join!(raiser.run(&stop, Some(&book)), looking);
    assert!(raiser.counts().are_behind() && !raiser.counts().are_behind_here());
}
