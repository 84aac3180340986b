//! What SQLite says when it fails, as a store's error.

use std::error::Error as StdError;

use diesel::{
    ConnectionError,
    result::{DatabaseErrorKind, Error},
};
use tollbar_core::StoreError;

/// Says what failed, and whether trying again may help.
pub(crate) fn store_error(operation: &'static str, error: Error) -> StoreError {
    if is_locked(&error) {
        StoreError::silence(operation, error)
    } else if is_transient(&error) {
        StoreError::transient(operation, error)
    } else {
        StoreError::permanent(operation, error)
    }
}

/// A connection could not be opened, though one could at start: out of file handles, of disk, of luck.
pub(crate) fn connection_error(operation: &'static str, error: ConnectionError) -> StoreError {
    StoreError::transient(operation, error)
}

/// A row holds what no store of ours wrote.
pub(crate) fn damaged(cause: impl StdError + Send + Sync + 'static) -> Error {
    Error::DeserializationError(Box::new(cause))
}

/// Whether another process was in the way for as long as a connection waits.
fn is_locked(error: &Error) -> bool {
    match error {
        Error::DatabaseError(DatabaseErrorKind::Unknown, says) => {
            says.message().contains("database is locked")
        }
        Error::RollbackErrorOnCommit { commit_error, .. } => is_locked(commit_error),
        _ => false,
    }
}

/// Whether another process is in the way or the disk is full. Diesel keeps SQLite's message, which is always English, and drops
/// its code.
pub(crate) fn is_transient(error: &Error) -> bool {
    const PASSING: [&str; 4] =
        ["database is locked", "database table is locked", "database or disk is full", "locking protocol"];
    match error {
        Error::DatabaseError(DatabaseErrorKind::Unknown, says) => {
            PASSING.iter().any(|passing| says.message().contains(passing))
        }
        Error::BrokenTransactionManager => true,
        Error::RollbackErrorOnCommit { commit_error, .. } => is_transient(commit_error),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(kind: DatabaseErrorKind, message: &str) -> Error {
        Error::DatabaseError(kind, Box::new(message.to_owned()))
    }

    #[test]
    fn a_lock_and_a_full_disk_pass_and_a_mistake_does_not() {
        assert!(is_transient(&said(DatabaseErrorKind::Unknown, "database is locked")));
        assert!(is_transient(&said(DatabaseErrorKind::Unknown, "database or disk is full")));
        assert!(!is_transient(&said(DatabaseErrorKind::Unknown, "no such table: users")));
        assert!(!is_transient(&said(DatabaseErrorKind::UniqueViolation, "database is locked")));
        assert!(!is_transient(&Error::NotFound));
        let is_silence = |says| store_error("write", said(DatabaseErrorKind::Unknown, says)).is_silence();
        assert!(is_silence("database is locked") && !is_silence("database or disk is full"));
    }
}
