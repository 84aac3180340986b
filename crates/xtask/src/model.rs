//! `cargo xtask model`: the models of the protocols, in the large size.

use std::env;
use std::process::{Command, ExitCode, Stdio};

use clap::Args;

use crate::error::XtaskError;
use crate::interrupt;

/// Explore the models of the session and the counting protocol; show how each naive variant fails.
///
/// Takes some minutes and some gigabytes. The tests explore the same models in a small size.
#[derive(Args)]
pub(crate) struct Model;

impl Model {
    /// Runs the models, built for speed; they say themselves what they find.
    pub(crate) fn run() -> Result<ExitCode, XtaskError> {
        interrupt::catch()?;
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(["run", "--release", "--package", "tollbar-chaos", "--bin", "model"]).stdin(Stdio::null());
        let status = interrupt::run(&mut cargo).map_err(|error| XtaskError::Run("cargo", error))?;
        Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
