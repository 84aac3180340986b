//! `[database]`: which durable tier, and how long and how many calls may wait for it.

use std::{fmt, num::NonZeroUsize, path::PathBuf, time::Duration};

use super::{SettingsError, keys::Keys};

/// `[database]`
#[derive(Debug, Clone)]
pub struct DatabaseSettings {
    /// Which engine, and where.
    pub url: DatabaseUrl,
    /// PEM file of the authorities that PostgreSQL's certificate is verified by.
    pub ca_file: Option<PathBuf>,
    /// PEM file of a certificate for PostgreSQL to know us by.
    pub cert_file: Option<PathBuf>,
    /// PEM file of its key.
    pub key_file: Option<PathBuf>,
    /// Whether PgBouncer, or one like it, lends connections out by transaction.
    pub pooler: bool,
    /// Connections, or readers.
    pub pool_size: NonZeroUsize,
    /// How many calls may wait for one.
    pub queue: usize,
    /// How long a call may take.
    pub deadline: Duration,
    /// The same for the ledger of counts.
    pub ledger_deadline: Duration,
    /// How long opening may take.
    pub start_deadline: Duration,
    /// How long this process' claim on the database outlives it.
    pub claim: Duration,
}

/// The durable tier that a URL names. Its `Debug` shows no password.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// `sqlite://PATH`
    Sqlite(String),
    /// `postgres://…` or `postgresql://…`
    Postgres(String),
}

impl DatabaseSettings {
    pub(super) fn read(keys: &Keys) -> Result<Self, SettingsError> {
        let (milli, hour) = (Duration::from_millis(1), Duration::from_secs(3600));
        Ok(Self {
            url: keys.parse("database.url", url)?,
            ca_file: keys.parse("database.ca_file", file)?,
            cert_file: keys.parse("database.cert_file", file)?,
            key_file: keys.parse("database.key_file", file)?,
            pooler: keys.choice("database.pooler", &[("false", false), ("true", true)])?,
            pool_size: keys.number("database.pool_size", NonZeroUsize::MIN..=MAX_POOL)?,
            queue: keys.number("database.queue", 1..=1_000_000)?,
            deadline: keys.duration("database.deadline", milli..=hour)?,
            ledger_deadline: keys.duration("database.ledger_deadline", milli..=hour)?,
            start_deadline: keys.duration("database.start_deadline", milli..=hour)?,
            claim: keys.duration("database.claim", Duration::from_millis(300)..=hour)?,
        })
    }
}

const MAX_POOL: NonZeroUsize = NonZeroUsize::new(1_000).expect("a thousand is not zero");

fn url(text: &str) -> Result<DatabaseUrl, String> {
    match text.split_once("://") {
        Some(("sqlite", path)) if !path.is_empty() => Ok(DatabaseUrl::Sqlite(text.to_owned())),
        Some(("postgres" | "postgresql", rest)) if !rest.is_empty() => {
            Ok(DatabaseUrl::Postgres(text.to_owned()))
        }
        _ => Err("sqlite://PATH or postgres://USER:PASSWORD@HOST:PORT/DATABASE".to_owned()),
    }
}

/// Whether it can be read is seen at the start.
#[expect(clippy::unnecessary_wraps, reason = "a rule for a setting may refuse")]
fn file(text: &str) -> Result<Option<PathBuf>, String> {
    Ok((!text.is_empty()).then(|| PathBuf::from(text)))
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(url) => write!(f, "{url}"),
            Self::Postgres(_) => f.write_str("postgres://…"),
        }
    }
}
