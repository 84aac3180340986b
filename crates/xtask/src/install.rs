//! Installs the programs that this machine lacks, where that needs no human.

use std::env;
use std::process::{Command, Stdio};

use tollbar_testkit::{
    find_caddy, find_chromedriver, find_chromium, find_nginx, find_pgbouncer, find_postgres, find_promtool,
    find_redis,
};

use crate::error::XtaskError;

/// Fails on a Python that is too old, or that distributions left parts out of.
const PYTHON: &str = "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))";

/// A program that a command needs.
#[derive(Clone, Copy)]
pub(crate) enum Program {
    Redis,
    Postgres,
    PgBouncer,
    Nginx,
    Caddy,
    /// Knows what Prometheus takes.
    Promtool,
    /// A browser without a window, and what drives it.
    Chromium,
    /// With what makes virtual environments.
    Python,
    /// Makes the load of the benchmark.
    Wrk,
}

impl Program {
    fn is_missing(self) -> bool {
        match self {
            Self::Redis => find_redis().is_err(),
            Self::Postgres => find_postgres().is_err(),
            Self::PgBouncer => find_pgbouncer().is_err(),
            Self::Nginx => find_nginx().is_err(),
            Self::Caddy => find_caddy().is_err(),
            Self::Promtool => find_promtool().is_err(),
            Self::Chromium => find_chromium().is_err() || find_chromedriver().is_err(),
            Self::Python => !succeeds(Command::new("python3").args(["-c", PYTHON])),
            Self::Wrk => {
                let path = env::var_os("PATH").unwrap_or_default();
                !env::split_paths(&path).any(|folder| folder.join("wrk").is_file())
            }
        }
    }

    fn package(self) -> &'static str {
        match self {
            Self::Redis => "redis-server",
            Self::Postgres => "postgresql",
            Self::PgBouncer => "pgbouncer",
            Self::Nginx => "nginx",
            Self::Caddy => "caddy",
            Self::Promtool => "prometheus",
            // Brings the browser along.
            Self::Chromium => "chromium-driver",
            Self::Python => "python3-venv",
            Self::Wrk => "wrk",
        }
    }
}

/// Installs what is missing of the wanted programs, or says what a human has to install.
pub(crate) fn install_missing(wanted: &[Program]) -> Result<(), XtaskError> {
    let missing = wanted.iter().filter(|program| program.is_missing()).map(|program| program.package());
    let missing: Vec<_> = missing.collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names = missing.join(" ");
    let Some(mut command) = privileged_shell() else {
        let what =
            if missing.len() == 1 { format!("{names} is") } else { format!("{} are", missing.join(" and ")) };
        return Err(XtaskError::CannotInstall(what, names));
    };
    eprintln!("cargo xtask: installing {names}");
    command.args(["-c", include_str!("install.sh"), "install"]).args(&missing).stdin(Stdio::null());
    let status = command.status().map_err(|error| XtaskError::Run("sh", error))?;
    if status.success() { Ok(()) } else { Err(XtaskError::Install(names, status)) }
}

/// A shell of root's on a system with apt-get, if we can have one without a question.
fn privileged_shell() -> Option<Command> {
    if !succeeds(Command::new("apt-get").arg("--version")) {
        return None;
    }
    if nix::unistd::geteuid().is_root() {
        return Some(Command::new("sh"));
    }
    let mut sudo = Command::new("sudo");
    sudo.args(["--non-interactive", "sh"]);
    succeeds(Command::new("sudo").args(["--non-interactive", "true"])).then_some(sudo)
}

fn succeeds(command: &mut Command) -> bool {
    let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
