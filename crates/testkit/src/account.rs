//! The account that PostgreSQL and PgBouncer run as, since they refuse root.

use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use nix::unistd::{User, geteuid};

use crate::error::EngineError;

/// Another user than root, as whom a program is run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Account {
    uid: u32,
    gid: u32,
}

impl Account {
    /// The account to run PostgreSQL as; `None` means our own, which is not root.
    pub(crate) fn for_postgres() -> Result<Option<Self>, EngineError> {
        if !geteuid().is_root() {
            return Ok(None);
        }
        let mut cause = None;
        for name in ["postgres", "nobody"] {
            match User::from_name(name) {
                Ok(Some(user)) => return Ok(Some(Self { uid: user.uid.as_raw(), gid: user.gid.as_raw() })),
                Ok(None) => {}
                Err(error) => cause = Some(error),
            }
        }
        Err(EngineError::NoAccount(cause))
    }

    /// Lets the command run as this account; the supplementary groups of root go with it.
    pub(crate) fn run(self, command: &mut Command) {
        command.uid(self.uid).gid(self.gid);
    }

    /// Gives the file or folder to this account.
    pub(crate) fn own(self, path: &Path) -> Result<(), EngineError> {
        chown(path, Some(self.uid), Some(self.gid))
            .map_err(EngineError::io(format!("give {} away", path.display())))
    }
}
