//! Port: the sets of sessions that must never be lost (durable tier).

use std::{num::NonZeroUsize, time::Duration};

use async_trait::async_trait;

use crate::{
    StoreError,
    domain::{SessionSet, Timestamp, UserId, Verifier, Version},
};

/// A session about to be opened; the store names it by the version that the opening makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSession {
    /// What the token's secret must hash to.
    pub verifier: Verifier,
    /// How long it lives, absolute from the opening.
    pub ttl: Duration,
}

/// What closing a session found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// Whether the session was there and had time left: it has ended now. False: nothing was changed.
    pub was_live: bool,
    /// The user's set as it stands.
    pub set: SessionSet,
}

/// What closing all sessions of a user found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllClosed {
    /// How many sessions were there and had time left: they have ended now. Zero: nothing was changed.
    pub ended: usize,
    /// The user's set as it stands.
    pub set: SessionSet,
}

/// What an operator may know of a session: nothing by which it could be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionFacts {
    /// Its name among the user's sessions.
    pub version: Version,
    /// When it was opened; `None`: by a version of the software that did not note it.
    pub opened_at: Option<Timestamp>,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
}

/// One versioned set of sessions per user. Every change raises the version by one, in the same transaction.
///
/// Times are on the clock of the caller ([`Clock`](super::Clock)); sets hold only sessions that have time left at `now`.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait SessionStore: Send + Sync {
    /// Reads a user's version and set, in one statement and from the primary, so that it sees every change that was
    /// acknowledged before the call. `None`: there is no such user.
    ///
    /// # Parameters
    /// - `user`: whose set.
    /// - `now`: what the sessions' remaining time is counted from.
    ///
    /// # Errors
    /// The store failed.
    async fn load(&self, user: UserId, now: Timestamp) -> Result<Option<SessionSet>, StoreError>;

    /// Opens a session, ends the oldest beyond `keep`, and returns the new set, whose version names the session.
    /// `None`: there is no such user.
    ///
    /// # Parameters
    /// - `user`: whose set.
    /// - `session`: the session to add.
    /// - `keep`: how many sessions the user may have, the new one among them.
    /// - `now`: when it is opened; it expires at `now + session.ttl`.
    ///
    /// # Errors
    /// The store failed; after a transient failure the session may have been opened.
    async fn open(
        &self,
        user: UserId,
        session: NewSession,
        keep: NonZeroUsize,
        now: Timestamp,
    ) -> Result<Option<SessionSet>, StoreError>;

    /// Ends one session, if it is there and live, and says how the set stands. `None`: there is no such user.
    ///
    /// # Parameters
    /// - `user`: whose set.
    /// - `version`: the session's name.
    /// - `verifier`: what the session's verifier must be; another one finds nothing.
    /// - `now`: what expiry is judged by.
    ///
    /// # Errors
    /// The store failed; after a transient failure the session may have ended.
    async fn close(
        &self,
        user: UserId,
        version: Version,
        verifier: &Verifier,
        now: Timestamp,
    ) -> Result<Option<Closed>, StoreError>;

    /// How many sessions are live, of all users together. For operators: it may read every session.
    ///
    /// # Parameters
    /// - `now`: what expiry is judged by.
    ///
    /// # Errors
    /// The store failed.
    async fn count(&self, now: Timestamp) -> Result<u64, StoreError>;

    /// Ends all sessions of a user, by one change, and says how the set stands. `None`: there is no such user.
    ///
    /// # Parameters
    /// - `user`: whose set.
    /// - `now`: what expiry is judged by.
    ///
    /// # Errors
    /// The store failed; after a transient failure the sessions may have ended.
    async fn close_all(&self, user: UserId, now: Timestamp) -> Result<Option<AllClosed>, StoreError>;

    /// The sessions of a user that have time left, oldest first; none of a user that is not there.
    ///
    /// # Parameters
    /// - `user`: whose.
    /// - `now`: what expiry is judged by.
    ///
    /// # Errors
    /// The store failed.
    async fn list(&self, user: UserId, now: Timestamp) -> Result<Vec<SessionFacts>, StoreError>;
}
