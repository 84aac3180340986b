//! Why a PostgreSQL database could not be opened.

use std::{error::Error, time::Duration};

/// The store could not be opened. The message is one line without a secret; the causes are its sources.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL does not name a PostgreSQL database.
    #[error("the database URL is not of the form postgres://USER:PASSWORD@HOST:PORT/DATABASE")]
    Url(#[source] Option<Box<dyn Error + Send + Sync>>),
    /// What is asked for of TLS cannot be done: the URL's `sslmode`, or a file.
    #[error("{0}")]
    Tls(String, #[source] Option<Box<dyn Error + Send + Sync>>),
    /// A connection could not be opened.
    #[error("the PostgreSQL database at {address} could not be reached")]
    Unreachable {
        /// Host, port and database.
        address: String,
        /// Why not.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The schema could not be brought up to date.
    #[error("the PostgreSQL database at {address} could not be migrated")]
    Migration {
        /// Host, port and database.
        address: String,
        /// Why not.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The database did not answer in time.
    #[error("the PostgreSQL database at {address} was not ready within {deadline:?}")]
    Deadline {
        /// Host, port and database.
        address: String,
        /// How long it was waited for.
        deadline: Duration,
    },
    /// The schema is not up to date, and was not to be changed.
    #[error("the PostgreSQL database at {address} is not migrated: {pending} migrations are pending")]
    Behind {
        /// Host, port and database.
        address: String,
        /// How many migrations have not run.
        pending: usize,
    },
}
