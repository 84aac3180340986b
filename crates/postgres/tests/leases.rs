//! A process that must be alone, others that come while it is there, and one that is forgotten.
#![allow(clippy::unwrap_used, reason = "tests stop where something fails")]

mod support;

use std::time::Duration;

use futures_util::future::join_all;
use support::open;
use tokio::time::sleep;
use tollbar_core::{
    domain::Incarnation,
    ports::{LeaseError, ProcessLease, Sharing},
};
use tollbar_postgres::PgStore;
use tollbar_testkit::TestDatabase;

async fn hold(store: &PgStore, process: u8, sharing: Sharing, ttl: Duration) -> Result<(), LeaseError> {
    store.hold(Incarnation::from_bytes([process; 16]), sharing, ttl).await.map(drop)
}

#[tokio::test]
async fn a_second_process_is_refused_until_the_first_is_forgotten() {
    let database = TestDatabase::create();
    let (first, second) = (open(&database.url()).await, open(&database.url()).await);
    let short = Duration::from_millis(400);
    hold(&first, 1, Sharing::Alone, short).await.unwrap();
    hold(&first, 1, Sharing::Alone, short).await.unwrap();
    for sharing in [Sharing::Alone, Sharing::Together] {
        assert!(matches!(hold(&second, 2, sharing, Duration::MAX).await, Err(LeaseError::Taken)));
    }
    sleep(short).await;
    hold(&second, 2, Sharing::Together, Duration::MAX).await.unwrap();
    hold(&second, 3, Sharing::Together, short).await.unwrap();
    assert!(matches!(hold(&first, 1, Sharing::Alone, short).await, Err(LeaseError::Taken)));
    second.release(Incarnation::from_bytes([2; 16])).await.unwrap();
    second.release(Incarnation::from_bytes([3; 16])).await.unwrap();
    hold(&first, 1, Sharing::Alone, short).await.unwrap();
}

#[tokio::test]
async fn of_many_that_come_at_once_one_is_alone() {
    let database = TestDatabase::create();
    let store = open(&database.url()).await;
    let coming = join_all((0..50).map(|n| hold(&store, n, Sharing::Alone, Duration::from_secs(60)))).await;
    assert_eq!(coming.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert!(coming.iter().all(|outcome| matches!(outcome, Ok(()) | Err(LeaseError::Taken))), "{coming:?}");
}
