//! Use case: the end of a session.

use std::sync::Arc;

use crate::{StoreError, sessions::TieredSessions};

/// Ends sessions.
pub struct Logout {
    sessions: Arc<TieredSessions>,
}

impl Logout {
    /// Logouts from these sessions.
    pub fn new(sessions: Arc<TieredSessions>) -> Self {
        Self { sessions }
    }

    /// Ends the token's session; by the time of the answer it is dead everywhere. False: there was no live session of it.
    ///
    /// # Errors
    /// A tier failed.
    pub async fn call(&self, token: &str) -> Result<bool, StoreError> {
        self.sessions.close(token).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{Secret, SessionSet, Timestamp, TokenKey, UserId, Version},
        ports::{Closed, ManualClock, MockSessionCache, MockSessionStore, Published, Ticket},
        sessions::SessionOptions,
    };

    #[tokio::test]
    async fn says_whether_there_was_a_session_to_end() {
        let (mut cache, mut store) = (MockSessionCache::new(), MockSessionStore::new());
        cache.expect_change().times(2).returning(|_| Ok(Ticket { at: Timestamp::default(), lease: None }));
        cache.expect_publish().times(2).returning(|_, _, _| Ok(Published::Written));
        let mut live = true;
        store.expect_close().times(2).returning(move |user, version, _, _| {
            assert_eq!((user.get(), version.get()), (7, 4));
            let was_live = std::mem::take(&mut live);
            Ok(Some(Closed { was_live, set: SessionSet::default() }))
        });
        let key = TokenKey::from_bytes([1; 32]);
        let token = key.issue(UserId::new(7).unwrap(), Version::new(4), Secret::from_bytes([2; 32])).expose();
        let (store, cache, clock) = (Arc::new(store), Arc::new(cache), Arc::new(ManualClock::new()));
        let sessions = TieredSessions::new(store, cache, clock, key, SessionOptions::default());
        let logout = Logout::new(Arc::new(sessions));
        assert!(logout.call(&token).await.unwrap());
        assert!(!logout.call(&token).await.unwrap());
    }
}
