//! Why the service did not start, and why it ended otherwise than it was told to.

use std::{io, net::SocketAddr, time::Duration};

use tollbar_core::{
    AssemblyError, StoreError,
    ports::{HashError, LeaseError},
};

/// Why the service did not start. With its causes, each is one line without a secret.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The SQLite database could not be opened.
    #[error("database.url")]
    Sqlite(#[from] tollbar_sqlite::OpenError),
    /// The PostgreSQL database could not be opened.
    #[error("database.url")]
    Postgres(#[source] tollbar_postgres::OpenError),
    /// What is set for TLS to the database cannot be done; the cause names the key or the `sslmode`.
    #[error("database")]
    DatabaseTls(#[source] tollbar_postgres::OpenError),
    /// The database failed while the service started.
    #[error("the database cannot be used")]
    Store(#[from] StoreError),
    /// Another process uses the database, and one of the two keeps limits, counts and cached sessions to itself.
    #[error("another process uses this database, and without one Redis for both only one may")]
    Taken,
    /// The database does not hold what an earlier start wrote.
    #[error("the database holds no valid token key")]
    TokenKey,
    /// A setting that is fixed for the life of the data was changed.
    #[error(
        "bad setting {key} = \"{set}\": this data was begun with \"{kept}\", and it is fixed for its life"
    )]
    Changed {
        /// Section and key.
        key: &'static str,
        /// What is set now.
        set: String,
        /// What was set at the first start.
        kept: String,
    },
    /// The settings of Redis cannot be used.
    #[error("bad settings of [redis]")]
    Redis(#[from] tollbar_redis::RedisOptionsError),
    /// Passwords cannot be hashed.
    #[error("passwords cannot be hashed")]
    Hash(#[from] HashError),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// `server.bind` or `admin.bind`
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
}

impl From<tollbar_postgres::OpenError> for StartError {
    fn from(error: tollbar_postgres::OpenError) -> Self {
        match error {
            tollbar_postgres::OpenError::Tls(..) => Self::DatabaseTls(error),
            _ => Self::Postgres(error),
        }
    }
}

impl From<AssemblyError> for StartError {
    fn from(error: AssemblyError) -> Self {
        match error {
            AssemblyError::Store(error) => error.into(),
            AssemblyError::TokenKey => Self::TokenKey,
            AssemblyError::Hash(error) => error.into(),
        }
    }
}

/// Why the service ended otherwise than it was told to.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The system gives no signals.
    #[error("signals cannot be received")]
    Signals(#[source] io::Error),
    /// The server failed.
    #[error("the HTTP server failed")]
    Server(#[source] io::Error),
    /// Another process took the database over while this one could not renew its claim.
    #[error("stopped, because another process uses this database now")]
    Lost,
    /// The shutdown was not done in time.
    #[error("stopped before everything was done: server.shutdown_timeout, {0:?}, is over")]
    Late(Duration),
}

/// Keeps the two apart that a claim on the database can fail with.
pub(crate) fn claim_error(error: LeaseError) -> StartError {
    match error {
        LeaseError::Taken => StartError::Taken,
        LeaseError::Store(error) => StartError::Store(error),
    }
}
