//! The ledger's edges on PostgreSQL: sums that do not fit, and pages in the order of bytes.
#![allow(clippy::unwrap_used, reason = "tests stop where something fails")]

mod support;

use futures_util::future::join_all;
use support::open;
use tollbar_core::{
    domain::{ApiName, Epoch, EpochId, EpochSums, Incarnation, Tally, UserId},
    ports::{Added, CallLedger},
};
use tollbar_postgres::PgStore;
use tollbar_testkit::TestDatabase;

fn tally(api: &str, user: u64, calls: u64) -> Tally {
    Tally { api: ApiName::new(api).unwrap(), user: UserId::new(user).unwrap(), calls }
}

async fn add(store: &PgStore, incarnation: u8, epoch: u64, sums: &[Tally]) -> Vec<Tally> {
    let incarnation = Incarnation::from_bytes([incarnation; 16]);
    store.begin(incarnation, incarnation).await.unwrap();
    let sums = EpochSums { tallies: sums.to_vec(), activity: Vec::new() };
    match store.add(EpochId { incarnation, epoch: Epoch::new(epoch) }, &sums).await.unwrap() {
        Added::Totals(totals) => totals,
        Added::Closed => panic!("nobody has closed it"),
    }
}

#[tokio::test]
async fn epochs_that_name_the_same_rows_in_any_order_are_each_added_once() {
    let database = TestDatabase::create();
    let store = open(&database.url()).await;
    let forth: Vec<_> = (1..=300).map(|user| tally("ping", user, 1)).collect();
    let back: Vec<_> = forth.iter().rev().cloned().collect();
    let adding = (0..40).map(|n| {
        // Each epoch comes twice, at the same time.
        add(&store, n / 2, 1, if n % 4 < 2 { &forth } else { &back })
    });
    for added in join_all(adding).await {
        assert_eq!(added.len(), 300);
    }
    let totals = store.totals(None, 1_000).await.unwrap();
    assert_eq!(totals.len(), 300);
    assert!(totals.iter().all(|total| total.calls == 20), "{totals:?}");
}

#[tokio::test]
async fn a_repeated_epoch_returns_every_total_that_it_names() {
    let database = TestDatabase::create();
    let store = open(&database.url()).await;
    add(&store, 1, 3, &[tally("ping", 1, 5)]).await;
    let mut again = add(&store, 1, 2, &[tally("ping", 2, 1), tally("ping", 1, 1)]).await;
    again.sort_by_key(|total| total.user);
    assert_eq!(again, [tally("ping", 1, 5), tally("ping", 2, 0)]);
    assert_eq!(add(&store, 1, 4, &[]).await, []);
}
