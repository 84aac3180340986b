//! What a [`CallLedger`] promises of those who author counts, and of those who put theirs into it.

use std::{sync::Arc, time::Duration};

use tollbar_core::{
    domain::{Epoch, Incarnation, Tally},
    ports::{Added, CallLedger, Sharing},
};

use crate::{
    CallLedgerHarness,
    call_ledger::{add, all, begin, sums_of, tally},
    harness::epoch_of,
    together,
};

fn incarnation(byte: u8) -> Incarnation {
    epoch_of(byte, 0).incarnation
}

async fn close(ledger: &Arc<dyn CallLedger>, process: u8, epochs: &[(u64, Tally)]) {
    let sums = |(epoch, sum): &(u64, Tally)| (Epoch::new(*epoch), sums_of(std::slice::from_ref(sum)));
    let epochs: Vec<_> = epochs.iter().map(sums).collect();
    ledger.close(incarnation(process), &epochs).await.unwrap();
}

async fn orphans(ledger: &Arc<dyn CallLedger>) -> Vec<Incarnation> {
    let mut orphans = ledger.orphans().await.unwrap();
    orphans.sort_unstable();
    orphans
}

suite! {
    ($) call_ledger_incarnations_suite, call_ledger_incarnations, CallLedgerHarness;

    /// Nothing is added for whom the ledger does not know, or knows as closed, and they stay so.
    async fn only_an_open_incarnation_adds(harness) {
        let ledger = harness.call_ledger();
        assert_eq!(ledger.add(epoch_of(1, 1), &sums_of(&[tally("ping", 1, 1)])).await.unwrap(), Added::Closed);
        assert_eq!(ledger.last_added(incarnation(1)).await.unwrap(), None);
        begin(&ledger, 1).await;
        assert_eq!(ledger.last_added(incarnation(1)).await.unwrap(), Some(Epoch::new(0)));
        add(&ledger, 1, 3, &[tally("ping", 1, 1)]).await;
        assert_eq!(ledger.last_added(incarnation(1)).await.unwrap(), Some(Epoch::new(3)));
        close(&ledger, 1, &[]).await;
        begin(&ledger, 1).await;
        for epoch in [3, 4] {
            assert_eq!(ledger.add(epoch_of(1, epoch), &sums_of(&[tally("ping", 1, 1)])).await.unwrap(), Added::Closed);
        }
        assert_eq!(ledger.last_added(incarnation(1)).await.unwrap(), None);
        assert_eq!(all(&ledger).await, [tally("ping", 1, 1)]);
    }

    /// To begin twice changes nothing.
    async fn an_incarnation_that_begins_twice_keeps_its_epoch(harness) {
        let ledger = harness.call_ledger();
        add(&ledger, 1, 1, &[tally("ping", 1, 1)]).await;
        add(&ledger, 1, 1, &[tally("ping", 1, 1)]).await;
        assert_eq!(all(&ledger).await, [tally("ping", 1, 1)]);
    }

    /// Whoever closes an incarnation adds those of its epochs that are not in the ledger, once.
    async fn closing_adds_the_later_epochs_once(harness) {
        let ledger = harness.call_ledger();
        add(&ledger, 1, 1, &[tally("ping", 1, 1)]).await;
        let epochs = [(1, tally("ping", 1, 100)), (2, tally("ping", 2, 5)), (3, tally("pong", 1, 7))];
        // Of a stranger, nothing.
        for process in [1, 1, 9] {
            close(&ledger, process, &epochs).await;
        }
        assert_eq!(all(&ledger).await, [tally("ping", 1, 1), tally("ping", 2, 5), tally("pong", 1, 7)]);
    }

    /// One epoch, added by its author and by ten who close it, all at once, counts once.
    async fn an_epoch_is_added_by_its_author_or_by_who_closes_it(harness) {
        let ledger = harness.call_ledger();
        for process in 1..=10 {
            begin(&ledger, process).await;
            together(6, |index| {
                let ledger = ledger.clone();
                async move {
                    if index == 0 {
                        ledger.add(epoch_of(process, 1), &sums_of(&[tally("ping", 1, 3)])).await.unwrap();
                    } else {
                        close(&ledger, process, &[(1, tally("ping", 1, 3))]).await;
                    }
                }
            })
            .await;
            assert_eq!(all(&ledger).await, [tally("ping", 1, 3 * u64::from(process))]);
        }
    }

    /// A close that is refused closes nothing.
    async fn a_close_that_would_not_fit_closes_nothing(harness) {
        let ledger = harness.call_ledger();
        let most = u64::try_from(i64::MAX).unwrap();
        add(&ledger, 1, 1, &[tally("ping", 1, most)]).await;
        begin(&ledger, 2).await;
        let epochs = [(Epoch::new(1), sums_of(&[tally("ping", 1, 1)]))];
        assert!(!ledger.close(incarnation(2), &epochs).await.unwrap_err().is_transient());
        assert_eq!(ledger.last_added(incarnation(2)).await.unwrap(), Some(Epoch::new(0)));
    }

    /// Live counts are behind while an open incarnation says so.
    async fn live_counts_are_behind_while_who_is_open_says_so(harness) {
        let ledger = harness.call_ledger();
        let behind = async || ledger.is_any_behind().await.unwrap();
        for process in [1, 2] {
            begin(&ledger, process).await;
        }
        assert!(!behind().await);
        for process in [1, 2, 2] {
            ledger.say_behind(incarnation(process), true).await.unwrap();
        }
        assert!(behind().await);
        ledger.say_behind(incarnation(1), false).await.unwrap();
        assert!(behind().await, "the second says so still");
        add(&ledger, 2, 1, &[tally("ping", 1, 1)]).await;
        assert!(behind().await);
        close(&ledger, 2, &[]).await;
        assert!(!behind().await);
        ledger.say_behind(incarnation(9), true).await.unwrap();
        assert!(!behind().await, "of a stranger, nothing");
    }

    /// Open incarnations are orphans while their process has no claim.
    async fn who_is_open_and_has_no_claim_is_an_orphan(harness) {
        let (ledger, claims) = (harness.call_ledger(), harness.claims());
        assert_eq!(orphans(&ledger).await, []);
        let hold = async |process, ttl| {
            claims.hold(incarnation(process), Sharing::Together, ttl).await.unwrap();
        };
        for process in [1, 2, 3] {
            begin(&ledger, process).await;
        }
        // The fourth is another name of the second.
        ledger.begin(incarnation(4), incarnation(2)).await.unwrap();
        hold(2, Duration::from_secs(600)).await;
        hold(3, Duration::from_millis(50)).await;
        close(&ledger, 1, &[]).await;
        let lapsed = async {
            while orphans(&ledger).await != [incarnation(3)] {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), lapsed).await.expect("the claim of 3 lapses");
        claims.release(incarnation(2)).await.unwrap();
        assert_eq!(orphans(&ledger).await, [2, 3, 4].map(incarnation));
    }
}
