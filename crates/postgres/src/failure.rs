//! What PostgreSQL says when it fails, as a store's error.

use std::error::Error as StdError;

use diesel::result::{DatabaseErrorKind as Kind, Error};
use diesel_async::pooled_connection::deadpool::PoolError;
use tollbar_core::StoreError;

use crate::connect::LATE;

/// Says what failed, and whether trying again may help.
pub(crate) fn store_error(operation: &'static str, error: Error) -> StoreError {
    if is_transient(&error) {
        StoreError::transient(operation, error)
    } else {
        StoreError::permanent(operation, error)
    }
}

/// Why there is no connection. A server that does not answer while one is opened is silent, as it is to those that have one.
pub(crate) fn pool_error(operation: &'static str, refusal: PoolError) -> StoreError {
    match refusal {
        PoolError::Timeout(_) => StoreError::silence(operation, refusal),
        PoolError::Backend(_) if refusal.to_string().contains(LATE) => {
            StoreError::silence(operation, refusal)
        }
        _ => StoreError::transient(operation, refusal),
    }
}

/// A row holds what no store of ours wrote, or a value does not fit into one.
pub(crate) fn damaged(cause: impl StdError + Send + Sync + 'static) -> Error {
    Error::DeserializationError(Box::new(cause))
}

/// Whether it is the server's state that failed the call, not the call.
///
/// Diesel drops the code of an error (SQLSTATE) and keeps its text, which is in the server's language. So it goes by what has no
/// language: a violated constraint and a position in the statement speak of the call. What says neither is a deadlock, a timeout,
/// a full disk, a shutdown, too many connections, …: the server's. One text is asked for, a sum that exceeds its column.
fn is_transient(error: &Error) -> bool {
    match error {
        Error::DatabaseError(kind, says) => match kind {
            Kind::SerializationFailure
            | Kind::ReadOnlyTransaction
            | Kind::UnableToSendCommand
            | Kind::ClosedConnection => true,
            Kind::Unknown => says.statement_position().is_none() && !says.message().contains("out of range"),
            _ => false,
        },
        Error::BrokenTransactionManager => true,
        Error::RollbackErrorOnCommit { commit_error, .. } => is_transient(commit_error),
        _ => false,
    }
}
