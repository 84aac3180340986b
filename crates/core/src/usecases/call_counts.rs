//! Use case: who calls most, and how many different users call.

use std::sync::Arc;

use crate::{
    StoreError,
    domain::{ApiName, Caller},
    policies::{Policies, RequestPath},
    ports::CallTracker,
};

/// How many places the leaderboard shows.
pub const TOP_LIMIT: usize = 10;

/// The public counts of the API that `GET /ping` is counted under.
pub struct CallCounts {
    tracker: Arc<dyn CallTracker>,
    policies: Policies,
}

impl CallCounts {
    /// The counts by these policies.
    pub fn new(tracker: Arc<dyn CallTracker>, policies: Policies) -> Self {
        Self { tracker, policies }
    }

    /// `None`: such calls are refused, so there are none.
    fn api(&self) -> Option<ApiName> {
        let table = self.policies.current();
        let path = RequestPath::of(b"/ping").expect("a constant that is a path");
        let rule = table.find("GET", None, &path);
        rule.map(|rule| rule.options().policy.api().clone())
    }

    /// The top callers of all time: most calls first, ties by lower number, at most [`TOP_LIMIT`].
    ///
    /// # Errors
    /// The live tier failed.
    pub async fn top(&self) -> Result<Vec<Caller>, StoreError> {
        match self.api() {
            Some(api) => self.tracker.top(&api, TOP_LIMIT).await,
            None => Ok(Vec::new()),
        }
    }

    /// How many different users have called.
    ///
    /// # Errors
    /// The live tier failed.
    pub async fn distinct(&self) -> Result<u64, StoreError> {
        match self.api() {
            Some(api) => self.tracker.distinct(&api).await,
            None => Ok(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{Policy, PolicyName, UserId},
        policies::{PathPattern, PolicyTable, Rule, RuleOptions, Unmatched},
        ports::MockCallTracker,
    };

    fn counts(tracker: MockCallTracker, path: &str, unmatched: Unmatched) -> CallCounts {
        let (name, api) = (PolicyName::new("p").unwrap(), ApiName::new("orders").unwrap());
        let options = RuleOptions::new(Policy::unlimited(name, api), PathPattern::new(path).unwrap());
        let table = PolicyTable::new(vec![Rule::new(options).unwrap()], unmatched).unwrap();
        CallCounts::new(Arc::new(tracker), Policies::new(table))
    }

    #[tokio::test]
    async fn asks_for_ten_places_of_the_api_of_ping() {
        let mut tracker = MockCallTracker::new();
        let caller = Caller { user: UserId::new(3).unwrap(), calls: 4 };
        tracker
            .expect_top()
            .withf(|api, limit| api.as_str() == "orders" && *limit == 10)
            .returning(move |_, _| Ok(vec![caller]));
        tracker.expect_distinct().returning(|_| Ok(150));
        let counts = counts(tracker, "/ping", Unmatched::Session);
        assert_eq!(counts.top().await.unwrap(), [caller]);
        assert_eq!(counts.distinct().await.unwrap(), 150);
    }

    #[tokio::test]
    async fn where_ping_is_refused_nobody_calls() {
        let counts = counts(MockCallTracker::new(), "/other", Unmatched::Deny);
        assert_eq!(counts.top().await.unwrap(), []);
        assert_eq!(counts.distinct().await.unwrap(), 0);
    }
}
