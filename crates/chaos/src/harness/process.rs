//! One Tollbar: the real binary, on a port that it keeps over restarts.

use std::fs::{self, OpenOptions};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread::{JoinHandle, sleep};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tollbar_testkit::free_port;

use super::clock::Clock;
use super::error::ChaosError;
use super::log::{Told, follow};
use crate::history::ProcessId;

/// How long a process may take until it listens.
const START: Duration = Duration::from_secs(30);
/// How long it may take to end in order.
const END: Duration = Duration::from_secs(30);
const STEP: Duration = Duration::from_millis(10);

/// How a process is started, each time.
#[derive(Debug, Clone)]
pub(super) struct Recipe {
    pub(super) binary: PathBuf,
    pub(super) config: PathBuf,
    pub(super) variables: Vec<(String, String)>,
    /// Its log, and what it says to standard error.
    pub(super) log: PathBuf,
}

/// A process that can be killed, hung and ended. Dropping it kills it.
#[derive(Debug)]
pub(super) struct Tollbar {
    number: ProcessId,
    recipe: Recipe,
    address: SocketAddr,
    told: Arc<Told>,
    clock: Clock,
    running: Option<(Child, JoinHandle<()>)>,
}

impl Tollbar {
    /// Starts it, and waits until it listens.
    pub(super) fn start(
        number: ProcessId,
        recipe: Recipe,
        told: Arc<Told>,
        clock: Clock,
    ) -> Result<Self, ChaosError> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        let mut process = Self { number, recipe, address, told, clock, running: None };
        process.launch()?;
        Ok(process)
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Starts it again and waits until it listens.
    pub(super) fn launch(&mut self) -> Result<(), ChaosError> {
        let (log, said) = (append(&self.recipe.log)?, append(&self.recipe.log.with_extension("stderr"))?);
        let mut child = Command::new(&self.recipe.binary)
            .arg("--config")
            .arg(&self.recipe.config)
            .env_clear()
            .envs(self.recipe.variables.iter().map(|(name, value)| (name, value)))
            .env("TOLLBAR__SERVER__BIND", self.address.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(said)
            .spawn()
            .map_err(|error| ChaosError::Run(self.recipe.binary.clone(), error))?;
        let not_listening = || ChaosError::NotListening(self.number.into(), self.recipe.log.clone());
        let output = child.stdout.take().ok_or_else(not_listening)?;
        let (address, reader) = follow(self.number, output, log, Arc::clone(&self.told), self.clock);
        let listens = address.recv_timeout(START).is_ok();
        self.running = Some((child, reader));
        if listens { Ok(()) } else { Err(not_listening()) }
    }

    /// Kills it (SIGKILL) and waits for its end.
    pub(super) fn kill9(&mut self) {
        if let Some((mut child, reader)) = self.running.take() {
            // Our own child, not yet waited for, can always be killed.
            let _ = child.kill().and_then(|()| child.wait());
            let _ = reader.join();
        }
    }

    /// Hangs it (SIGSTOP).
    pub(super) fn pause(&self) {
        self.signal(Signal::SIGSTOP);
    }

    /// Lets it go on (SIGCONT).
    pub(super) fn resume(&self) {
        self.signal(Signal::SIGCONT);
    }

    /// Tells it to end (SIGTERM) and waits. What it did wrong, if anything.
    pub(super) fn end(&mut self) -> Option<String> {
        self.signal(Signal::SIGTERM);
        let number = self.number;
        let (child, _) = self.running.as_mut()?;
        let steps = END.as_millis() / STEP.as_millis();
        let ended = (0..steps).find_map(|_| {
            sleep(STEP);
            child.try_wait().ok().flatten()
        });
        let complaint = match ended {
            Some(status) if status.success() => None,
            Some(status) => Some(format!("process {number} ended with {status} when it was told to end")),
            None => Some(format!("process {number} did not end within {END:?}")),
        };
        self.kill9();
        complaint
    }

    /// What it did wrong, where it has ended though nobody told it to.
    pub(super) fn died(&mut self) -> Option<String> {
        let (child, _) = self.running.as_mut()?;
        let status = child.try_wait().ok().flatten()?;
        let said = fs::read_to_string(self.recipe.log.with_extension("stderr")).unwrap_or_default();
        let last = said.lines().last().unwrap_or_default();
        Some(format!("process {} ended by itself with {status}: {last}", self.number))
    }

    fn signal(&self, signal: Signal) {
        if let Some((child, _)) = &self.running
            && let Ok(id) = i32::try_from(child.id())
        {
            // One that has just ended cannot be signalled.
            let _ = kill(Pid::from_raw(id), signal);
        }
    }
}

impl Drop for Tollbar {
    fn drop(&mut self) {
        self.kill9();
    }
}

fn append(path: &Path) -> Result<fs::File, ChaosError> {
    OpenOptions::new().create(true).append(true).open(path).map_err(ChaosError::file(path))
}
