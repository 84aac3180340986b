//! What is told to other processes, and heard of them.

use mockall::Sequence;

use super::*;
use crate::{
    counts::BookOptions,
    ports::{ManualClock, MockCallLedger},
};

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
    let counts = LiveCounts::default();
    let announcer = Announcer::new(Arc::new(ledger), counts.clone());
    let book = CallBook::new(one, Arc::new(ManualClock::new()), BookOptions::default());
    // Whether it lacks any itself, and what is known then; the third time it has another name.
    for (round, (own, behind)) in
        [(false, false), (true, true), (true, true), (true, true), (false, false)].into_iter().enumerate()
    {
        if round == 2 {
            book.begin_anew(two);
        }
        counts.set_here(own);
        announcer.tell(&book).await.unwrap();
        announcer.hear().await.unwrap();
        assert_eq!(counts.are_behind(), behind, "{round}");
    }
}
