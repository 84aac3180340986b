//! Use case: who calls most of all time, and how many different users have called.

use std::sync::Arc;

use tracing::debug;

use super::readings::{Reading, Readings};
use crate::{
    StoreError,
    counts::LiveCounts,
    domain::{ApiName, Caller},
    policies::{Policies, RequestPath},
    ports::{CallLedger, CallTracker, Clock, MAX_TOP},
};

/// How many places the leaderboard shows where nobody says how many.
pub const TOP_LIMIT: usize = 10;
/// How many places can be asked for. So many are read of the ledger at once, for whoever asks.
pub const TOP_MOST: usize = 100;

/// The counts of all time.
pub struct CallCounts {
    tracker: Arc<dyn CallTracker>,
    ledger: Arc<dyn CallLedger>,
    policies: Policies,
    live: LiveCounts,
    top: Readings<ApiName, Arc<[Caller]>>,
    distinct: Readings<ApiName, u64>,
}

impl CallCounts {
    /// The counts by these policies. `live`: what is known of those of `tracker`.
    pub fn new(
        tracker: Arc<dyn CallTracker>,
        ledger: Arc<dyn CallLedger>,
        clock: Arc<dyn Clock>,
        policies: Policies,
        live: LiveCounts,
    ) -> Self {
        let (top, distinct) = (Readings::new(clock.clone()), Readings::new(clock));
        Self { tracker, ledger, policies, live, top, distinct }
    }

    /// The API that `GET /ping` is counted under. `None`: such calls are refused, so there are none.
    pub fn api_of_ping(&self) -> Option<ApiName> {
        let table = self.policies.current();
        let path = RequestPath::of(b"/ping").expect("a constant that is a path");
        let rule = table.find("GET", None, &path);
        rule.map(|rule| rule.options().policy.api().clone())
    }

    /// The names that policies count under.
    pub(super) fn apis(&self) -> Vec<ApiName> {
        self.policies.current().apis().cloned().collect()
    }

    /// Whether a policy counts under this name.
    pub fn is_known(&self, api: &ApiName) -> bool {
        self.policies.current().apis().any(|known| known == api)
    }

    /// The top callers of all time: most calls first, ties by lower number. Beyond [`MAX_TOP`] places it is the ledger that tells, which may lack the
    /// calls since the last flush. [`TOP_MOST`] at most; fewer, and stale, where the ledger is away.
    ///
    /// # Errors
    /// Both tiers failed.
    pub async fn top(&self, api: &ApiName, limit: usize) -> Result<Reading<Vec<Caller>>, StoreError> {
        let was_behind = self.live.are_behind();
        let live = self.tracker.top(api, limit.min(MAX_TOP)).await;
        let read = async { Ok(self.ledger.top(api, TOP_MOST).await?.into()) };
        if limit <= MAX_TOP {
            let of_ledger = async {
                let best = self.top.read(api, read).await?;
                Ok(best.iter().take(limit).copied().collect())
            };
            return self.or_of_ledger((live, was_behind), of_ledger).await;
        }
        if let Err(failure) = &live
            && failure.is_overloaded()
        {
            // Too many readers at once should not turn to the database.
            return Err(failure.clone());
        }
        let is_behind = was_behind || self.live.are_behind();
        match (live, self.top.read_or_last(api, read).await) {
            (Ok(live), Ok(Reading { value, stale })) => {
                Ok(Reading { value: raised(&value, &live, limit), stale: stale || is_behind })
            }
            (Ok(live), Err(_)) => Ok(Reading { value: live, stale: true }),
            (Err(_), Ok(Reading { value, .. })) => {
                Ok(Reading { value: raised(&value, &[], limit), stale: true })
            }
            (Err(_), Err(failure)) => Err(failure),
        }
    }

    /// How many different users have called.
    ///
    /// # Errors
    /// Both tiers failed.
    pub async fn distinct(&self, api: &ApiName) -> Result<Reading<u64>, StoreError> {
        let was_behind = self.live.are_behind();
        let live = self.tracker.distinct(api).await;
        self.or_of_ledger((live, was_behind), self.distinct.read(api, self.ledger.distinct(api))).await
    }

    /// What the live tier says, or the ledger where that is away, or known to lack calls when it was asked or since.
    async fn or_of_ledger<T>(
        &self,
        (live, was_behind): (Result<T, StoreError>, bool),
        ledger: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<Reading<T>, StoreError> {
        match &live {
            Ok(_) if !was_behind && !self.live.are_behind() => {
                return live.map(|value| Reading { value, stale: false });
            }
            Ok(_) => {}
            // Too many readers at once should not turn to the database.
            Err(failure) if failure.is_overloaded() => return Err(failure.clone()),
            Err(failure) => debug!(?failure, "the counts are read from the ledger"),
        }
        // Counts that lack some are better than none.
        let value = ledger.await.or_else(|failure| live.map_err(|_| failure))?;
        Ok(Reading { value, stale: true })
    }
}

/// The ledger's best, with the numbers of those whom the live board has ahead of it.
fn raised(of_ledger: &[Caller], live: &[Caller], limit: usize) -> Vec<Caller> {
    let mut best = of_ledger.to_vec();
    for ahead in live {
        match best.iter_mut().find(|known| known.user == ahead.user) {
            Some(known) => known.calls = known.calls.max(ahead.calls),
            None => best.push(*ahead),
        }
    }
    best.sort_unstable_by(|a, b| b.calls.cmp(&a.calls).then(a.user.cmp(&b.user)));
    best.truncate(limit);
    best
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        domain::{Policy, PolicyName, UserId},
        policies::{PathPattern, PolicyTable, Rule, RuleOptions, Unmatched},
        ports::{ManualClock, MockCallLedger, MockCallTracker},
    };

    fn counts(
        tracker: MockCallTracker,
        ledger: MockCallLedger,
        path: &str,
        unmatched: Unmatched,
    ) -> (CallCounts, Arc<ManualClock>) {
        let (name, api) = (PolicyName::new("p").unwrap(), ApiName::new("orders").unwrap());
        let options = RuleOptions::new(Policy::unlimited(name, api), PathPattern::new(path).unwrap());
        let table = PolicyTable::new(vec![Rule::new(options).unwrap()], unmatched).unwrap();
        let clock = Arc::new(ManualClock::new());
        let (tracker, ledger) = (Arc::new(tracker), Arc::new(ledger));
        let (policies, live) = (Policies::new(table), LiveCounts::default());
        (CallCounts::new(tracker, ledger, clock.clone(), policies, live), clock)
    }

    #[tokio::test]
    async fn the_live_tier_tells_of_the_api_of_ping() {
        let mut tracker = MockCallTracker::new();
        let caller = Caller { user: UserId::new(3).unwrap(), calls: 4 };
        tracker
            .expect_top()
            .withf(|api, limit| api.as_str() == "orders" && *limit == 10)
            .returning(move |_, _| Ok(vec![caller]));
        tracker.expect_distinct().returning(|_| Ok(150));
        let (counts, _) = counts(tracker, MockCallLedger::new(), "/ping", Unmatched::Session);
        let api = counts.api_of_ping().unwrap();
        assert_eq!(counts.top(&api, 10).await.unwrap(), Reading { value: vec![caller], stale: false });
        assert_eq!(counts.distinct(&api).await.unwrap(), Reading { value: 150, stale: false });
        assert!(counts.is_known(&api) && counts.is_known(&ApiName::new("unmatched").unwrap()));
        assert!(!counts.is_known(&ApiName::new("other").unwrap()));
    }

    #[test]
    fn where_ping_is_refused_it_has_no_api() {
        let (counts, _) = counts(MockCallTracker::new(), MockCallLedger::new(), "/other", Unmatched::Deny);
        assert_eq!(counts.api_of_ping(), None);
    }

    #[tokio::test]
    async fn more_places_than_the_board_has_are_the_ledgers_raised_to_the_board() {
        let (mut tracker, mut ledger) = (MockCallTracker::new(), MockCallLedger::new());
        let caller = |id, calls| Caller { user: UserId::new(id).unwrap(), calls };
        tracker
            .expect_top()
            .withf(|_, limit| *limit == 10)
            .returning(move |_, _| Ok(vec![caller(3, 9), caller(4, 8)]));
        let down = || Err(StoreError::transient("test", "down"));
        let mut of_ledger = [down(), Ok(vec![caller(1, 9), caller(3, 7), caller(5, 1)])].into_iter();
        ledger
            .expect_top()
            .times(2)
            .withf(|_, limit| *limit == 100)
            .returning(move |_, _| of_ledger.next().unwrap());
        let (counts, clock) = counts(tracker, ledger, "/ping", Unmatched::Session);
        let api = counts.api_of_ping().unwrap();
        let board = vec![caller(3, 9), caller(4, 8)];
        assert_eq!(counts.top(&api, 100).await.unwrap(), Reading { value: board, stale: true });
        clock.advance(Duration::from_secs(1));
        let expected = vec![caller(1, 9), caller(3, 9), caller(4, 8), caller(5, 1)];
        for limit in [100, 11] {
            let best = Reading { value: expected.clone(), stale: false };
            assert_eq!(counts.top(&api, limit).await.unwrap(), best, "read once");
        }
    }

    #[tokio::test]
    async fn without_the_live_tier_the_ledger_tells_and_is_not_read_for_each_caller() {
        let (mut tracker, mut ledger) = (MockCallTracker::new(), MockCallLedger::new());
        tracker.expect_top().returning(|_, _| Err(StoreError::transient("test", "down")));
        tracker.expect_distinct().returning(|_| Err(StoreError::overloaded("test")));
        let caller = Caller { user: UserId::new(3).unwrap(), calls: 4 };
        ledger.expect_top().times(2).returning(move |_, _| Ok(vec![caller]));
        let (counts, clock) = counts(tracker, ledger, "/ping", Unmatched::Session);
        let api = &counts.api_of_ping().unwrap();
        for _ in 0..3 {
            assert_eq!(counts.top(api, 10).await.unwrap(), Reading { value: vec![caller], stale: true });
        }
        clock.advance(Duration::from_secs(1));
        assert!(counts.top(api, 10).await.unwrap().stale);
        assert!(
            counts.distinct(api).await.unwrap_err().is_overloaded(),
            "a flood does not go to the database"
        );
    }

    #[tokio::test]
    async fn live_counts_that_lack_calls_are_told_only_where_the_ledger_cannot_tell() {
        let (mut tracker, mut ledger) = (MockCallTracker::new(), MockCallLedger::new());
        tracker.expect_distinct().returning(|_| Ok(7));
        let mut of_ledger = [Ok(9), Err(StoreError::transient("test", "down"))].into_iter();
        ledger.expect_distinct().times(2).returning(move |_| of_ledger.next().unwrap());
        let (counts, clock) = counts(tracker, ledger, "/ping", Unmatched::Session);
        let api = &counts.api_of_ping().unwrap();
        counts.live.set_here(true);
        for value in [9, 7] {
            assert_eq!(counts.distinct(api).await.unwrap(), Reading { value, stale: true });
            clock.advance(Duration::from_secs(1));
        }
        counts.live.set_here(false);
        assert_eq!(counts.distinct(api).await.unwrap(), Reading { value: 7, stale: false });
    }
}
