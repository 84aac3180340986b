//! Port: who may use a database at the same time (durable tier).

use std::time::Duration;

use async_trait::async_trait;

use crate::{StoreError, domain::Incarnation};

/// How a process uses the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharing {
    /// With a live tier of its own: no other process may use the database meanwhile.
    Alone,
    /// With a live tier that others share.
    Together,
}

/// Why a process may not use the database.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LeaseError {
    /// Another process uses it, and one of the two must be alone.
    #[error("another process uses this database")]
    Taken,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Keeps a process with a live tier of its own apart from all others on the same database.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait ProcessLease: Send + Sync {
    /// Enters this process among the users of the database, or renews its entry, and says how many are entered then, this one
    /// included. A process that does not renew is forgotten
    /// after `ttl`; a store that notices the end of a process by itself forgets it at once and ignores `ttl`,
    /// but for the number, which may have it until then.
    ///
    /// # Parameters
    /// - `process`: this run of this process.
    /// - `sharing`: whether it tolerates others.
    /// - `ttl`: how long the entry holds without a renewal.
    ///
    /// # Errors
    /// [`LeaseError::Taken`] where another process is entered and either must be alone; [`LeaseError::Store`] where the store
    /// failed.
    async fn hold(&self, process: Incarnation, sharing: Sharing, ttl: Duration) -> Result<u32, LeaseError>;

    /// Takes this process off again. One that was not entered is no error.
    ///
    /// # Parameters
    /// - `process`: this run of this process.
    ///
    /// # Errors
    /// The store failed; the entry ends by itself after its `ttl`.
    async fn release(&self, process: Incarnation) -> Result<(), StoreError>;
}
