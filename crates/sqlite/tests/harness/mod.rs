//! SQLite as the conformance suites take it.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use tempfile::TempDir;
use tollbar_contract::{
    CallLedgerHarness, Harness, InstallationHarness, ProcessLeaseHarness, SessionStoreHarness,
    UserRepoHarness,
};
use tollbar_core::ports::{CallHistory, CallLedger, Installation, ProcessLease, SessionStore, UserRepo};
use tollbar_sqlite::{SqliteOptions, SqliteStore};

/// A fresh file in a folder of its own.
pub(crate) struct Sqlite {
    // Dropped first, while the folder is still there.
    store: SqliteStore,
    folder: TempDir,
}

async fn open(folder: &TempDir) -> SqliteStore {
    let options = SqliteOptions {
        path: folder.path().join("tollbar.db"),
        // The machine of a test may be busy with other tests.
        deadline: Duration::from_secs(10),
        ..SqliteOptions::default()
    };
    SqliteStore::open(options).await.expect("a fresh file can be opened")
}

#[async_trait]
impl Harness for Sqlite {
    async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        Self { store: open(&folder).await, folder }
    }
}

impl UserRepoHarness for Sqlite {
    fn user_repo(&self) -> Arc<dyn UserRepo> {
        Arc::new(self.store.clone())
    }
}

impl SessionStoreHarness for Sqlite {
    fn session_store(&self) -> Arc<dyn SessionStore> {
        Arc::new(self.store.clone())
    }
}

impl CallLedgerHarness for Sqlite {
    fn call_ledger(&self) -> Arc<dyn CallLedger> {
        Arc::new(self.store.clone())
    }

    fn call_history(&self) -> Arc<dyn CallHistory> {
        Arc::new(self.store.clone())
    }

    fn claims(&self) -> Arc<dyn ProcessLease> {
        Arc::new(self.store.clone())
    }
}

impl InstallationHarness for Sqlite {
    fn installation(&self) -> Arc<dyn Installation> {
        Arc::new(self.store.clone())
    }
}

#[async_trait]
impl ProcessLeaseHarness for Sqlite {
    async fn process(&self) -> Arc<dyn ProcessLease> {
        Arc::new(open(&self.folder).await)
    }
}
