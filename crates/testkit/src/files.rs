//! Copies of an engine's data and the ends of its logs.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use crate::account::Account;
use crate::error::EngineError;

/// Copies all that is in one folder into another, which is made.
pub(crate) fn copy_dir(from: &Path, to: &Path) -> Result<(), EngineError> {
    let failed = || EngineError::io(format!("copy {} to {}", from.display(), to.display()));
    fs::create_dir_all(to).map_err(failed())?;
    for entry in fs::read_dir(from).map_err(failed())? {
        let entry = entry.map_err(failed())?;
        let target = to.join(entry.file_name());
        if entry.file_type().map_err(failed())?.is_dir() {
            copy_dir(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target).map_err(failed())?;
        }
    }
    Ok(())
}

/// Writes a file that only the account, or we where there is none, may read.
pub(crate) fn give(file: &Path, content: &[u8], account: Option<Account>) -> Result<(), EngineError> {
    let mut options = fs::OpenOptions::new();
    let written = options.write(true).create(true).truncate(true).mode(0o600).open(file);
    written
        .and_then(|mut written| written.write_all(content))
        .map_err(EngineError::io(format!("write {}", file.display())))?;
    account.map_or(Ok(()), |account| account.own(file))
}

/// The last lines of a log, in one line.
pub(crate) fn tail(log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<_> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(4)..].join(" | ")
}
