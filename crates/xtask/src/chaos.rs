//! `cargo xtask chaos`: builds the server and the harness as for a release, and lets the harness break things.

use std::env;
use std::path::Path;
use std::process::{Command, ExitCode};

use clap::Args;

use crate::error::XtaskError;
use crate::install::{Program, install_missing};
use crate::interrupt;

/// Break everything Tollbar stands on, one thing at a time, and count the promises that are not kept.
///
/// Starts Tollbar processes, a private Redis and a private PostgreSQL, and breaks their links and themselves while clients
/// sign up, log in and out, and call. Prints the figures in Markdown; a promise that was not kept ends it with 1, and the logs
/// and the history stay in target/chaos.
#[derive(Args)]
pub(crate) struct Chaos {
    /// How long faults are injected, in minutes
    #[arg(long, default_value_t = 10.0)]
    minutes: f64,
    /// Chooses the faults and what clients do
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

impl Chaos {
    /// Builds and runs; the exit code is the run's.
    pub(crate) fn run(self) -> Result<ExitCode, XtaskError> {
        interrupt::catch()?;
        install_missing(&[Program::Redis, Program::Postgres])?;
        // One after the other, so that Tollbar is built with its own features only.
        for package in ["tollbar", "tollbar-chaos"] {
            build(package)?;
        }
        // Ours is target/PROFILE/xtask, wherever target is.
        let own = env::current_exe().map_err(|error| XtaskError::Run("xtask", error))?;
        let target = own.ancestors().nth(2).unwrap_or_else(|| Path::new("target"));
        let mut harness = Command::new(target.join("release/tollbar-chaos"));
        harness.arg("--tollbar").arg(target.join("release/tollbar"));
        harness.arg("--folder").arg(target.join("chaos"));
        harness.arg("--minutes").arg(self.minutes.to_string()).arg("--seed").arg(self.seed.to_string());
        let status = interrupt::run(&mut harness).map_err(|error| XtaskError::Run("the harness", error))?;
        if interrupt::interrupted() {
            return Err(XtaskError::Interrupted);
        }
        Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn build(package: &str) -> Result<(), XtaskError> {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--release", "--package", package]);
    let status = interrupt::run(&mut cargo).map_err(|error| XtaskError::Run("cargo", error))?;
    match status.success() {
        _ if interrupt::interrupted() => Err(XtaskError::Interrupted),
        true => Ok(()),
        false => {
            Err(XtaskError::Failed(format!("cargo build --package {package}"), status, "see above".into()))
        }
    }
}
