//! A server that hangs, a row that is locked, a caller that leaves: calls end in time and leave nothing half done.
#![allow(clippy::unwrap_used, reason = "tests stop where something fails")]

mod support;

use std::{collections::HashSet, time::Duration};

use futures_util::future::join_all;
use support::{backends, client, hasty, login, now, open, transactions, user, version};
use tokio::time::{sleep, timeout};
use tollbar_contract::crowd;
use tollbar_core::{
    domain::UserId,
    ports::{HealthCheck, SessionStore},
};
use tollbar_postgres::{PgOptions, PgStore};
use tollbar_testkit::{Proxy, TestDatabase};

#[tokio::test]
async fn a_row_locked_elsewhere_costs_no_more_than_the_deadline() {
    let database = TestDatabase::create();
    let store = hasty(&database.url()).await;
    let ada = user(&store, "ada").await;
    let elsewhere = client(&database.url()).await;
    elsewhere.batch_execute("BEGIN; SELECT * FROM users FOR UPDATE").await.unwrap();

    let all = timeout(Duration::from_secs(1), join_all((0..30).map(|_| login(&store, ada))));
    for outcome in all.await.expect("all thirty end in time") {
        let error = outcome.unwrap_err();
        assert!(error.is_transient(), "{error:?}");
    }
    // What a caller left behind on the server ends by itself, before another deadline has passed.
    sleep(Duration::from_millis(300)).await;
    assert_eq!(transactions(&elsewhere).await, 0);
    elsewhere.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(login(&store, ada).await.unwrap().version.get(), 1);
}

#[tokio::test]
async fn a_caller_that_leaves_at_any_point_leaves_no_transaction() {
    let database = TestDatabase::create();
    let proxy = Proxy::to_url(&database.url());
    let store = open(&proxy.url(&database.url())).await;
    let ada = user(&store, "ada").await;
    let watch = client(&database.url()).await;
    let away = Duration::from_millis(1);
    proxy.delay(away, away);
    for after in 1..60 {
        let _ = timeout(Duration::from_millis(after), login(&store, ada)).await;
    }
    proxy.pass();
    let mut seen = HashSet::new();
    for _ in 0..20 {
        assert!(
            seen.insert(login(&store, ada).await.unwrap().version),
            "each login has a version of its own"
        );
    }
    sleep(Duration::from_millis(200)).await;
    assert_eq!(transactions(&watch).await, 0);
    assert_eq!(version(&store, ada).await, seen.iter().max().unwrap().get());
}

#[tokio::test]
async fn a_connection_whose_call_was_cut_short_is_not_used_again() {
    let database = TestDatabase::create();
    let proxy = Proxy::to_url(&database.url());
    let store = hasty(&proxy.url(&database.url())).await;
    let (ada, watch) = (user(&store, "ada").await, client(&database.url()).await);
    let before = backends(&watch).await;
    proxy.hold_answers();
    store.load(ada, now()).await.unwrap_err();
    proxy.pass();
    store.load(ada, now()).await.unwrap();
    sleep(Duration::from_millis(100)).await;
    let after = backends(&watch).await;
    assert!(before.len() == 1 && after.is_disjoint(&before), "{before:?} {after:?}");
}

#[tokio::test]
async fn a_server_that_hangs_is_found_again_when_it_goes_on() {
    let database = TestDatabase::create();
    let proxy = Proxy::to_url(&database.url());
    let store = hasty(&proxy.url(&database.url())).await;
    let ada = user(&store, "ada").await;
    for hang in [Proxy::blackhole, Proxy::hold_answers, Proxy::refuse] {
        hang(&proxy);
        let all = timeout(Duration::from_secs(1), join_all((0..30).map(|_| login(&store, ada))));
        for outcome in all.await.expect("all thirty end in time") {
            assert!(outcome.unwrap_err().is_transient());
        }
        store.check().await.unwrap_err();
        proxy.pass();
        // What was on its way when the caller gave up may still lock the row.
        sleep(Duration::from_millis(300)).await;
        until_found(&store, ada).await;
    }
}

/// Calls until one is answered, which is soon, and by itself.
async fn until_found(store: &PgStore, ada: UserId) {
    let found = async {
        while store.load(ada, now()).await.is_err() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(2), found).await.expect("it is looked for twice a second");
    login(store, ada).await.unwrap();
}

#[tokio::test]
async fn nobody_waits_for_a_server_that_is_known_to_hang() {
    let database = TestDatabase::create();
    let proxy = Proxy::to_url(&database.url());
    let store = hasty(&proxy.url(&database.url())).await;
    let ada = user(&store, "ada").await;
    for hang in [Proxy::blackhole, Proxy::hold_answers] {
        hang(&proxy);
        for _ in 0..3 {
            store.load(ada, now()).await.unwrap_err();
        }
        // As long as several deadlines: one call of a hundred that waited for one would show.
        for _ in 0..100 {
            let refused = timeout(Duration::from_millis(100), store.load(ada, now())).await;
            assert!(refused.expect("it is refused at once").unwrap_err().is_transient());
            sleep(Duration::from_millis(10)).await;
        }
        proxy.pass();
        until_found(&store, ada).await;
    }
}

#[tokio::test]
async fn one_more_than_may_wait_is_refused_at_once() {
    let database = TestDatabase::create();
    let deadline = Duration::from_millis(300);
    let options = PgOptions { deadline, queue: 5, ..PgOptions::new(database.url()) };
    let store = PgStore::open(options).await.unwrap();
    let ada = user(&store, "ada").await;
    let elsewhere = client(&database.url()).await;
    elsewhere.batch_execute("BEGIN; SELECT * FROM users FOR UPDATE").await.unwrap();
    let outcomes = join_all((0..20).map(|_| login(&store, ada))).await;
    let shown = outcomes.into_iter().map(|outcome| format!("{:?}", outcome.unwrap_err()));
    assert_eq!(shown.filter(|error| error.contains("too many callers")).count(), 5);
}

#[tokio::test]
async fn a_crowd_does_not_keep_out_what_the_process_lives_by() {
    let database = TestDatabase::create();
    let options = PgOptions { queue: 1, ..PgOptions::new(database.url()) };
    let store = PgStore::open(options).await.unwrap();
    let ada = user(&store, "ada").await;
    let crowd = async {
        loop {
            join_all((0..30).map(|_| login(&store, ada))).await;
        }
    };
    crowd::does_not_keep_out_what_a_process_lives_by(&store, crowd).await;
}

#[tokio::test]
async fn two_hundred_at_once_each_have_their_turn() {
    let database = TestDatabase::create();
    // The machine of a test may be busy with other tests.
    let options = PgOptions { deadline: Duration::from_secs(10), ..PgOptions::new(database.url()) };
    let store = PgStore::open(options).await.unwrap();
    let ada = user(&store, "ada").await;
    let versions: HashSet<_> = join_all((0..200).map(|_| login(&store, ada)))
        .await
        .into_iter()
        .map(|set| set.unwrap().version)
        .collect();
    assert_eq!(versions.len(), 200);
}

#[tokio::test]
async fn a_process_that_hangs_amid_a_transaction_does_not_keep_its_locks() {
    let database = TestDatabase::create();
    let proxy = Proxy::to_url(&database.url());
    let (hung, healthy) = (hasty(&proxy.url(&database.url())).await, open(&database.url()).await);
    let ada = user(&hung, "ada").await;
    proxy.delay(Duration::from_millis(20), Duration::ZERO);
    // Between its first statement and its commit, nothing of it arrives any more, not even that it has closed.
    let cut_off = async {
        sleep(Duration::from_millis(70)).await;
        proxy.blackhole();
    };
    let (outcome, ()) = tokio::join!(login(&hung, ada), cut_off);
    outcome.unwrap_err();
    assert!(login(&healthy, ada).await.unwrap().version.get() <= 2);
}
