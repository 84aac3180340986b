//! A process that must be alone, and others that come while it is there.
#![allow(clippy::unwrap_used, reason = "tests stop where something fails")]

mod support;

use std::time::Duration;

use support::{folder, open, options};
use tollbar_core::{
    domain::Incarnation,
    ports::{LeaseError, ProcessLease, Sharing},
};
use tollbar_sqlite::{SqliteOptions, SqliteStore};

async fn hold(store: &SqliteStore, process: u8, sharing: Sharing) -> Result<(), LeaseError> {
    store.hold(Incarnation::from_bytes([process; 16]), sharing, Duration::from_secs(1)).await.map(drop)
}

#[tokio::test]
async fn a_second_process_is_refused_until_the_first_ends() {
    let folder = folder();
    let (first, second) = (open(&folder).await, open(&folder).await);
    hold(&first, 1, Sharing::Alone).await.unwrap();
    hold(&first, 1, Sharing::Alone).await.unwrap();
    for sharing in [Sharing::Alone, Sharing::Together] {
        assert!(matches!(hold(&second, 2, sharing).await, Err(LeaseError::Taken)));
    }
    drop(first);
    hold(&second, 2, Sharing::Together).await.unwrap();
    hold(&second, 3, Sharing::Together).await.unwrap();
    assert!(matches!(hold(&second, 4, Sharing::Alone).await, Err(LeaseError::Taken)));
}

#[tokio::test]
async fn one_that_may_not_be_alone_stays_among_the_others() {
    let folder = folder();
    let store = open(&folder).await;
    hold(&store, 1, Sharing::Together).await.unwrap();
    hold(&store, 2, Sharing::Together).await.unwrap();
    assert!(matches!(hold(&store, 1, Sharing::Alone).await, Err(LeaseError::Taken)));
    store.release(Incarnation::from_bytes([2; 16])).await.unwrap();
    assert!(matches!(hold(&store, 3, Sharing::Alone).await, Err(LeaseError::Taken)));
    hold(&store, 1, Sharing::Alone).await.unwrap();
    store.release(Incarnation::from_bytes([9; 16])).await.unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn another_name_of_the_file_is_no_way_round_the_lock() {
    let folder = folder();
    let first = open(&folder).await;
    hold(&first, 1, Sharing::Alone).await.unwrap();
    let (file, other) = (options(&folder).path, folder.path().join("other.db"));
    let by_another_name = || SqliteStore::open(SqliteOptions { path: other.clone(), ..options(&folder) });
    std::os::unix::fs::symlink(&file, &other).unwrap();
    let second = by_another_name().await.unwrap();
    assert!(matches!(hold(&second, 2, Sharing::Alone).await, Err(LeaseError::Taken)));
    std::fs::remove_file(&other).unwrap();
    std::fs::hard_link(&file, &other).unwrap();
    assert!(by_another_name().await.is_err());
}
