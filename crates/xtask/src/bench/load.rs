//! A load: wrk, which sends the requests of a file over many connections.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::facts::Facts;
use super::tools::{Tools, run};
use crate::error::XtaskError;

/// What wrk is told.
#[derive(Clone)]
pub(crate) struct Load {
    /// Whose load it is.
    name: String,
    script: PathBuf,
    address: SocketAddr,
    requests: PathBuf,
    connections: u32,
    seconds: u32,
    /// Before each request, on each connection.
    pause_ms: u32,
    /// The one status that is right.
    status: u16,
}

/// What came of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outcome {
    pub(crate) requests: f64,
    pub(crate) per_second: f64,
    pub(crate) p99_micros: f64,
}

impl Load {
    /// The load of a round: 64 connections that never wait.
    pub(crate) fn new(
        tools: &Tools,
        name: &str,
        address: SocketAddr,
        requests: &Path,
        seconds: u32,
        status: u16,
    ) -> Self {
        let script = tools.file("lua/requests.lua");
        let (name, requests) = (name.to_owned(), requests.to_owned());
        Self { name, script, address, requests, connections: 64, seconds, pause_ms: 0, status }
    }

    /// With so many connections, and pauses.
    pub(crate) fn with(self, connections: u32, pause_ms: u32) -> Self {
        Self { connections, pause_ms, ..self }
    }

    /// A second that is not measured, in which each status is looked at.
    pub(crate) fn look(&self) -> Result<(), XtaskError> {
        let facts = self.wrk(1, true)?;
        let wrong: Vec<_> = facts
            .beginning("status_")
            .filter(|(status, _)| *status != self.status.to_string())
            .map(|(status, count)| format!("{count} times {status}"))
            .collect();
        if wrong.is_empty() { Ok(()) } else { Err(self.unlike(&wrong.join(", "))) }
    }

    /// Measures. wrk tells errors from the rest, and that none is what it should not be is checked.
    pub(crate) fn run(&self) -> Result<Outcome, XtaskError> {
        let facts = self.wrk(self.seconds, false)?;
        let [requests, micros, refused, broken] =
            ["requests", "micros", "refused", "broken"].map(|name| facts.get(name));
        let (requests, refused, broken) = (requests?, refused?, broken?);
        let should_refuse = if self.status >= 400 { requests } else { 0.0 };
        if requests < 1.0 || (refused - should_refuse).abs() > 0.5 || broken > 0.5 {
            let said = format!("{refused} errors and {broken} broken of {requests}");
            return Err(self.unlike(&said));
        }
        Ok(Outcome { requests, per_second: requests / micros? * 1e6, p99_micros: facts.get("p99")? })
    }

    fn unlike(&self, said: &str) -> XtaskError {
        let name = &self.name;
        XtaskError::Measured(format!("the answers of {name} are not all {}: {said}", self.status))
    }

    fn wrk(&self, seconds: u32, check: bool) -> Result<Facts, XtaskError> {
        // On two cores two threads bring the bare web server to more than one does: it is not the generator that is measured.
        const THREADS: &str = "2";
        let mut wrk = Command::new("wrk");
        wrk.args(["--threads", THREADS, "--timeout", "10s", "--latency"]);
        wrk.arg("--connections").arg(self.connections.to_string());
        wrk.arg("--duration").arg(format!("{seconds}s"));
        wrk.arg("--script").arg(&self.script).arg(format!("http://{}", self.address)).arg("--");
        wrk.arg(&self.requests).args([
            THREADS,
            &self.pause_ms.to_string(),
            if check { "check" } else { "-" },
        ]);
        run(&mut wrk)
    }
}
