//! What was acknowledged is there again; opening creates what is missing, and however many open at once.
#![allow(clippy::unwrap_used, reason = "tests stop where something fails")]

mod support;

use support::{folder, login, now, open, options, user};
use tollbar_core::{
    domain::{Incarnation, Username},
    ports::{CallLedger, Fact, Installation, SessionStore, UserRepo},
};
use tollbar_sqlite::{OpenError, SqliteStore};

#[tokio::test]
async fn a_restart_finds_what_was_acknowledged() {
    let folder = folder();
    let store = open(&folder).await;
    let ada = user(&store, "Ada").await;
    let set = login(&store, ada).await.unwrap();
    store.decide(Fact::TokenKey, b"first").await.unwrap();
    drop(store);

    let store = open(&folder).await;
    let found = store.find(&Username::new("aDA").unwrap()).await.unwrap();
    assert_eq!(found.map(|credentials| credentials.user), Some(ada));
    assert_eq!(store.load(ada, now()).await.unwrap(), Some(set));
    assert_eq!(store.decide(Fact::TokenKey, b"second").await.unwrap(), b"first");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_open_a_new_file_at_once() {
    let folder = folder();
    let opening: Vec<_> = (0..8).map(|_| tokio::spawn(SqliteStore::open(options(&folder)))).collect();
    for opened in opening {
        opened.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_taken_name_burns_no_number() {
    let folder = folder();
    let store = open(&folder).await;
    let first = user(&store, "ada").await;
    let name = Username::new("ADA").unwrap();
    for _ in 0..3 {
        store.create(&name, &tollbar_core::domain::PasswordHash::new("x")).await.unwrap_err();
    }
    assert_eq!(user(&store, "bob").await.get(), first.get() + 1);
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_named() {
    let folder = folder();
    std::fs::write(folder.path().join("nested"), "a file").unwrap();
    let error = SqliteStore::open(options(&folder)).await.unwrap_err();
    assert!(matches!(error, OpenError::Folder { .. }), "{error:?}");
    assert!(error.to_string().contains("nested"), "{error}");
}

#[tokio::test]
async fn a_file_of_another_kind_is_refused() {
    let folder = folder();
    let path = folder.path().join("nested");
    std::fs::create_dir(&path).unwrap();
    std::fs::write(path.join("tollbar.db"), "this is a letter to my mother, and not a database").unwrap();
    let error = SqliteStore::open(options(&folder)).await.unwrap_err();
    assert!(matches!(error, OpenError::File { .. }), "{error:?}");
}

#[cfg(unix)]
#[tokio::test]
async fn the_files_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;

    let folder = folder();
    let store = open(&folder).await;
    let process = Incarnation::from_bytes([1; 16]);
    store.begin(process, process).await.unwrap();
    for file in std::fs::read_dir(folder.path().join("nested")).unwrap() {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{:?} {mode:o}", file.file_name());
    }
}
