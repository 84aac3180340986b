//! A store on a database of its own, and the values that tests hand to it.
#![allow(dead_code, reason = "each test file uses its share")]

use std::{collections::HashSet, num::NonZeroUsize, time::Duration};

use tokio_postgres::{Client, NoTls};
use tollbar_core::{
    StoreError,
    domain::{PasswordHash, SessionSet, Timestamp, UserId, Username, Verifier},
    ports::{NewSession, SessionStore, UserRepo},
};
use tollbar_postgres::{PgOptions, PgStore};

pub(crate) async fn open(url: &str) -> PgStore {
    PgStore::open(PgOptions::new(url)).await.unwrap()
}

/// A store whose calls end soon.
pub(crate) async fn hasty(url: &str) -> PgStore {
    let deadline = Duration::from_millis(300);
    PgStore::open(PgOptions { deadline, ..PgOptions::new(url) }).await.unwrap()
}

/// A connection beside the store's.
pub(crate) async fn client(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// How many of the store's connections are in the midst of a transaction.
pub(crate) async fn transactions(client: &Client) -> i64 {
    let query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                 AND application_name = 'tollbar' AND xact_start IS NOT NULL";
    client.query_one(query, &[]).await.unwrap().get(0)
}

/// The server's process for each of the store's connections.
pub(crate) async fn backends(client: &Client) -> HashSet<i32> {
    let query = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() \
                 AND application_name = 'tollbar'";
    client.query(query, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

pub(crate) async fn user(store: &PgStore, name: &str) -> UserId {
    let (name, hash) = (Username::new(name).unwrap(), PasswordHash::new("hash"));
    store.create(&name, &hash).await.unwrap()
}

pub(crate) fn now() -> Timestamp {
    Timestamp::from_micros(1_700_000_000_000_000)
}

pub(crate) async fn login(store: &PgStore, user: UserId) -> Result<SessionSet, StoreError> {
    let session = NewSession { verifier: Verifier::from_bytes([7; 32]), ttl: Duration::from_secs(60) };
    let set = SessionStore::open(store, user, session, NonZeroUsize::MIN, now()).await?;
    Ok(set.expect("the user exists"))
}

pub(crate) async fn version(store: &PgStore, user: UserId) -> u64 {
    store.load(user, now()).await.unwrap().expect("the user exists").version.get()
}
