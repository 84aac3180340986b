//! Why a command could not be carried out.

use std::io;
use std::process::ExitStatus;

use tollbar_testkit::EngineError;

/// A command ended without an outcome.
#[derive(Debug, thiserror::Error)]
pub(crate) enum XtaskError {
    /// An engine is missing or does not start.
    #[error("the tests need Redis and PostgreSQL")]
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
    /// Ctrl-C could not be caught.
    #[error("cannot catch signals")]
    Signals(#[from] ctrlc::Error),
}
