//! Another process in the way: calls end in time, readers are served, and few wait.
#![allow(clippy::unwrap_used, reason = "tests stop where something fails")]

mod support;

use std::{collections::HashSet, time::Duration};

use diesel::{Connection, SqliteConnection, connection::SimpleConnection};
use futures_util::future::join_all;
use support::{folder, login, now, options, user};
use tempfile::TempDir;
use tollbar_contract::crowd;
use tollbar_core::ports::{HealthCheck, SessionStore};
use tollbar_sqlite::{SqliteOptions, SqliteStore};

/// Holds the file's write lock until it is dropped.
fn writer_elsewhere(folder: &TempDir) -> SqliteConnection {
    let path = options(folder).path;
    let mut connection = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    connection.batch_execute("BEGIN IMMEDIATE").unwrap();
    connection
}

async fn hasty(folder: &TempDir, queue: usize) -> SqliteStore {
    let deadline = Duration::from_millis(200);
    SqliteStore::open(SqliteOptions { deadline, queue, ..options(folder) }).await.unwrap()
}

#[tokio::test]
async fn a_lock_held_elsewhere_costs_no_more_than_the_deadline() {
    let folder = folder();
    let store = hasty(&folder, 8).await;
    let ada = user(&store, "ada").await;
    let elsewhere = writer_elsewhere(&folder);

    let waited =
        tokio::time::timeout(Duration::from_millis(600), join_all((0..8).map(|_| login(&store, ada))));
    for outcome in waited.await.expect("all eight end in time") {
        assert!(outcome.unwrap_err().is_transient());
    }
    assert_eq!(store.load(ada, now()).await.unwrap().map(|set| set.version.get()), Some(0));
    assert!(store.check().await.unwrap_err().is_transient(), "it cannot be written");

    drop(elsewhere);
    // The one that was at work when its caller gave up may still be, and may have written.
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(login(&store, ada).await.unwrap().version.get() <= 2);
}

#[tokio::test]
async fn a_lock_that_stays_is_learnt_without_waiting_for_it_each_time() {
    let folder = folder();
    let store = hasty(&folder, 8).await;
    let ada = user(&store, "ada").await;
    let elsewhere = writer_elsewhere(&folder);
    for _ in 0..3 {
        login(&store, ada).await.unwrap_err();
    }
    // Half of what ten deadlines take: one of them may ask whether the lock is gone.
    let refused = tokio::time::timeout(Duration::from_secs(1), async {
        for _ in 0..10 {
            login(&store, ada).await.unwrap_err();
        }
    });
    refused.await.expect("refused at once");
    assert!(store.load(ada, now()).await.unwrap().is_some(), "readers have nothing to do with it");

    drop(elsewhere);
    let again = tokio::time::timeout(Duration::from_secs(2), async {
        while login(&store, ada).await.is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    again.await.expect("it is asked again soon");
}

#[tokio::test]
async fn work_that_had_not_begun_when_its_caller_left_never_does() {
    let folder = folder();
    let store = hasty(&folder, 64).await;
    let ada = user(&store, "ada").await;
    let elsewhere = writer_elsewhere(&folder);
    for _ in 0..20 {
        let abandoned = tokio::time::timeout(Duration::from_millis(1), login(&store, ada));
        abandoned.await.unwrap_err();
    }
    drop(elsewhere);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(login(&store, ada).await.unwrap().version.get() <= 2);
}

#[tokio::test]
async fn one_more_than_may_wait_is_refused_at_once() {
    let folder = folder();
    let store = hasty(&folder, 3).await;
    let ada = user(&store, "ada").await;
    let _elsewhere = writer_elsewhere(&folder);
    let outcomes = join_all((0..10).map(|_| login(&store, ada))).await;
    let shown = outcomes.into_iter().map(|outcome| format!("{:?}", outcome.unwrap_err()));
    assert_eq!(shown.filter(|error| error.contains("too many callers")).count(), 6);
}

#[tokio::test]
async fn a_crowd_does_not_keep_out_what_the_process_lives_by() {
    let folder = folder();
    let store = SqliteStore::open(SqliteOptions { queue: 1, ..options(&folder) }).await.unwrap();
    let ada = user(&store, "ada").await;
    let crowd = async {
        loop {
            join_all((0..30).map(|_| login(&store, ada))).await;
        }
    };
    crowd::does_not_keep_out_what_a_process_lives_by(&store, crowd).await;
}

#[tokio::test]
async fn two_processes_write_at_once_and_lose_nothing() {
    let folder = folder();
    let (one, two) = (support::open(&folder).await, support::open(&folder).await);
    // A signup reads before it writes: with a lock that comes only then, most of these would fail.
    let (one, two) = (&one, &two);
    let signups =
        (0..100).map(|n| async move { user(if n % 2 == 0 { one } else { two }, &format!("user{n}")).await });
    let ids: HashSet<_> = join_all(signups).await.into_iter().collect();
    assert_eq!(ids.len(), 100);
}
