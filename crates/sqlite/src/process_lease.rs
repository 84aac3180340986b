//! Port `ProcessLease`: a lock on a file beside the database, which the system takes off when a process ends; and a table that
//! tells how many share it.

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
use diesel::{
    QueryDsl, QueryResult, RunQueryDsl, SqliteConnection,
    sql_types::{BigInt, Binary},
};
use tollbar_core::{
    StoreError,
    domain::Incarnation,
    ports::{LeaseError, ProcessLease, Sharing},
};

use crate::{SqliteStore, schema::processes};

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
    async fn hold(&self, process: Incarnation, sharing: Sharing, ttl: Duration) -> Result<u32, LeaseError> {
        let lock = Arc::clone(&self.lock);
        let held = tokio::task::spawn_blocking(move || lock.hold(process, sharing));
        match tokio::time::timeout(self.options.deadline, held).await {
            Ok(Ok(outcome)) => outcome?,
            Ok(Err(panic)) => return Err(StoreError::permanent(HOLD, panic).into()),
            Err(_) => return Err(StoreError::deadline(HOLD, self.options.deadline).into()),
        }
        match sharing {
            Sharing::Alone => Ok(1),
            Sharing::Together => {
                let count = move |connection: &mut _| count(connection, process, ttl);
                Ok(self.write_vital(HOLD, self.options.deadline, count).await?)
            }
        }
    }

    async fn release(&self, process: Incarnation) -> Result<(), StoreError> {
        self.lock.release(process);
        self.write_vital("release the database", self.options.deadline, move |connection| {
            let own = diesel::sql_query("DELETE FROM processes WHERE incarnation = ?");
            own.bind::<Binary, _>(process.as_bytes().as_slice()).execute(connection).map(drop)
        })
        .await
    }
}

/// Enters a process, forgets those that have lapsed, and says how many are left.
fn count(connection: &mut SqliteConnection, process: Incarnation, ttl: Duration) -> QueryResult<u32> {
    let micros = i64::try_from(ttl.as_micros()).unwrap_or(i64::MAX / 2);
    diesel::sql_query(
        "INSERT INTO processes (incarnation, expires_at) \
         VALUES (?, CAST(unixepoch('subsec') * 1000000 AS INTEGER) + ?) \
         ON CONFLICT (incarnation) DO UPDATE SET expires_at = excluded.expires_at",
    )
    .bind::<Binary, _>(process.as_bytes().as_slice())
    .bind::<BigInt, _>(micros.min(i64::MAX / 2))
    .execute(connection)?;
    diesel::sql_query("DELETE FROM processes WHERE expires_at <= unixepoch('subsec') * 1000000")
        .execute(connection)?;
    let processes: i64 = processes::table.count().get_result(connection)?;
    Ok(u32::try_from(processes).unwrap_or(u32::MAX))
}
