//! Connections outlive the runtime of the call that opened them, as calls come from many short-lived ones.
#![allow(clippy::unwrap_used, reason = "tests stop where something fails")]

mod support;

use std::thread;

use support::{backends, client, login, open, user};
use tokio::runtime::{Builder, Runtime};
use tollbar_core::{domain::UserId, ports::HealthCheck};
use tollbar_postgres::PgStore;
use tollbar_testkit::TestDatabase;

/// Uses the store on a runtime of one thread, which ends then.
fn on_a_short_lived_runtime(store: &PgStore, user: UserId) -> u64 {
    let store = store.clone();
    let work = move || {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            store.check().await.unwrap();
            login(&store, user).await.unwrap().version.get()
        })
    };
    thread::spawn(work).join().unwrap()
}

#[test]
fn a_connection_outlives_the_runtime_that_asked_for_it() {
    let database = TestDatabase::create();
    let home = Runtime::new().unwrap();
    let (store, watch) =
        home.block_on(async { (open(&database.url()).await, client(&database.url()).await) });
    // Not one connection is in the pool yet: migrations have one of their own.
    let first = store.clone();
    let ada = thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(user(&first, "ada"))
    });
    let ada = ada.join().unwrap();
    let opened = home.block_on(backends(&watch));
    assert_eq!(opened.len(), 1);
    for round in 0..5 {
        assert_eq!(on_a_short_lived_runtime(&store, ada), 2 * round + 1);
        let here = home.block_on(login(&store, ada)).unwrap();
        assert_eq!(here.version.get(), 2 * round + 2);
    }
    assert_eq!(home.block_on(backends(&watch)), opened, "the connection is still the first one");
}

#[test]
fn opens_on_a_runtime_of_one_thread() {
    let database = TestDatabase::create();
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { open(&database.url()).await.check().await.unwrap() });
}
