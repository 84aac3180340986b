//! Port: the accounts of users (durable tier).

use async_trait::async_trait;

use crate::{
    StoreError,
    domain::{AccountName, PasswordHash, Timestamp, UserId, Username},
};

/// What a login needs to know of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user's number.
    pub user: UserId,
    /// The hash of the password.
    pub hash: PasswordHash,
}

/// What an operator may know of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The user's number.
    pub user: UserId,
    /// The name, in the case in which it was given.
    pub username: Username,
    /// When the user signed up, to a second, by the clock of the store.
    pub created_at: Timestamp,
}

/// Why a user was not created.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CreateUserError {
    /// Another user has this name, perhaps in other case.
    #[error("the username is taken")]
    Taken,
    /// The store did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Accounts by name. Names are unique without regard to case; a user's number is never used again.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait UserRepo: Send + Sync {
    /// Creates a user, once, however many ask at the same time, and returns the new number.
    ///
    /// # Parameters
    /// - `username`: kept in the case it is given in.
    /// - `hash`: the hash of the password, as a [`PasswordHasher`](super::PasswordHasher) made it.
    ///
    /// # Errors
    /// - [`CreateUserError::Taken`] where the name exists in any case; nothing is changed.
    /// - [`CreateUserError::Store`] where the store failed; after a transient failure the user may exist.
    async fn create(&self, username: &Username, hash: &PasswordHash) -> Result<UserId, CreateUserError>;

    /// Finds a user by name, in any case. `None`: there is no such user.
    ///
    /// # Parameters
    /// - `username`: the name as it was typed.
    ///
    /// # Errors
    /// The store failed.
    async fn find(&self, username: &Username) -> Result<Option<Credentials>, StoreError>;

    /// Tells of an account. `None`: there is no such user.
    ///
    /// # Parameters
    /// - `name`: which one.
    ///
    /// # Errors
    /// The store failed.
    async fn account(&self, name: &AccountName) -> Result<Option<Account>, StoreError>;
}
