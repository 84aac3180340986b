//! The ledger's edges on SQLite: sums that do not fit, and pages in the order of bytes.
#![allow(clippy::unwrap_used, reason = "tests stop where something fails")]

mod support;

use support::{folder, open};
use tollbar_core::{
    domain::{ApiName, Epoch, Incarnation, Tally, UserId},
    ports::CallLedger,
};

fn tally(api: &str, user: u64, calls: u64) -> Tally {
    Tally { api: ApiName::new(api).unwrap(), user: UserId::new(user).unwrap(), calls }
}

fn run() -> Incarnation {
    Incarnation::from_bytes([1; 16])
}

#[tokio::test]
async fn a_total_that_would_not_fit_adds_nothing() {
    let folder = folder();
    let store = open(&folder).await;
    let most = u64::try_from(i64::MAX).unwrap();
    store.add(run(), Epoch::new(1), &[tally("ping", 2, most)]).await.unwrap();
    let over = [tally("ping", 1, 1), tally("ping", 2, 1)];
    let error = store.add(run(), Epoch::new(2), &over).await.unwrap_err();
    assert!(!error.is_transient(), "{error:?}");
    let error = store.add(run(), Epoch::new(2), &[tally("ping", 3, most + 1)]).await.unwrap_err();
    assert!(!error.is_transient(), "{error:?}");
    assert_eq!(store.totals(None, 9).await.unwrap(), [tally("ping", 2, most)]);
    // The epoch was not noted either.
    assert_eq!(store.add(run(), Epoch::new(2), &over[..1]).await.unwrap(), over[..1]);
}

#[tokio::test]
async fn pages_follow_each_other_in_the_order_of_bytes() {
    let folder = folder();
    let store = open(&folder).await;
    let sums =
        [tally("a_b", 1, 1), tally("a-b", 10, 1), tally("a-b", 9, 1), tally("a.b", 1, 1), tally("ab", 1, 1)];
    store.add(run(), Epoch::FIRST, &sums).await.unwrap();
    let mut sorted = sums.to_vec();
    sorted.sort_by_key(|sum| (sum.api.clone(), sum.user));
    let mut pages = Vec::new();
    loop {
        let after = pages.last().map(|last: &Tally| (last.api.clone(), last.user));
        let page = store.totals(after, 2).await.unwrap();
        pages.extend_from_slice(&page);
        if page.len() < 2 {
            break;
        }
    }
    assert_eq!(pages, sorted);
}
