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
    /// How long faults are injected, in minutes [default: 10; with a bug, a quarter, twice]
    #[arg(long)]
    minutes: Option<f64>,
    /// Chooses the faults and what clients do
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Prove the checker instead: build a Tollbar that can be given bugs, and see whether each of these is found where it is, and
    /// only there: no-lease, logout-keeps-lease, no-stamp, no-epoch-guard, resend-lost-reply, with commas
    #[arg(long)]
    sabotage: Option<String>,
}

impl Chaos {
    /// Builds and runs; the exit code is the run's.
    pub(crate) fn run(self) -> Result<ExitCode, XtaskError> {
        interrupt::catch()?;
        install_missing(&[Program::Redis, Program::Postgres])?;
        // One after the other, so that Tollbar is built with its own features only. A release with bugs does not compile.
        let (tollbar, profile): (&[&str], _) = match self.sabotage {
            None => (&["--package", "tollbar", "--release"], "release"),
            Some(_) => (&["--package", "tollbar", "--features", "sabotage"], "debug"),
        };
        build(tollbar)?;
        build(&["--package", "tollbar-chaos", "--release"])?;
        // Ours is target/PROFILE/xtask, wherever target is.
        let own = env::current_exe().map_err(|error| XtaskError::Run("xtask", error))?;
        let target = own.ancestors().nth(2).unwrap_or_else(|| Path::new("target"));
        let mut harness = Command::new(target.join("release/tollbar-chaos"));
        harness.arg("--tollbar").arg(target.join(profile).join("tollbar"));
        harness.arg("--folder").arg(target.join("chaos")).arg("--seed").arg(self.seed.to_string());
        harness.args(self.minutes.iter().flat_map(|minutes| ["--minutes".to_owned(), minutes.to_string()]));
        harness.args(self.sabotage.iter().flat_map(|bugs| ["--sabotage", bugs]));
        let status = interrupt::run(&mut harness).map_err(|error| XtaskError::Run("the harness", error))?;
        if interrupt::interrupted() {
            return Err(XtaskError::Interrupted);
        }
        Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn build(arguments: &[&str]) -> Result<(), XtaskError> {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.arg("build").args(arguments);
    let status = interrupt::run(&mut cargo).map_err(|error| XtaskError::Run("cargo", error))?;
    match status.success() {
        _ if interrupt::interrupted() => Err(XtaskError::Interrupted),
        true => Ok(()),
        false => Err(XtaskError::Failed(
            format!("cargo build {}", arguments.join(" ")),
            status,
            "see above".into(),
        )),
    }
}
