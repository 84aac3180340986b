//! The ways to a PostgreSQL server other than the straight one: through a pooler that lends out transactions, and by TLS.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use tollbar_postgres::PgOptions;
use tollbar_testkit::{Certificates, PrivatePgBouncer, PrivatePostgres, TestDatabase, postgres_url};

use crate::harness::Way;

/// The shared server, through a pooler that has two connections for each database.
pub(crate) struct Pooled(Arc<PrivatePgBouncer>);

/// A server whose certificate and name are verified.
pub(crate) struct Encrypted(Arc<(PrivatePostgres, Certificates)>);

/// What tests that run at the same time share; it goes with the last of them.
fn shared<T>(of: &Mutex<Weak<T>>, start: impl FnOnce() -> T) -> Arc<T> {
    let mut of = of.lock().unwrap_or_else(PoisonError::into_inner);
    of.upgrade().unwrap_or_else(|| {
        let started = Arc::new(start());
        *of = Arc::downgrade(&started);
        started
    })
}

impl Way for Pooled {
    fn prepare() -> Self {
        static SHARED: Mutex<Weak<PrivatePgBouncer>> = Mutex::new(Weak::new());
        Self(shared(&SHARED, || PrivatePgBouncer::options(&postgres_url()).pool(2).start()))
    }

    fn database(&self) -> TestDatabase {
        TestDatabase::create()
    }

    fn options(&self, database: &TestDatabase) -> PgOptions {
        PgOptions { pooler: true, ..PgOptions::new(self.0.through(&database.url())) }
    }
}

impl Way for Encrypted {
    fn prepare() -> Self {
        static SHARED: Mutex<Weak<(PrivatePostgres, Certificates)>> = Mutex::new(Weak::new());
        Self(shared(&SHARED, || {
            let certificates = Certificates::new();
            let options = PrivatePostgres::options().setting("max_connections", "200");
            (options.tls(&certificates).start(), certificates)
        }))
    }

    fn database(&self) -> TestDatabase {
        TestDatabase::on(&self.0.0.url())
    }

    fn options(&self, database: &TestDatabase) -> PgOptions {
        let url = format!("{}?sslmode=verify-full", database.url());
        PgOptions { ca_file: Some(self.0.1.ca()), ..PgOptions::new(url) }
    }
}
