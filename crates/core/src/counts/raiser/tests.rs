//! Raises over a live tier that loses what it is told to lose.

use std::sync::OnceLock;

use mockall::Sequence;

use super::*;
use crate::{
    counts::{BookOptions, owed::MOST_OWED},
    domain::{Incarnation, UserId},
    ports::{ManualClock, MockCallLedger, MockCallTracker},
};

pub(super) fn tally(user: u64, calls: u64) -> Tally {
    Tally { api: ApiName::new("ping").unwrap(), user: UserId::new(user).unwrap(), calls }
}

pub(super) fn raiser(ledger: MockCallLedger, tracker: MockCallTracker) -> Raiser {
    Raiser::new(Arc::new(ledger), Arc::new(tracker))
}

/// A tracker at which so many whole raises begin, and all that get to their end have lost nothing.
pub(super) fn raised(times: usize) -> MockCallTracker {
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
async fn what_could_not_be_passed_on_is_owed_and_raised_by_itself() {
    for has_unheard in [true, false] {
        let (mut ledger, mut tracker) = (MockCallLedger::new(), raised(0));
        ledger.expect_totals().never();
        tracker.expect_is_whole().times(2).returning(|| Ok(true));
        // An epoch that fails, another that does, and both of them once the live tier is back.
        let mut expected = [vec![(1, 3)], vec![(1, 4), (2, 5)], vec![(1, 4), (2, 5)]].into_iter();
        let mut answers = [false, false, true].into_iter();
        tracker.expect_raise().times(3).returning(move |_, callers| {
            let mut asked: Vec<_> = callers.iter().map(|caller| (caller.user.get(), caller.calls)).collect();
            asked.sort_unstable();
            assert_eq!(asked, expected.next().unwrap());
            let is_up = answers.next().unwrap();
            // What is found behind was unheard, or never lost.
            if is_up { Ok(has_unheard) } else { Err(StoreError::overloaded("test")) }
        });
        let raiser = raiser(ledger, tracker);
        raiser.follow(&[tally(1, 3)], has_unheard).await;
        assert_eq!(raiser.counts().are_behind(), has_unheard);
        raiser.follow(&[tally(1, 4), tally(2, 5)], has_unheard).await;
        raiser.look().await.unwrap();
        assert!(!raiser.counts().are_behind());
        raiser.look().await.unwrap();
    }
}

#[tokio::test]
async fn what_is_owed_is_paid_with_the_next_epoch_and_no_sign_of_a_loss() {
    let (mut tracker, mut order) = (raised(0), Sequence::new());
    for (calls, is_up) in [(3, false), (4, true)] {
        let raise = tracker.expect_raise().once().in_sequence(&mut order);
        raise
            .withf(move |_, callers| callers == [Caller { user: UserId::new(1).unwrap(), calls }])
            .returning(move |_, _| if is_up { Ok(true) } else { Err(StoreError::transient("test", "down")) });
    }
    tracker.expect_is_whole().once().returning(|| Ok(true));
    let raiser = raiser(MockCallLedger::new(), tracker);
    raiser.follow(&[tally(1, 3)], true).await;
    // All of this one was heard, but its user has what was not.
    raiser.follow(&[tally(1, 4)], false).await;
    assert!(raiser.counts().are_behind(), "until the live tier is seen to have lost nothing");
    raiser.look().await.unwrap();
    assert!(!raiser.counts().are_behind());
}

#[tokio::test]
async fn a_live_tier_that_came_back_without_its_memory_is_behind_until_all_is_raised() {
    let shared = Arc::new(OnceLock::<Arc<Raiser>>::new());
    let (mut ledger, mut tracker, within) = (MockCallLedger::new(), raised(1), Arc::clone(&shared));
    ledger.expect_totals().once().returning(move |_, _| {
        assert!(within.get().unwrap().counts().are_behind());
        Ok(vec![tally(1, 3), tally(2, 9)])
    });
    let mut answers = [false, true, true].into_iter();
    tracker.expect_raise().times(3).returning(move |_, _| {
        if answers.next().unwrap() { Ok(true) } else { Err(StoreError::transient("test", "down")) }
    });
    tracker.expect_is_whole().once().returning(|| Ok(false));
    let raiser = shared.get_or_init(|| Arc::new(raiser(ledger, tracker)));
    raiser.follow(&[tally(1, 3)], true).await;
    raiser.look().await.unwrap();
    assert!(!raiser.counts().are_behind());
}

#[tokio::test]
async fn who_has_paid_what_it_owes_is_not_behind_for_a_raise_that_another_one_began() {
    let mut tracker = MockCallTracker::new();
    let mut answers = [false, true].into_iter();
    tracker.expect_raise().times(2).returning(move |_, _| {
        if answers.next().unwrap() { Ok(true) } else { Err(StoreError::transient("test", "down")) }
    });
    tracker.expect_is_whole().once().returning(|| Ok(false));
    // It may have died, and nobody else may begin for a while.
    tracker.expect_begin_raise().times(2).returning(|_| Ok(false));
    let raiser = raiser(MockCallLedger::new(), tracker);
    raiser.follow(&[tally(1, 3)], true).await;
    raiser.look().await.unwrap();
    assert!(!raiser.counts().are_behind());
    raiser.miss();
    raiser.look().await.unwrap();
    assert!(raiser.counts().are_behind(), "what is not remembered is owed until all is raised");
}

#[tokio::test]
async fn what_another_one_owes_is_no_sign_of_a_loss_until_it_has_paid() {
    let (mut ledger, mut tracker) = (MockCallLedger::new(), raised(1));
    let has_paid = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&has_paid);
    ledger.expect_totals().once().returning(move |_, _| {
        assert!(seen.load(Ordering::Relaxed), "nothing is raised for what another one owes");
        Ok(vec![])
    });
    tracker.expect_raise().once().returning(|_, _| Ok(true));
    tracker.expect_is_whole().times(2).returning(|| Ok(true));
    let raiser = raiser(ledger, tracker);
    raiser.counts().set_any(true);
    raiser.follow(&[tally(1, 3)], false).await;
    raiser.look().await.unwrap();
    raiser.counts().set_any(false);
    has_paid.store(true, Ordering::Relaxed);
    // It could have been a loss all the same.
    raiser.look().await.unwrap();
    raiser.look().await.unwrap();
}

#[tokio::test]
async fn more_than_can_be_remembered_is_raised_with_all_others() {
    for has_unheard in [true, false] {
        let (mut ledger, mut tracker) = (MockCallLedger::new(), raised(1));
        ledger.expect_totals().once().returning(|_, _| Ok(vec![tally(1, 3)]));
        let mut answers = [false, true].into_iter();
        tracker.expect_raise().times(2).returning(move |_, _| {
            if answers.next().unwrap() { Ok(true) } else { Err(StoreError::transient("test", "down")) }
        });
        let raiser = raiser(ledger, tracker);
        let totals: Vec<_> = (1..=MOST_OWED as u64 + 1).map(|id| tally(id, 1)).collect();
        raiser.follow(&totals, has_unheard).await;
        assert_eq!(raiser.counts().are_behind(), has_unheard);
        raiser.look().await.unwrap();
        assert!(!raiser.counts().are_behind());
    }
}

#[tokio::test]
async fn only_what_is_unheard_and_not_passed_on_is_lacking() {
    for (has_unheard, fails, lacks) in
        [(true, true, true), (true, false, false), (false, true, false), (false, false, false)]
    {
        let mut tracker = raised(0);
        tracker
            .expect_raise()
            .once()
            .returning(move |_, _| if fails { Err(StoreError::transient("test", "down")) } else { Ok(true) });
        let raiser = raiser(MockCallLedger::new(), tracker);
        raiser.follow(&[tally(1, 3)], has_unheard).await;
        assert_eq!(raiser.counts().are_behind(), lacks, "{has_unheard}, {fails}");
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

#[tokio::test]
async fn what_comes_to_be_owed_while_the_live_tier_is_looked_at_is_missing_still() {
    let mut tracker = raised(0);
    let shared = Arc::new(OnceLock::<Arc<Raiser>>::new());
    let (within, mut is_first) = (Arc::clone(&shared), true);
    tracker.expect_is_whole().times(2).returning(move || {
        if std::mem::take(&mut is_first) {
            let raiser = within.get().unwrap();
            raiser.owed.try_lock().unwrap().add(&[tally(1, 3)], true);
            raiser.are_behind();
        }
        Ok(true)
    });
    tracker.expect_raise().once().returning(|_, _| Ok(true));
    let raiser = shared.get_or_init(|| Arc::new(raiser(MockCallLedger::new(), tracker)));
    raiser.look().await.unwrap();
    assert!(raiser.counts().are_behind());
    raiser.look().await.unwrap();
    assert!(!raiser.counts().are_behind());
}
