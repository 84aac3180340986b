//! PostgreSQL as the conformance suites take it.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use tollbar_contract::{
    CallLedgerHarness, Harness, InstallationHarness, ProcessLeaseHarness, SessionStoreHarness,
    UserRepoHarness,
};
use tollbar_core::ports::{CallHistory, CallLedger, Installation, ProcessLease, SessionStore, UserRepo};
use tollbar_postgres::{PgOptions, PgStore};
use tollbar_testkit::TestDatabase;

/// How a server is reached.
pub(crate) trait Way: Send + Sync + 'static {
    fn prepare() -> Self;

    /// A fresh database on the server.
    fn database(&self) -> TestDatabase;

    /// How to reach it.
    fn options(&self, database: &TestDatabase) -> PgOptions;
}

/// The shared server, straight.
pub(crate) struct Direct;

impl Way for Direct {
    fn prepare() -> Self {
        Self
    }

    fn database(&self) -> TestDatabase {
        TestDatabase::create()
    }

    fn options(&self, database: &TestDatabase) -> PgOptions {
        PgOptions::new(database.url())
    }
}

/// A fresh database on a server that is reached in some way.
pub(crate) struct Postgres<W: Way = Direct> {
    // Dropped first, while the database is still there, and that before its server.
    store: PgStore,
    database: TestDatabase,
    way: W,
}

async fn open(options: PgOptions) -> PgStore {
    // The machine of a test may be busy with other tests.
    let options = PgOptions { deadline: Duration::from_secs(10), ..options };
    PgStore::open(options).await.expect("a fresh database can be opened")
}

#[async_trait]
impl<W: Way> Harness for Postgres<W> {
    async fn start() -> Self {
        let way = W::prepare();
        let database = way.database();
        Self { store: open(way.options(&database)).await, database, way }
    }
}

impl<W: Way> UserRepoHarness for Postgres<W> {
    fn user_repo(&self) -> Arc<dyn UserRepo> {
        Arc::new(self.store.clone())
    }
}

impl<W: Way> SessionStoreHarness for Postgres<W> {
    fn session_store(&self) -> Arc<dyn SessionStore> {
        Arc::new(self.store.clone())
    }
}

impl<W: Way> CallLedgerHarness for Postgres<W> {
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

impl<W: Way> InstallationHarness for Postgres<W> {
    fn installation(&self) -> Arc<dyn Installation> {
        Arc::new(self.store.clone())
    }
}

#[async_trait]
impl<W: Way> ProcessLeaseHarness for Postgres<W> {
    async fn process(&self) -> Arc<dyn ProcessLease> {
        Arc::new(open(self.way.options(&self.database)).await)
    }
}
