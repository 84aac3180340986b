//! The durable tier, of whichever engine.

use std::{sync::Arc, time::Duration};

use tollbar_core::{
    DurableTier,
    ports::{CallHistory, CallLedger, Fact, HealthCheck, Installation, ProcessLease, SessionStore, UserRepo},
};
use tollbar_postgres::{PgOptions, PgStore};
use tollbar_sqlite::{SqliteOptions, SqliteStore};

use crate::{
    settings::{DatabaseSettings, DatabaseUrl},
    start_error::StartError,
};

/// The ports of one durable tier.
pub(crate) struct Durable {
    pub(crate) tier: DurableTier,
    pub(crate) lease: Arc<dyn ProcessLease>,
    pub(crate) health: Arc<dyn HealthCheck>,
    /// What a person calls it: engine and place, without a secret.
    pub(crate) place: String,
    /// How long the claim of a process that was killed may outlive it.
    pub(crate) claim_outlives: Duration,
}

impl Durable {
    /// Opens it and brings its schema up to date.
    pub(crate) async fn open(settings: &DatabaseSettings) -> Result<Self, StartError> {
        match Engine::of(settings)? {
            Engine::Sqlite(options) => Ok(Self::sqlite(SqliteStore::open(options.clone()).await?, &options)),
            Engine::Postgres(options) => Ok(Self::postgres(PgStore::open(options).await?, settings)),
        }
    }

    /// That it could be opened by these settings, if it is there: nothing is touched.
    pub(crate) fn check(settings: &DatabaseSettings) -> Result<(), StartError> {
        match Engine::of(settings)? {
            Engine::Sqlite(_) => Ok(()),
            Engine::Postgres(options) => Ok(PgStore::check(&options)?),
        }
    }

    /// Opens it beside those who use it: nothing is made or migrated.
    pub(crate) async fn open_beside(settings: &DatabaseSettings) -> Result<Self, StartError> {
        match Engine::of(settings)? {
            Engine::Sqlite(options) => {
                Ok(Self::sqlite(SqliteStore::open_beside(options.clone()).await?, &options))
            }
            Engine::Postgres(options) => Ok(Self::postgres(PgStore::open_beside(options).await?, settings)),
        }
    }

    /// Brings its schema up to date, and names what has run for it. `told` hears before each migration how many are done, of how many, and
    /// which is next.
    pub(crate) async fn migrate(
        settings: &DatabaseSettings,
        told: impl Fn(usize, usize, &str) + Send + 'static,
    ) -> Result<Vec<String>, StartError> {
        Ok(match Engine::of(settings)? {
            Engine::Sqlite(options) => SqliteStore::migrate(options, told).await?,
            Engine::Postgres(options) => PgStore::migrate(options, told).await?,
        })
    }

    /// The migrations that have not run. Nothing is made or written.
    pub(crate) async fn pending(settings: &DatabaseSettings) -> Result<Vec<String>, StartError> {
        Ok(match Engine::of(settings)? {
            Engine::Sqlite(options) => SqliteStore::pending(options).await?,
            Engine::Postgres(options) => PgStore::pending(options).await?,
        })
    }

    fn sqlite(store: SqliteStore, options: &SqliteOptions) -> Self {
        let place = format!("SQLite, {}", options.path.display());
        // The system ends the claim of a file with its process: nobody's outlives it.
        Self::of(store, place, Duration::ZERO)
    }

    fn postgres(store: PgStore, settings: &DatabaseSettings) -> Self {
        let place = format!("PostgreSQL, {}", store.place());
        Self::of(store, place, settings.claim)
    }

    fn of<S>(store: S, place: String, claim_outlives: Duration) -> Self
    where
        S: UserRepo
            + SessionStore
            + CallLedger
            + CallHistory
            + Installation
            + ProcessLease
            + HealthCheck
            + 'static,
    {
        let store = Arc::new(store);
        Self {
            tier: DurableTier::of(store.clone()),
            lease: store.clone(),
            health: store,
            place,
            claim_outlives,
        }
    }

    /// Refuses a setting that differs from what the first start was told.
    pub(crate) async fn fixed(&self, fact: Fact, key: &'static str, set: &str) -> Result<(), StartError> {
        let kept = self.tier.installation.decide(fact, set.as_bytes()).await?;
        if kept == set.as_bytes() {
            return Ok(());
        }
        let kept = String::from_utf8_lossy(&kept).into_owned();
        Err(StartError::Changed { key, set: set.to_owned(), kept })
    }
}

/// Which engine, and how it is opened.
enum Engine {
    Sqlite(SqliteOptions),
    Postgres(PgOptions),
}

impl Engine {
    fn of(settings: &DatabaseSettings) -> Result<Self, StartError> {
        Ok(match &settings.url {
            DatabaseUrl::Sqlite(url) => {
                let mut options = SqliteOptions::from_url(url)?;
                options.deadline = settings.deadline;
                options.ledger_deadline = settings.ledger_deadline;
                options.start_deadline = settings.start_deadline;
                options.readers = settings.pool_size;
                options.queue = settings.queue;
                Self::Sqlite(options)
            }
            DatabaseUrl::Postgres(url) => {
                let mut options = PgOptions::new(url);
                options.ca_file.clone_from(&settings.ca_file);
                options.cert_file.clone_from(&settings.cert_file);
                options.key_file.clone_from(&settings.key_file);
                options.pooler = settings.pooler;
                options.deadline = settings.deadline;
                options.ledger_deadline = settings.ledger_deadline;
                options.start_deadline = settings.start_deadline;
                options.pool_size = settings.pool_size;
                options.queue = settings.queue;
                Self::Postgres(options)
            }
        })
    }
}
