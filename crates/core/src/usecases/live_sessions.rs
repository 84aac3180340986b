//! Use case: how many sessions are live.

use std::sync::Arc;

use super::readings::{Reading, Readings};
use crate::{
    StoreError,
    ports::{Clock, SessionStore},
};

/// Counts live sessions, for operators. However many ask, the store is asked by one at a time, and is left alone for ten times as long as it took.
pub struct LiveSessions {
    store: Arc<dyn SessionStore>,
    clock: Arc<dyn Clock>,
    last: Readings<(), u64>,
}

impl LiveSessions {
    /// Those of this store.
    pub fn new(store: Arc<dyn SessionStore>, clock: Arc<dyn Clock>) -> Self {
        Self { store, last: Readings::new(Arc::clone(&clock)), clock }
    }

    /// How many are live, of all users together.
    ///
    /// # Errors
    /// The store failed, and the number is not known from before.
    pub async fn count(&self) -> Result<Reading<u64>, StoreError> {
        self.last.read_or_last(&(), self.store.count(self.clock.now())).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::{ManualClock, MockSessionStore};

    #[tokio::test]
    async fn the_store_is_asked_once_for_all_who_ask_at_once() {
        let mut store = MockSessionStore::new();
        store.expect_count().once().returning(|_| Ok(7));
        let sessions = LiveSessions::new(Arc::new(store), Arc::new(ManualClock::new()));
        for _ in 0..2 {
            assert_eq!(sessions.count().await.unwrap(), Reading { value: 7, stale: false });
        }
    }
}
