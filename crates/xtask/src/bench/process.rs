//! A server under measurement: a process on a free loopback port that does not outlive us.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread::sleep;
use std::time::Duration;

use crate::error::XtaskError;
use crate::interrupt;

const STEP: Duration = Duration::from_millis(20);
/// How many steps a server has until it answers: it may have users to make before.
const PATIENCE: u32 = 6_000;

/// A running server. Dropping it kills it.
pub(crate) struct Process {
    child: Child,
    name: String,
    log: PathBuf,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

impl Process {
    /// Runs the command, which is to listen at this address, with its log in this folder.
    pub(crate) fn start(
        name: &str,
        command: &mut Command,
        address: SocketAddr,
        folder: &Path,
    ) -> Result<Self, XtaskError> {
        let log = folder.join(format!("{name}.log"));
        let file = File::create(&log).map_err(|error| XtaskError::File(log.clone(), error))?;
        let errors = file.try_clone().map_err(|error| XtaskError::File(log.clone(), error))?;
        command.stdin(Stdio::null()).stdout(file).stderr(errors).current_dir(folder);
        // A group of its own: Ctrl-C in a terminal is for us, who then end it.
        let child = command.process_group(0).spawn().map_err(|error| XtaskError::Run("a server", error))?;
        Ok(Self { child, name: name.to_owned(), log, address })
    }

    /// Waits until `/healthz` is answered with 200.
    pub(crate) fn healthy(self) -> Result<Self, XtaskError> {
        self.wait(|address| get(address, "/healthz").is_ok_and(|status| status == 200))
    }

    /// Waits until it takes connections.
    pub(crate) fn listening(self) -> Result<Self, XtaskError> {
        self.wait(|address| TcpStream::connect(address).is_ok())
    }

    fn wait(mut self, ready: impl Fn(SocketAddr) -> bool) -> Result<Self, XtaskError> {
        for _ in 0..PATIENCE {
            if interrupt::interrupted() {
                return Err(XtaskError::Interrupted);
            }
            if ready(self.address) {
                return Ok(self);
            }
            if self.child.try_wait().is_ok_and(|status| status.is_some()) {
                break;
            }
            sleep(STEP);
        }
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let last: Vec<_> = log.lines().rev().take(3).collect();
        Err(XtaskError::NotReady(self.name.clone(), last.join(" | ")))
    }

    /// Its URL.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // What it has not written yet is of no use to anybody.
        let _ = self.child.kill().and_then(|()| self.child.wait());
    }
}

/// The status of a GET.
fn get(address: SocketAddr, path: &str) -> io::Result<u16> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")?;
    let mut head = [0; 12];
    stream.read_exact(&mut head)?;
    let status = std::str::from_utf8(&head[9..]).ok().and_then(|status| status.parse().ok());
    status.ok_or_else(|| io::Error::other("not an answer"))
}

/// A loopback address that was free a moment ago.
pub(crate) fn free_address() -> Result<SocketAddr, XtaskError> {
    // Below the range of outgoing connections, of which a load makes many.
    const FIRST: u16 = 12_000;
    const COUNT: u16 = 8_000;
    static TURN: AtomicU16 = AtomicU16::new(0);
    let start = u16::try_from(std::process::id() % u32::from(COUNT)).unwrap_or(0);
    let ports = (0..COUNT).map(|_| {
        let turn = TURN.fetch_add(1, Ordering::Relaxed) % COUNT;
        SocketAddr::from((Ipv4Addr::LOCALHOST, FIRST + (start + turn) % COUNT))
    });
    let free = ports.into_iter().find(|address| TcpListener::bind(address).is_ok());
    free.ok_or_else(|| XtaskError::Measured("no port on loopback is free".into()))
}
