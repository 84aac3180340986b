//! Why a run could not be carried out. What Tollbar does wrong is none of these.

use std::io;
use std::path::PathBuf;

use tollbar_testkit::EngineError;

/// A run ended without an outcome.
#[derive(Debug, thiserror::Error)]
pub enum ChaosError {
    /// An engine does not start.
    #[error("Redis and PostgreSQL are needed")]
    Engine(#[from] EngineError),
    /// A file could not be read or written.
    #[error("cannot use {0}")]
    File(PathBuf, #[source] io::Error),
    /// A process could not be started.
    #[error("cannot run {0}")]
    Run(PathBuf, #[source] io::Error),
    /// A process started and does not listen.
    #[error("process {0} does not listen: see {1}")]
    NotListening(usize, PathBuf),
    /// The clients could not be set up.
    #[error("no HTTP client")]
    Client(#[from] reqwest::Error),
    /// PostgreSQL did not answer what the harness itself asked.
    #[error("cannot ask PostgreSQL")]
    Postgres(#[from] tokio_postgres::Error),
    /// Redis did not answer what the harness itself asked.
    #[error("cannot ask Redis")]
    Redis(#[from] redis::RedisError),
    /// A task of the harness panicked.
    #[error("a part of the harness ended early")]
    Task(#[from] tokio::task::JoinError),
    /// The accounts that a stage begins with could not be made.
    #[error("the first accounts got {0} instead of a session")]
    NoAccounts(String),
}

impl ChaosError {
    /// Wraps a failure to use a file.
    pub(super) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |error| Self::File(path, error)
    }
}
