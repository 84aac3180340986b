//! Port `ProcessLease`: a lock on a file beside the database, which the system takes off when a process ends.

use std::{
    collections::HashMap,
    ffi::OsString,
    fs::{File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use tollbar_core::{
    StoreError,
    domain::Incarnation,
    ports::{LeaseError, ProcessLease, Sharing},
};

use crate::SqliteStore;

const HOLD: &str = "hold the database";

/// The lock file, and the locks that are held on it: exclusive for a process that is alone, else shared. The file stays when
/// they go, for deleting it would let two processes lock two files of the same name.
pub(crate) struct LockFile {
    path: PathBuf,
    /// A lock belongs to an open file and ends with it.
    held: Mutex<HashMap<Incarnation, (Sharing, File)>>,
}

impl LockFile {
    /// `<database>.lock`.
    pub(crate) fn beside(database: &Path) -> Self {
        let mut path = OsString::from(database);
        path.push(".lock");
        Self { path: path.into(), held: Mutex::default() }
    }

    fn hold(&self, process: Incarnation, sharing: Sharing) -> Result<(), LeaseError> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let before = match held.remove(&process) {
            Some(same) if same.0 == sharing => {
                held.insert(process, same);
                return Ok(());
            }
            // Dropping the file takes its lock off, which would stand in the way of the next.
            other => other.map(|(sharing, _)| sharing),
        };
        let (sharing, file, outcome) = match (self.lock(sharing), before) {
            (Ok(file), _) => (sharing, file, Ok(())),
            (Err(refusal), None) => return Err(refusal),
            // Refused to change, it stays as it was, unless another process has slipped in between.
            (Err(refusal), Some(before)) => (before, self.lock(before)?, Err(refusal)),
        };
        held.insert(process, (sharing, file));
        outcome
    }

    fn release(&self, process: Incarnation) {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).remove(&process);
    }

    fn lock(&self, sharing: Sharing) -> Result<File, LeaseError> {
        let failed = |error: io::Error| LeaseError::Store(StoreError::transient(HOLD, error));
        let mut file = OpenOptions::new();
        let file =
            file.read(true).write(true).create(true).truncate(false).open(&self.path).map_err(failed)?;
        let locked = match sharing {
            Sharing::Alone => file.try_lock(),
            Sharing::Together => file.try_lock_shared(),
        };
        match locked {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(LeaseError::Taken),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }
}

#[async_trait]
impl ProcessLease for SqliteStore {
    async fn hold(&self, process: Incarnation, sharing: Sharing, _ttl: Duration) -> Result<(), LeaseError> {
        let lock = Arc::clone(&self.lock);
        let held = tokio::task::spawn_blocking(move || lock.hold(process, sharing));
        match tokio::time::timeout(self.options.deadline, held).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(panic)) => Err(StoreError::permanent(HOLD, panic).into()),
            Err(_) => Err(StoreError::deadline(HOLD, self.options.deadline).into()),
        }
    }

    async fn release(&self, process: Incarnation) -> Result<(), StoreError> {
        self.lock.release(process);
        Ok(())
    }
}
