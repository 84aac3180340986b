//! A temporary folder that does not outlive us, with whatever server runs in it.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;

use nix::sys::signal::Signal;
use tempfile::TempDir;

use crate::account::Account;
use crate::error::EngineError;

/// A new folder that only one account can read. A guard process removes it when we drop it or are killed.
#[derive(Debug)]
pub(crate) struct Folder {
    dir: TempDir,
    guard: Child,
    line: Option<Arc<ChildStdin>>,
}

impl Folder {
    /// A folder for the given account, or for our own.
    pub(crate) fn new(account: Option<Account>) -> Result<Self, EngineError> {
        let place = place(account)?;
        let dir = tempfile::Builder::new()
            .prefix("tollbar-test-")
            .tempdir_in(&place)
            .map_err(EngineError::io(format!("make a folder in {}", place.display())))?;
        if let Some(account) = account {
            account.own(dir.path())?;
        }
        let mut guard = Command::new("/bin/sh")
            .args(["-c", include_str!("guard.sh"), "guard"])
            .arg(dir.path())
            .current_dir("/")
            // A group of its own, out of reach of the Ctrl-C that ends us.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(EngineError::io("run /bin/sh"))?;
        let line = guard.stdin.take().map(Arc::new);
        Ok(Self { dir, guard, line })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Through which a server that runs in the folder is made known to the guard.
    pub(crate) fn post(&self) -> Post {
        Post(self.line.clone())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // The end of its input is what the guard waits for.
        self.line = None;
        let _ = self.guard.wait();
    }
}

/// Tells the guard of a folder what runs there.
#[derive(Debug)]
pub(crate) struct Post(Option<Arc<ChildStdin>>);

impl Post {
    /// A server runs from now on, and ends at once on this signal.
    pub(crate) fn runs(&self, id: u32, ends_on: Signal) {
        self.tell(&format!("run {id} {}\n", ends_on.as_str().trim_start_matches("SIG")));
    }

    /// It has ended: its id may soon be another process's.
    pub(crate) fn idle(&self) {
        self.tell("idle\n");
    }

    fn tell(&self, line: &str) {
        // Somebody who kills the guard loses its service, and nothing else.
        if let Some(mut guard) = self.0.as_deref() {
            let _ = guard.write_all(line.as_bytes());
        }
    }
}

/// Where temporary files go; another account must be able to walk down to its folder.
fn place(account: Option<Account>) -> Result<PathBuf, EngineError> {
    let places = vec![std::env::temp_dir(), PathBuf::from("/tmp"), PathBuf::from("/var/tmp")];
    let usable = |place: &&PathBuf| account.is_none() || place.ancestors().all(open_to_others);
    let found = places.iter().find(usable).cloned();
    found.ok_or(EngineError::NoOpenFolder(places))
}

fn open_to_others(folder: &Path) -> bool {
    fs::metadata(folder).is_ok_and(|found| found.is_dir() && found.permissions().mode() & 0o001 != 0)
}
