//! `cargo xtask test`: all tests, on engines that live as long as the run.

use std::env;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, ExitCode, ExitStatus, Stdio};

use clap::Args;
use tollbar_testkit::PYTHON;

use crate::engines::{Engines, is_given};
use crate::error::XtaskError;
use crate::install::{Program, install_missing};
use crate::{interrupt, python};

/// What a shell makes of a program that Ctrl-C ended.
const INTERRUPTED: u8 = 130;

/// What tests run beside the engines.
const PROGRAMS: [Program; 5] =
    [Program::Nginx, Program::Caddy, Program::PgBouncer, Program::Promtool, Program::Chromium];

/// Run all tests on a private Redis and a private PostgreSQL.
///
/// Servers that `TOLLBAR_TEST_REDIS_URL` and `TOLLBAR_TEST_POSTGRES_URL` name are used instead. The engines, PgBouncer, nginx,
/// Caddy, promtool, Chromium and Python are installed with apt-get where they are missing and no question is needed for it. The tools that read
/// the API's description are installed by pip into `target/python`, unless `TOLLBAR_TEST_PYTHON` names a Python that has them.
#[derive(Args)]
pub(crate) struct Test {
    /// More arguments for `cargo test`; with a package among them, only that one is tested
    #[arg(last = true)]
    cargo: Vec<String>,
}

impl Test {
    /// Runs the tests; the exit code is theirs.
    pub(crate) fn run(self) -> Result<ExitCode, XtaskError> {
        interrupt::catch()?;
        install_missing(&PROGRAMS)?;
        let python = if is_given(PYTHON) { None } else { Some(python::ready()?) };
        let engines = Engines::start()?;
        if interrupt::interrupted() {
            return Ok(INTERRUPTED.into());
        }
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(arguments(self.cargo)).envs(engines.variables()).stdin(Stdio::null());
        cargo.envs(python.map(|python| (PYTHON, python)));
        let status = interrupt::run(&mut cargo).map_err(|error| XtaskError::Run("cargo", error))?;
        Ok(if interrupt::interrupted() { INTERRUPTED.into() } else { code(status) })
    }
}

fn arguments(given: Vec<String>) -> Vec<String> {
    let mut all = vec!["test".to_owned(), "--all-features".to_owned()];
    let for_cargo = given.iter().take_while(|argument| *argument != "--");
    if !for_cargo.into_iter().any(|argument| selects_packages(argument)) {
        all.push("--workspace".to_owned());
    }
    all.extend(given);
    all
}

fn selects_packages(argument: &str) -> bool {
    argument.starts_with("-p") || argument.starts_with("--package") || argument == "--workspace"
}

fn code(status: ExitStatus) -> ExitCode {
    let signal = || 128 + status.signal().unwrap_or(0);
    u8::try_from(status.code().unwrap_or_else(signal)).map_or(ExitCode::FAILURE, ExitCode::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(given: &[&str]) -> String {
        arguments(given.iter().map(ToString::to_string).collect()).join(" ")
    }

    #[test]
    fn all_packages_are_tested_unless_some_are_named() {
        assert_eq!(joined(&[]), "test --all-features --workspace");
        assert_eq!(joined(&["-p", "a"]), "test --all-features -p a");
        assert_eq!(joined(&["--package=a"]), "test --all-features --package=a");
        assert_eq!(joined(&["--", "-p"]), "test --all-features --workspace -- -p");
    }

    #[test]
    fn the_exit_code_is_that_of_the_tests() {
        let of = |raw| format!("{:?}", code(ExitStatus::from_raw(raw)));
        assert_eq!(of(101 << 8), format!("{:?}", ExitCode::from(101)));
        assert_eq!(of(9), format!("{:?}", ExitCode::from(137)));
    }
}
