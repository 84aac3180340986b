//! Port: the slow hash that keeps passwords.

use std::{error::Error, sync::Arc, time::Duration};

use async_trait::async_trait;

use crate::domain::{Password, PasswordHash};

/// Why there is no hash.
#[derive(Debug, Clone, thiserror::Error)]
pub enum HashError {
    /// Too many wait already; nothing was done.
    #[error("too many passwords wait to be hashed")]
    Busy {
        /// When to come back.
        retry_after: Duration,
    },
    /// The hash could not be made or read.
    #[error("a password could not be hashed")]
    Failed(#[source] Arc<dyn Error + Send + Sync>),
}

/// Hashing that costs an attacker as much as it costs us. Bounded: beyond its queue it refuses.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait PasswordHasher: Send + Sync {
    /// Hashes a new password under a fresh salt.
    ///
    /// # Parameters
    /// - `password`: in clear.
    ///
    /// # Errors
    /// [`HashError::Busy`] beyond the queue; [`HashError::Failed`] where the algorithm failed.
    async fn hash(&self, password: &Password) -> Result<PasswordHash, HashError>;

    /// Whether a password is the one that was hashed.
    ///
    /// # Parameters
    /// - `password`: in clear.
    /// - `hash`: what a store holds.
    ///
    /// # Errors
    /// [`HashError::Busy`] beyond the queue; [`HashError::Failed`] where the hash is damaged.
    async fn verify(&self, password: &Password, hash: &PasswordHash) -> Result<bool, HashError>;

    /// Does the work of a [`verify`](Self::verify) that fails, so that an unknown user costs what a wrong password costs.
    ///
    /// # Parameters
    /// - `password`: in clear.
    ///
    /// # Errors
    /// [`HashError::Busy`] beyond the queue; [`HashError::Failed`] where the algorithm failed.
    async fn verify_nobody(&self, password: &Password) -> Result<(), HashError>;
}
