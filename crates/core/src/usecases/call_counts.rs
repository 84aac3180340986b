//! Use case: who calls most, and how many different users call.

use std::sync::Arc;

use crate::{
    StoreError,
    domain::{ApiName, Caller},
    ports::CallTracker,
};

/// How many places the leaderboard shows.
pub const TOP_LIMIT: usize = 10;

/// The public counts of one API.
pub struct CallCounts {
    tracker: Arc<dyn CallTracker>,
    api: ApiName,
}

impl CallCounts {
    /// The counts of this API.
    pub fn new(tracker: Arc<dyn CallTracker>, api: ApiName) -> Self {
        Self { tracker, api }
    }

    /// The top callers of all time: most calls first, ties by lower number, at most [`TOP_LIMIT`].
    ///
    /// # Errors
    /// The live tier failed.
    pub async fn top(&self) -> Result<Vec<Caller>, StoreError> {
        self.tracker.top(&self.api, TOP_LIMIT).await
    }

    /// How many different users have called.
    ///
    /// # Errors
    /// The live tier failed.
    pub async fn distinct(&self) -> Result<u64, StoreError> {
        self.tracker.distinct(&self.api).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{domain::UserId, ports::MockCallTracker};

    #[tokio::test]
    async fn asks_for_ten_places_of_its_api() {
        let mut tracker = MockCallTracker::new();
        let caller = Caller { user: UserId::new(3).unwrap(), calls: 4 };
        tracker
            .expect_top()
            .withf(|api, limit| api.as_str() == "ping" && *limit == 10)
            .returning(move |_, _| Ok(vec![caller]));
        tracker.expect_distinct().returning(|_| Ok(150));
        let counts = CallCounts::new(Arc::new(tracker), ApiName::new("ping").unwrap());
        assert_eq!(counts.top().await.unwrap(), [caller]);
        assert_eq!(counts.distinct().await.unwrap(), 150);
    }
}
