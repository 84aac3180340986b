//! PostgreSQL as the conformance suites take it.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use tollbar_contract::{
    CallLedgerHarness, Harness, InstallationHarness, ProcessLeaseHarness, SessionStoreHarness,
    UserRepoHarness,
};
use tollbar_core::ports::{CallLedger, Installation, ProcessLease, SessionStore, UserRepo};
use tollbar_postgres::{PgOptions, PgStore};
use tollbar_testkit::TestDatabase;

/// A fresh database on the shared server.
pub(crate) struct Postgres {
    // Dropped first, while the database is still there.
    store: PgStore,
    database: TestDatabase,
}

async fn open(database: &TestDatabase) -> PgStore {
    // The machine of a test may be busy with other tests.
    let deadline = Duration::from_secs(10);
    let options = PgOptions { deadline, ..PgOptions::new(database.url()) };
    PgStore::open(options).await.expect("a fresh database can be opened")
}

#[async_trait]
impl Harness for Postgres {
    async fn start() -> Self {
        let database = TestDatabase::create();
        Self { store: open(&database).await, database }
    }
}

impl UserRepoHarness for Postgres {
    fn user_repo(&self) -> Arc<dyn UserRepo> {
        Arc::new(self.store.clone())
    }
}

impl SessionStoreHarness for Postgres {
    fn session_store(&self) -> Arc<dyn SessionStore> {
        Arc::new(self.store.clone())
    }
}

impl CallLedgerHarness for Postgres {
    fn call_ledger(&self) -> Arc<dyn CallLedger> {
        Arc::new(self.store.clone())
    }

    fn claims(&self) -> Arc<dyn ProcessLease> {
        Arc::new(self.store.clone())
    }
}

impl InstallationHarness for Postgres {
    fn installation(&self) -> Arc<dyn Installation> {
        Arc::new(self.store.clone())
    }
}

#[async_trait]
impl ProcessLeaseHarness for Postgres {
    async fn process(&self) -> Arc<dyn ProcessLease> {
        Arc::new(open(&self.database).await)
    }
}
