//! `cargo xtask model`: the models of the protocols in their large size, and how each falls without one of its rules.

use std::env;
use std::process::{Command, ExitCode};

use clap::Args;

use crate::error::XtaskError;
use crate::interrupt;

/// Explore the protocols of sessions and of counts in every order of their steps.
///
/// Prints the states of each configuration, and for each rule a trace of what happens without it. Takes minutes; the small size is part
/// of `cargo xtask test`.
#[derive(Args)]
pub(crate) struct Model;

impl Model {
    /// Runs it; the exit code says whether the protocols hold, and whether each rule is needed.
    pub(crate) fn run() -> Result<ExitCode, XtaskError> {
        interrupt::catch()?;
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(["run", "--quiet", "--release", "--package", "tollbar-chaos", "--bin", "model"]);
        let status = interrupt::run(&mut cargo).map_err(|error| XtaskError::Run("cargo", error))?;
        Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
