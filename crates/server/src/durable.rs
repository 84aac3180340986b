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
        match &settings.url {
            DatabaseUrl::Sqlite(url) => {
                let mut options = SqliteOptions::from_url(url)?;
                options.deadline = settings.deadline;
                options.ledger_deadline = settings.ledger_deadline;
                options.start_deadline = settings.start_deadline;
                options.readers = settings.pool_size;
                options.queue = settings.queue;
                let place = format!("SQLite, {}", options.path.display());
                // The system ends the claim of a file with its process: nobody's outlives it.
                Ok(Self::of(SqliteStore::open(options).await?, place, Duration::ZERO))
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
                let store = PgStore::open(options).await?;
                let place = format!("PostgreSQL, {}", store.place());
                Ok(Self::of(store, place, settings.claim))
            }
        }
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
