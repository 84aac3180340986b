//! What a [`CallLedger`] promises.

use std::{collections::HashSet, sync::Arc};

use tollbar_core::{
    domain::{ApiName, Caller, EpochSums, Tally, UserId},
    ports::{Added, CallLedger},
};

use crate::{CallLedgerHarness, harness::epoch_of, together};

pub(crate) fn tally(api: &str, user: u64, calls: u64) -> Tally {
    Tally { api: ApiName::new(api).unwrap(), user: UserId::new(user).unwrap(), calls }
}

/// An epoch of which the totals alone matter.
pub(crate) fn sums_of(tallies: &[Tally]) -> EpochSums {
    EpochSums { tallies: tallies.to_vec(), activity: Vec::new() }
}

pub(crate) async fn begin(ledger: &Arc<dyn CallLedger>, process: u8) {
    let incarnation = epoch_of(process, 0).incarnation;
    ledger.begin(incarnation, incarnation).await.unwrap();
}

/// Adds an epoch of an incarnation, which is begun if need be.
pub(crate) async fn add(
    ledger: &Arc<dyn CallLedger>,
    process: u8,
    epoch: u64,
    sums: &[Tally],
) -> HashSet<Tally> {
    begin(ledger, process).await;
    match ledger.add(epoch_of(process, epoch), &sums_of(sums)).await.unwrap() {
        Added::Totals(totals) => {
            let distinct: HashSet<Tally> = totals.iter().cloned().collect();
            assert_eq!(distinct.len(), totals.len(), "each API and user once: {totals:?}");
            distinct
        }
        Added::Closed => panic!("incarnation {process} is open"),
    }
}

pub(crate) async fn all(ledger: &Arc<dyn CallLedger>) -> Vec<Tally> {
    ledger.totals(None, 1_000_000).await.unwrap()
}

suite! {
    ($) call_ledger_suite, call_ledger, CallLedgerHarness;

    /// Epochs add up, and each answer holds the totals of those it names.
    async fn epochs_add_up(harness) {
        let ledger = harness.call_ledger();
        assert_eq!(add(&ledger, 1, 1, &[tally("ping", 1, 3), tally("ping", 2, 1)]).await,
            HashSet::from([tally("ping", 1, 3), tally("ping", 2, 1)]));
        assert_eq!(add(&ledger, 1, 2, &[tally("ping", 2, 5), tally("pong", 1, 2)]).await,
            HashSet::from([tally("ping", 2, 6), tally("pong", 1, 2)]));
        assert_eq!(all(&ledger).await, [tally("ping", 1, 3), tally("ping", 2, 6), tally("pong", 1, 2)]);
    }

    /// An epoch that is added twice counts once, and both answers hold the same totals.
    async fn an_epoch_added_twice_counts_once(harness) {
        let ledger = harness.call_ledger();
        let first = add(&ledger, 1, 1, &[tally("ping", 1, 3)]).await;
        assert_eq!(add(&ledger, 1, 1, &[tally("ping", 1, 3)]).await, first);
        assert_eq!(all(&ledger).await, [tally("ping", 1, 3)]);
    }

    /// An epoch before the last one that was added counts nothing.
    async fn an_older_epoch_counts_nothing(harness) {
        let ledger = harness.call_ledger();
        add(&ledger, 1, 5, &[tally("ping", 1, 3)]).await;
        let totals = add(&ledger, 1, 4, &[tally("ping", 1, 100), tally("ping", 2, 100)]).await;
        assert!(totals.contains(&tally("ping", 1, 3)), "{totals:?}");
        assert_eq!(all(&ledger).await, [tally("ping", 1, 3)]);
    }

    /// Each incarnation numbers its own epochs.
    async fn incarnations_are_kept_apart(harness) {
        let ledger = harness.call_ledger();
        add(&ledger, 1, 7, &[tally("ping", 1, 1)]).await;
        add(&ledger, 2, 1, &[tally("ping", 1, 1)]).await;
        assert_eq!(all(&ledger).await, [tally("ping", 1, 2)]);
    }

    /// An epoch without a call is an epoch all the same.
    async fn an_empty_epoch_is_added(harness) {
        let ledger = harness.call_ledger();
        assert!(add(&ledger, 1, 2, &[]).await.is_empty());
        add(&ledger, 1, 1, &[tally("ping", 1, 1)]).await;
        assert!(all(&ledger).await.is_empty(), "epoch 1 came after epoch 2");
    }

    /// Pages follow each other in the order of API and user, without gap or repeat.
    async fn pages_follow_the_order_of_api_and_user(harness) {
        let ledger = harness.call_ledger();
        let mut expected = Vec::new();
        // In byte order, whatever a locale would say: '-' < '.' < digits < '_' < letters.
        for api in ["a", "a-b", "a.b", "a0", "a_b", "aa", "b"] {
            expected.extend([1, 2, 9, 10, 11, 100].map(|user| tally(api, user, user)));
        }
        let mut sums = expected.clone();
        sums.reverse();
        add(&ledger, 1, 1, &sums).await;
        let (mut read, mut after) = (Vec::new(), None);
        loop {
            let page = ledger.totals(after, 4).await.unwrap();
            assert!(page.len() <= 4);
            read.extend_from_slice(&page);
            match page.last() {
                Some(last) if page.len() == 4 => after = Some((last.api.clone(), last.user)),
                _ => break,
            }
        }
        assert_eq!(read, expected);
    }

    /// Ten who add one epoch at once count it once.
    async fn ten_concurrent_adds_of_one_epoch_count_once(harness) {
        let ledger = harness.call_ledger();
        together(10, |_| {
            let ledger = ledger.clone();
            async move { add(&ledger, 1, 1, &[tally("ping", 1, 3), tally("ping", 2, 4)]).await }
        })
        .await;
        assert_eq!(all(&ledger).await, [tally("ping", 1, 3), tally("ping", 2, 4)]);
    }

    /// Twenty processes that add the same users at once, in any order, lose nothing and do not block each other.
    async fn twenty_concurrent_processes_lose_nothing(harness) {
        let ledger = harness.call_ledger();
        together(20, |index| {
            let ledger = ledger.clone();
            async move {
                for epoch in 1..=5 {
                    let mut sums: Vec<Tally> = (1..=50).map(|user| tally("ping", user, 1)).collect();
                    sums.rotate_left(index * 7 % 50);
                    if index % 2 == 0 {
                        sums.reverse();
                    }
                    add(&ledger, u8::try_from(index).unwrap_or(0), epoch, &sums).await;
                }
            }
        })
        .await;
        assert_eq!(all(&ledger).await, (1..=50).map(|user| tally("ping", user, 100)).collect::<Vec<_>>());
    }

    /// A sum that would not fit into a total is refused for good, and nothing of its epoch is added.
    async fn a_total_that_would_not_fit_adds_nothing(harness) {
        let ledger = harness.call_ledger();
        let most = u64::try_from(i64::MAX).unwrap();
        add(&ledger, 1, 1, &[tally("ping", 2, most)]).await;
        for over in [vec![tally("ping", 1, 1), tally("ping", 2, 1)], vec![tally("ping", 3, most + 1)]] {
            let refused = ledger.add(epoch_of(1, 2), &sums_of(&over)).await.unwrap_err();
            assert!(!refused.is_transient(), "{refused:?}");
        }
        assert_eq!(all(&ledger).await, [tally("ping", 2, most)]);
        add(&ledger, 1, 2, &[tally("ping", 1, 1)]).await;
        assert_eq!(all(&ledger).await.len(), 2, "the epoch was noted though it was refused");
    }

    /// One epoch may name more users than a statement takes parameters.
    async fn a_large_epoch_is_added_whole(harness) {
        let ledger = harness.call_ledger();
        let sums: Vec<Tally> = (1..=40_000).map(|user| tally("ping", user, user)).collect();
        let totals = add(&ledger, 1, 1, &sums).await;
        assert_eq!(totals, sums.iter().cloned().collect());
        assert_eq!(all(&ledger).await, sums);
    }

    /// The best of one API, most calls first and ties by lower number, and how many they are.
    async fn the_top_and_the_number_of_callers_are_read(harness) {
        let ledger = harness.call_ledger();
        let ping = ApiName::new("ping").unwrap();
        assert_eq!(ledger.top(&ping, 10).await.unwrap(), []);
        assert_eq!(ledger.distinct(&ping).await.unwrap(), 0);
        let sums = [tally("ping", 10, 3), tally("ping", 9, 3), tally("ping", 2, 1), tally("ping", 7, 8), tally("pong", 1, 99)];
        add(&ledger, 1, 1, &sums).await;
        let caller = |id, calls| Caller { user: UserId::new(id).unwrap(), calls };
        assert_eq!(ledger.top(&ping, 10).await.unwrap(), [caller(7, 8), caller(9, 3), caller(10, 3), caller(2, 1)]);
        assert_eq!(ledger.top(&ping, 2).await.unwrap(), [caller(7, 8), caller(9, 3)]);
        assert_eq!(ledger.distinct(&ping).await.unwrap(), 4);
    }
    /// The totals of one user, by API, however many others there are.
    async fn the_totals_of_one_user_are_read(harness) {
        let ledger = harness.call_ledger();
        let user = |id| UserId::new(id).unwrap();
        assert_eq!(ledger.of_user(user(1)).await.unwrap(), []);
        let mut sums = Vec::new();
        for api in ["a", "a-b", "a.b", "a0", "a_b", "aa", "b"] {
            sums.extend([1, 2, 9, 10, 11].map(|user| tally(api, user, user)));
        }
        sums.extend([tally("only", 3, 7), tally("z", 9, 1)]);
        add(&ledger, 1, 1, &sums).await;
        for id in [1, 2, 3, 9, 11] {
            let own: Vec<_> = sums.iter().filter(|sum| sum.user == user(id)).cloned().collect();
            assert_eq!(ledger.of_user(user(id)).await.unwrap(), own);
        }
        assert_eq!(ledger.of_user(user(4)).await.unwrap(), []);
    }
}
