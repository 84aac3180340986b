//! The binaries of the benchmark, as they are built for a release.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::facts::Facts;
use crate::error::XtaskError;
use crate::interrupt;

/// Where they are.
pub(crate) struct Tools {
    /// The folder of the workspace.
    pub(crate) root: PathBuf,
    /// Tollbar itself.
    pub(crate) tollbar: PathBuf,
    /// The other subjects and the tools.
    pub(crate) bench: PathBuf,
}

impl Tools {
    /// Builds them.
    pub(crate) fn build() -> Result<Self, XtaskError> {
        // One after the other: built together, Tollbar would be built with the features that only the benchmark asks for.
        for package in ["tollbar", "bench"] {
            let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
            cargo.args(["build", "--release", "--package", package]);
            let status = interrupt::run(&mut cargo).map_err(|error| XtaskError::Run("cargo", error))?;
            check(status, || format!("cargo build --package {package}"), "see above")?;
        }
        Self::found()
    }

    /// Takes those that were built before.
    pub(crate) fn found() -> Result<Self, XtaskError> {
        // Ours is target/PROFILE/xtask, wherever target is.
        let own = env::current_exe().map_err(|error| XtaskError::Run("xtask", error))?;
        let target = own.ancestors().nth(2).unwrap_or_else(|| Path::new("target"));
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or_else(|| Path::new("."));
        let binary = |name| target.join("release").join(name);
        let tools = Self { root: root.to_owned(), tollbar: binary("tollbar"), bench: binary("bench") };
        for binary in [&tools.tollbar, &tools.bench] {
            if !binary.is_file() {
                return Err(XtaskError::Measured(format!("{} is not built", binary.display())));
            }
        }
        Ok(tools)
    }

    /// A file of the bench crate.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.root.join("crates/bench").join(name)
    }

    /// Runs one of the tools to its end.
    pub(crate) fn run(
        &self,
        part: &str,
        arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> Result<Facts, XtaskError> {
        run(Command::new(&self.bench).arg(part).args(arguments))
    }
}

/// Runs a program to its end and reads what it prints.
pub(crate) fn run(command: &mut Command) -> Result<Facts, XtaskError> {
    let name = command.get_program().to_string_lossy().into_owned();
    let (status, text) = interrupt::output(command).map_err(|error| XtaskError::Run("a tool", error))?;
    let part = command.get_args().next().unwrap_or_default().to_string_lossy().into_owned();
    check(status, || format!("{name} {part}"), &text)?;
    Ok(Facts::parse(&text))
}

fn check(
    status: std::process::ExitStatus,
    name: impl FnOnce() -> String,
    said: &str,
) -> Result<(), XtaskError> {
    if interrupt::interrupted() {
        Err(XtaskError::Interrupted)
    } else if status.success() {
        Ok(())
    } else {
        Err(XtaskError::Failed(name(), status, said.trim().to_owned()))
    }
}
