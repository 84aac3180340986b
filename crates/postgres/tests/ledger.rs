//! The ledger's edges on PostgreSQL: sums that do not fit, and pages in the order of bytes.
#![allow(clippy::unwrap_used, reason = "tests stop where something fails")]

mod support;

use futures_util::future::join_all;
use support::open;
use tollbar_core::{
    domain::{ApiName, Epoch, Incarnation, Tally, UserId},
    ports::CallLedger,
};
use tollbar_testkit::TestDatabase;

fn tally(api: &str, user: u64, calls: u64) -> Tally {
    Tally { api: ApiName::new(api).unwrap(), user: UserId::new(user).unwrap(), calls }
}

fn run() -> Incarnation {
    Incarnation::from_bytes([1; 16])
}

#[tokio::test]
async fn epochs_that_name_the_same_rows_in_any_order_are_each_added_once() {
    let database = TestDatabase::create();
    let store = open(&database.url()).await;
    let forth: Vec<_> = (1..=300).map(|user| tally("ping", user, 1)).collect();
    let back: Vec<_> = forth.iter().rev().cloned().collect();
    let adding = (0..40).map(|n| {
        // Each epoch comes twice, at the same time.
        let process = Incarnation::from_bytes([n / 2; 16]);
        store.add(process, Epoch::FIRST, if n % 4 < 2 { &forth } else { &back })
    });
    for added in join_all(adding).await {
        assert_eq!(added.unwrap().len(), 300);
    }
    let totals = store.totals(None, 1_000).await.unwrap();
    assert_eq!(totals.len(), 300);
    assert!(totals.iter().all(|total| total.calls == 20), "{totals:?}");
}

#[tokio::test]
async fn a_repeated_epoch_returns_every_total_that_it_names() {
    let database = TestDatabase::create();
    let store = open(&database.url()).await;
    store.add(run(), Epoch::new(3), &[tally("ping", 1, 5)]).await.unwrap();
    let mut again =
        store.add(run(), Epoch::new(2), &[tally("ping", 2, 1), tally("ping", 1, 1)]).await.unwrap();
    again.sort_by_key(|total| total.user);
    assert_eq!(again, [tally("ping", 1, 5), tally("ping", 2, 0)]);
    assert_eq!(store.add(run(), Epoch::new(4), &[]).await.unwrap(), []);
}
