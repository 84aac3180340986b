//! Use case: who calls most, and how many different users call.

use std::{sync::Arc, time::Duration};

use tokio::sync::Mutex;
use tracing::debug;

use crate::{
    StoreError,
    counts::LiveCounts,
    domain::{ApiName, Caller, Timestamp},
    policies::{Policies, RequestPath},
    ports::{CallLedger, CallTracker, Clock},
};

/// How many places the leaderboard shows.
pub const TOP_LIMIT: usize = 10;

/// How long what was read of the ledger is answered again: reading it is work.
const KEPT: Duration = Duration::from_secs(1);

/// What was read of the counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading<T> {
    /// The counts.
    pub value: T,
    /// Whether it is the ledger that tells, without the calls since the last flush, because the live tier is away or lacks some.
    pub stale: bool,
}

/// The public counts of the API that `GET /ping` is counted under.
pub struct CallCounts {
    tracker: Arc<dyn CallTracker>,
    ledger: Arc<dyn CallLedger>,
    clock: Arc<dyn Clock>,
    policies: Policies,
    live: LiveCounts,
    top: Kept<Vec<Caller>>,
    distinct: Kept<u64>,
}

/// What was last read of the ledger, of which API, and when. One caller reads it, and the others wait for it: also for a failure,
/// or the last of them would wait for as many deadlines as there are callers.
type Kept<T> = Mutex<Option<(ApiName, Timestamp, Result<T, StoreError>)>>;

impl CallCounts {
    /// The counts by these policies. `live`: what is known of those of `tracker`.
    pub fn new(
        tracker: Arc<dyn CallTracker>,
        ledger: Arc<dyn CallLedger>,
        clock: Arc<dyn Clock>,
        policies: Policies,
        live: LiveCounts,
    ) -> Self {
        Self { tracker, ledger, clock, policies, live, top: Mutex::default(), distinct: Mutex::default() }
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
    /// Both tiers failed.
    pub async fn top(&self) -> Result<Reading<Vec<Caller>>, StoreError> {
        let Some(api) = self.api() else { return Ok(Reading { value: Vec::new(), stale: false }) };
        let was_behind = self.live.are_behind();
        let live = self.tracker.top(&api, TOP_LIMIT).await;
        self.or_of_ledger((live, was_behind), &api, &self.top, self.ledger.top(&api, TOP_LIMIT)).await
    }

    /// How many different users have called.
    ///
    /// # Errors
    /// Both tiers failed.
    pub async fn distinct(&self) -> Result<Reading<u64>, StoreError> {
        let Some(api) = self.api() else { return Ok(Reading { value: 0, stale: false }) };
        let was_behind = self.live.are_behind();
        let live = self.tracker.distinct(&api).await;
        self.or_of_ledger((live, was_behind), &api, &self.distinct, self.ledger.distinct(&api)).await
    }

    /// What the live tier says, or the ledger where that is away, or known to lack calls when it was asked or since.
    async fn or_of_ledger<T: Clone>(
        &self,
        (live, was_behind): (Result<T, StoreError>, bool),
        api: &ApiName,
        kept: &Kept<T>,
        read: impl Future<Output = Result<T, StoreError>>,
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
        let asked = self.clock.steady();
        let mut kept = kept.lock().await;
        let known = kept.as_ref().filter(|(of, at, read)| {
            of == api && if read.is_ok() { self.clock.steady() < *at + KEPT } else { asked < *at }
        });
        let value = if let Some((_, _, read)) = known {
            read.clone()
        } else {
            let value = read.await;
            *kept = Some((api.clone(), self.clock.steady(), value.clone()));
            value
        };
        // Counts that lack some are better than none.
        let value = value.or_else(|failure| live.map_err(|_| failure))?;
        Ok(Reading { value, stale: true })
    }
}

#[cfg(test)]
mod tests {
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
    async fn asks_for_ten_places_of_the_api_of_ping() {
        let mut tracker = MockCallTracker::new();
        let caller = Caller { user: UserId::new(3).unwrap(), calls: 4 };
        tracker
            .expect_top()
            .withf(|api, limit| api.as_str() == "orders" && *limit == 10)
            .returning(move |_, _| Ok(vec![caller]));
        tracker.expect_distinct().returning(|_| Ok(150));
        let (counts, _) = counts(tracker, MockCallLedger::new(), "/ping", Unmatched::Session);
        assert_eq!(counts.top().await.unwrap(), Reading { value: vec![caller], stale: false });
        assert_eq!(counts.distinct().await.unwrap(), Reading { value: 150, stale: false });
    }

    #[tokio::test]
    async fn where_ping_is_refused_nobody_calls() {
        let (counts, _) = counts(MockCallTracker::new(), MockCallLedger::new(), "/other", Unmatched::Deny);
        assert_eq!(counts.top().await.unwrap().value, []);
        assert_eq!(counts.distinct().await.unwrap().value, 0);
    }

    #[tokio::test]
    async fn without_the_live_tier_the_ledger_tells_and_is_not_read_for_each_caller() {
        let (mut tracker, mut ledger) = (MockCallTracker::new(), MockCallLedger::new());
        tracker.expect_top().returning(|_, _| Err(StoreError::transient("test", "down")));
        tracker.expect_distinct().returning(|_| Err(StoreError::overloaded("test")));
        let caller = Caller { user: UserId::new(3).unwrap(), calls: 4 };
        ledger.expect_top().times(2).returning(move |_, limit| {
            assert_eq!(limit, 10);
            Ok(vec![caller])
        });
        let (counts, clock) = counts(tracker, ledger, "/ping", Unmatched::Session);
        for _ in 0..3 {
            assert_eq!(counts.top().await.unwrap(), Reading { value: vec![caller], stale: true });
        }
        clock.advance(KEPT);
        assert!(counts.top().await.unwrap().stale);
        assert!(counts.distinct().await.unwrap_err().is_overloaded(), "a flood does not go to the database");
    }

    #[tokio::test]
    async fn who_waits_while_a_reading_fails_does_not_wait_for_another() {
        let (mut tracker, mut ledger) = (MockCallTracker::new(), MockCallLedger::new());
        tracker.expect_distinct().returning(|_| Err(StoreError::transient("test", "down")));
        ledger.expect_distinct().times(2).returning(|_| Err(StoreError::transient("test", "down, too")));
        let (counts, clock) = counts(tracker, ledger, "/ping", Unmatched::Session);
        let line = counts.distinct.lock().await;
        let readings = async { tokio::join!(counts.distinct(), counts.distinct(), counts.distinct()) };
        let time_passes = async {
            tokio::task::yield_now().await;
            clock.advance(KEPT);
            drop(line);
        };
        let ((first, second, third), ()) = tokio::join!(readings, time_passes);
        assert!(first.is_err() && second.is_err() && third.is_err());
        assert!(counts.distinct().await.is_err(), "who asks later has it tried again");
    }

    #[tokio::test]
    async fn live_counts_that_lack_calls_are_told_only_where_the_ledger_cannot_tell() {
        let (mut tracker, mut ledger) = (MockCallTracker::new(), MockCallLedger::new());
        tracker.expect_distinct().returning(|_| Ok(7));
        let mut of_ledger = [Ok(9), Err(StoreError::transient("test", "down"))].into_iter();
        ledger.expect_distinct().times(2).returning(move |_| of_ledger.next().unwrap());
        let (counts, clock) = counts(tracker, ledger, "/ping", Unmatched::Session);
        counts.live.set_here(true);
        for value in [9, 7] {
            assert_eq!(counts.distinct().await.unwrap(), Reading { value, stale: true });
            clock.advance(KEPT);
        }
        counts.live.set_here(false);
        assert_eq!(counts.distinct().await.unwrap(), Reading { value: 7, stale: false });
    }
}
