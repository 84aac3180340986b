//! Why a command could not be carried out.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;

use tollbar_testkit::EngineError;

/// A command ended without an outcome.
#[derive(Debug, thiserror::Error)]
pub(crate) enum XtaskError {
    /// An engine is missing or does not start.
    #[error("Redis and PostgreSQL are needed")]
    Engine(#[from] EngineError),
    /// An engine is missing and we have no means to install it.
    #[error("{0} missing, and installing needs apt-get with root or passwordless sudo: please install {1}")]
    CannotInstall(String, String),
    /// The package manager failed.
    #[error("installing {0} failed: {1}")]
    Install(String, ExitStatus),
    /// A program could not be run.
    #[error("cannot run {0}")]
    Run(&'static str, #[source] io::Error),
    /// A program that should have done something failed.
    #[error("{0} failed ({1}): {2}")]
    Failed(String, ExitStatus, String),
    /// A subject of the benchmark did not start.
    #[error("{0} does not answer: {1}")]
    NotReady(String, String),
    /// What was measured is not what should have been measured.
    #[error("{0}")]
    Measured(String),
    /// A file could not be read or written.
    #[error("cannot use {0}")]
    File(PathBuf, #[source] io::Error),
    /// We were told to end.
    #[error("interrupted")]
    Interrupted,
    /// Ctrl-C could not be caught.
    #[error("cannot catch signals")]
    Signals(#[from] ctrlc::Error),
}
