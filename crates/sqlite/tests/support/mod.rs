//! A store in a folder of its own, and the values that tests hand to it.
#![allow(dead_code, reason = "each test file uses its share")]

use std::{num::NonZeroUsize, time::Duration};

use tempfile::TempDir;
use tollbar_core::{
    StoreError,
    domain::{PasswordHash, SessionSet, Timestamp, UserId, Username, Verifier},
    ports::{NewSession, SessionStore, UserRepo},
};
use tollbar_sqlite::{SqliteOptions, SqliteStore};

pub(crate) fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder can be made")
}

pub(crate) fn options(folder: &TempDir) -> SqliteOptions {
    SqliteOptions { path: folder.path().join("nested").join("tollbar.db"), ..SqliteOptions::default() }
}

pub(crate) async fn open(folder: &TempDir) -> SqliteStore {
    SqliteStore::open(options(folder)).await.unwrap()
}

pub(crate) async fn user(store: &SqliteStore, name: &str) -> UserId {
    let (name, hash) = (Username::new(name).unwrap(), PasswordHash::new("hash"));
    store.create(&name, &hash).await.unwrap()
}

pub(crate) fn now() -> Timestamp {
    Timestamp::from_micros(1_700_000_000_000_000)
}

pub(crate) async fn login(store: &SqliteStore, user: UserId) -> Result<SessionSet, StoreError> {
    let session = NewSession { verifier: Verifier::from_bytes([7; 32]), ttl: Duration::from_secs(60) };
    let set = SessionStore::open(store, user, session, NonZeroUsize::MIN, now()).await?;
    Ok(set.expect("the user exists"))
}
