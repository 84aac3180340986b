//! Stores behind a PgBouncer that lends out its few connections by transaction.
#![allow(clippy::unwrap_used, reason = "tests stop where something fails")]

mod support;

use std::{process::Stdio, time::Duration};

use futures_util::future::join_all;
use support::{client, login, now, user, version};
use tokio::process::Command;
use tollbar_core::{
    domain::{ApiName, Epoch, EpochId, EpochSums, Incarnation, Tally, UserId, Username},
    ports::{CallLedger, HealthCheck, ProcessLease, SessionStore, Sharing, UserRepo},
};
use tollbar_postgres::{PgOptions, PgStore};
use tollbar_testkit::{PrivatePgBouncer, TestDatabase};

/// Names the database to the processes of a test.
const URL: &str = "TOLLBAR_TEST_POOLED_URL";

async fn open(url: &str) -> PgStore {
    let deadline = Duration::from_secs(20);
    let options = PgOptions { pooler: true, deadline, ledger_deadline: deadline, ..PgOptions::new(url) };
    PgStore::open(options).await.unwrap()
}

/// Every kind of call.
async fn work(store: &PgStore, name: &str, process: u8) {
    let ada = user(store, name).await;
    assert!(store.find(&Username::new(name).unwrap()).await.unwrap().is_some());
    for round in 1..=5 {
        assert_eq!(login(store, ada).await.unwrap().version.get(), round);
        assert_eq!(version(store, ada).await, round);
    }
    let set = store.load(ada, now()).await.unwrap().unwrap();
    let session = &set.sessions[0];
    let closed = SessionStore::close(store, ada, session.version, &session.verifier, now()).await;
    let closed = closed.unwrap().unwrap();
    assert!(closed.was_live);
    let incarnation = Incarnation::from_bytes([process; 16]);
    store.hold(incarnation, Sharing::Together, Duration::from_secs(60)).await.unwrap();
    store.begin(incarnation, incarnation).await.unwrap();
    let tally = Tally { api: ApiName::new("ping").unwrap(), user: ada, calls: 2 };
    let id = EpochId { incarnation, epoch: Epoch::new(1) };
    store.add(id, &EpochSums::about(now(), vec![tally])).await.unwrap();
    store.totals(None, 100).await.unwrap();
    store.orphans().await.unwrap();
    store.check().await.unwrap();
    let nobody = UserId::new(1_000_000).unwrap();
    assert!(store.load(nobody, now()).await.unwrap().is_none());
}

/// The first column of the first row, by a statement without a name.
async fn simple(url: &str, query: &str) -> String {
    let rows = client(url).await.simple_query(query).await.unwrap();
    let row = rows.iter().find_map(|message| match message {
        tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    });
    row.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stores_share_a_connection_and_leave_nothing_on_it() {
    for pool in [1, 2] {
        let database = TestDatabase::create();
        let pooler = PrivatePgBouncer::options(&database.url()).pool(pool).start();
        let url = pooler.url();
        let stores = join_all((0..2).map(|_| open(&url))).await;
        let tasks = (0..16_u8).map(|task| {
            let store = stores[usize::from(task % 2)].clone();
            tokio::spawn(async move { work(&store, &format!("ada{task}"), task).await })
        });
        for done in join_all(tasks).await {
            done.unwrap();
        }
        assert_eq!(simple(&url, "SELECT count(*) FROM pg_prepared_statements").await, "0");
        assert_eq!(simple(&url, "SHOW statement_timeout").await, "0");
        assert_eq!(simple(&url, "SHOW idle_in_transaction_session_timeout").await, "0");
        assert!(!pooler.log().contains("prepared statement"), "{}", pooler.log());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_whose_statements_bear_the_same_names_share_a_connection() {
    let database = TestDatabase::create();
    let pooler = PrivatePgBouncer::options(&database.url()).pool(1).start();
    let process = |number: u8| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "one_of_the_processes", "--ignored", "--nocapture"]);
        command.env(URL, format!("{number} {}", pooler.url())).stdin(Stdio::null()).kill_on_drop(true);
        async move { command.output().await.unwrap() }
    };
    for output in join_all((1..=3).map(process)).await {
        let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.contains("1 passed"), "{said}");
    }
    assert_eq!(simple(&pooler.url(), "SELECT count(*) FROM users").await, "30");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "processes_whose_statements_bear_the_same_names_share_a_connection runs it"]
async fn one_of_the_processes() {
    let Ok(given) = std::env::var(URL) else { return };
    let (number, url) = given.split_once(' ').unwrap();
    let (number, store) = (number.parse::<u8>().unwrap(), open(url).await);
    let tasks = (0..10_u8).map(|task| {
        let store = store.clone();
        let name = format!("ada{number}x{task}");
        tokio::spawn(async move { work(&store, &name, number * 10 + task).await })
    });
    for done in join_all(tasks).await {
        done.unwrap();
    }
}

#[tokio::test]
async fn a_call_that_waits_too_long_is_given_up_and_the_next_one_served() {
    let database = TestDatabase::create();
    let pooler = PrivatePgBouncer::options(&database.url()).pool(1).start();
    let deadline = Duration::from_millis(500);
    let options = PgOptions { pooler: true, deadline, ..PgOptions::new(pooler.url()) };
    let store = PgStore::open(options).await.unwrap();
    let ada = user(&store, "ada").await;
    let other = client(&database.url()).await;
    other.batch_execute("BEGIN; LOCK TABLE users").await.unwrap();
    let error = login(&store, ada).await.unwrap_err();
    assert!(error.is_transient(), "{error:?}");
    other.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(login(&store, ada).await.unwrap().version.get(), 1);
}
