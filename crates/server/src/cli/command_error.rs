//! Why a command failed, and the exit code that says so.

use std::io::{self, Write as _};

use metrics_exporter_prometheus::BuildError;
use tollbar_core::{BesideError, StoreError};

use super::said::plain;
use crate::{
    operations::{Absence, AdminError, Refusal},
    settings::SettingsError,
    start_error::{RunError, StartError},
    traces::TracesError,
};

/// It could not be done.
const FAILED: u8 = 1;
/// It could be done, and the answer is no.
const NO: u8 = 3;

/// Why a command failed. With its causes, each is one line without a secret.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The settings cannot be used.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The settings were asked about, and have a mistake.
    #[error(transparent)]
    Mistake(SettingsError),
    /// The settings were asked about, and no service could start by them.
    #[error(transparent)]
    Unusable(StartError),
    /// A tier could not be opened, or the service did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The schema is older than this program.
    #[error("`tollbar migrate` has to run first")]
    Unmigrated(#[source] StartError),
    /// The service ended otherwise than it was told to.
    #[error(transparent)]
    Run(#[from] RunError),
    /// A tier failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Nothing can be done beside the processes that serve.
    #[error(transparent)]
    Beside(#[from] BesideError),
    /// What was asked of the tiers was refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// What was asked of a process was not done.
    #[error(transparent)]
    Admin(#[from] AdminError),
    /// A process holds the database, with the live state in its memory, and was not found.
    #[error(
        "a process serves from this database, or did a moment ago, and could not be asked (--admin URL says where it listens)"
    )]
    Elsewhere(#[source] Absence),
    /// Migrations are pending.
    #[error("{0} migrations are pending")]
    Pending(usize),
    /// Metrics cannot be recorded.
    #[error(transparent)]
    Metrics(#[from] BuildError),
    /// Traces cannot be sent.
    #[error(transparent)]
    Traces(#[from] TracesError),
    /// The system gives no threads.
    #[error("no threads")]
    Threads(#[source] io::Error),
    /// The answer could not be written.
    #[error("the answer could not be written")]
    Output(#[source] io::Error),
}

impl CommandError {
    /// What the process ends with: see `tollbar --help`.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Mistake(SettingsError::Unreadable { .. }) => FAILED,
            Self::Mistake(_)
            | Self::Unusable(_)
            | Self::Pending(_)
            | Self::Admin(AdminError::Unknown(_))
            | Self::Refused(Refusal::UnknownUser | Refusal::UnknownApi | Refusal::UnknownPolicy) => NO,
            _ => FAILED,
        }
    }
}

/// Says on standard error why the process ends.
pub fn report(why: &str, exit_code: u8, as_json: bool) {
    let line = if as_json {
        serde_json::json!({ "error": why, "exitCode": exit_code }).to_string()
    } else {
        format!("tollbar: {}", plain(why))
    };
    // Nothing more can be done where even stderr is gone.
    let _ = writeln!(io::stderr(), "{line}");
}
