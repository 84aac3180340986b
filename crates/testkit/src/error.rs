//! What can go wrong when an engine is started or asked something.

use std::error::Error;
use std::io;
use std::path::PathBuf;

/// A private engine could not be started or did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The engine's programs are not on this machine.
    #[error("{0} is not installed")]
    NotInstalled(&'static str),
    /// A file or process operation failed.
    #[error("cannot {action}")]
    Io {
        /// What was tried.
        action: String,
        /// Why it failed.
        source: io::Error,
    },
    /// PostgreSQL must not run as root and there is no other account to run it as.
    #[error("PostgreSQL refuses to run as root, and there is neither a user `postgres` nor `nobody`")]
    NoAccount(#[source] Option<nix::Error>),
    /// No folder for temporary files can be entered by the account that PostgreSQL runs as.
    #[error("no folder for temporary files is open to other users (tried {0:?})")]
    NoOpenFolder(Vec<PathBuf>),
    /// A program ended when it should have gone on, or did not get ready in time.
    #[error("{program} {what}: {log}")]
    Failed {
        /// The program.
        program: &'static str,
        /// How it failed.
        what: String,
        /// The end of what it printed.
        log: String,
    },
    /// Redis answered with an error, or not at all.
    #[error("Redis failed on {0}")]
    Redis(String, #[source] redis::RedisError),
    /// A certificate could not be made.
    #[error("cannot make a certificate")]
    Certificate(#[from] rcgen::Error),
    /// The operating system gave no random bytes.
    #[error("no randomness")]
    Random(#[from] getrandom::Error),
}

impl EngineError {
    /// Wraps an I/O error with what was tried.
    pub(crate) fn io(action: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let action = action.into();
        move |source| Self::Io { action, source }
    }
}

/// The error and its causes in one line.
pub fn one_line(error: &(dyn Error + 'static)) -> String {
    let line = |error: &dyn Error| error.to_string().trim().replace('\n', " | ");
    let (mut text, mut cause) = (line(error), error.source());
    while let Some(error) = cause {
        text = format!("{text}: {}", line(error));
        cause = error.source();
    }
    text
}

/// For tests, which have no way to go on without their engine.
pub(crate) trait OrPanic<T> {
    /// The value, or a panic with the error in one line.
    fn or_panic(self) -> T;
}

impl<T, E: Error + 'static> OrPanic<T> for Result<T, E> {
    #[track_caller]
    fn or_panic(self) -> T {
        match self {
            Ok(value) => value,
            Err(error) => panic!("{}", one_line(&error)),
        }
    }
}
