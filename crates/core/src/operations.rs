//! What operators do: in a process that serves, or beside it on the same tiers.

use std::sync::Arc;

use crate::{
    DurableTier, LiveTier, StoreError,
    counts::LiveCounts,
    domain::{InstallationId, TokenKey},
    policies::Policies,
    ports::{Clock, Fact},
    sessions::{SessionOptions, TieredSessions},
    usecases::{Accounts, Analytics, CallCounts, LimitStates},
};

/// Everything that operators ask for.
pub struct Operations {
    /// Which installation it is of.
    pub installation: InstallationId,
    /// Tells of accounts, and ends their sessions.
    pub accounts: Accounts,
    /// Tells of limits, and resets them.
    pub limits: LimitStates,
    /// Tells of calls.
    pub analytics: Arc<Analytics>,
}

/// Why nothing can be done beside the processes that serve.
#[derive(Debug, Clone, thiserror::Error)]
pub enum BesideError {
    /// No process has served from this database yet.
    #[error("no process has served from this database yet")]
    Unbegun,
    /// What the durable tier keeps as the key of the tokens is none.
    #[error("the database holds no valid token key")]
    TokenKey,
    /// The durable tier failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Operations {
    /// Beside the processes that serve from these tiers: nothing is counted, and nothing is begun.
    ///
    /// # Errors
    /// See [`BesideError`]. That the live tier is away is none: what needs it will say so.
    pub async fn beside(
        durable: DurableTier,
        live: &LiveTier,
        clock: Arc<dyn Clock>,
        policies: Policies,
        sessions: SessionOptions,
    ) -> Result<Self, BesideError> {
        let key = durable.installation.kept(Fact::TokenKey).await?.ok_or(BesideError::Unbegun)?;
        let installation = InstallationId::of_key(&key);
        let key = TokenKey::from_bytes(key.try_into().map_err(|_| BesideError::TokenKey)?);
        let (store, cache) = (durable.sessions.clone(), live.cache.clone());
        let tiered = Arc::new(TieredSessions::new(store, cache, clock.clone(), key, sessions));
        let counts = LiveCounts::default();
        // What a process would have found out in its time.
        counts.set_here(
            !live.tracker.is_whole().await.unwrap_or(false) || durable.ledger.is_any_behind().await?,
        );
        let (tracker, ledger) = (live.tracker.clone(), durable.ledger.clone());
        let counts = CallCounts::new(tracker, ledger, clock.clone(), policies.clone(), counts);
        Ok(Self {
            installation,
            accounts: Accounts::new(durable.users, tiered, durable.sessions, durable.ledger, clock.clone()),
            limits: LimitStates::new(policies, live.limiter.clone()),
            analytics: Arc::new(Analytics::new(Arc::new(counts), durable.history, clock)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{ApiName, Caller, UserId},
        policies::{PolicyTable, Unmatched},
        ports::{
            ManualClock, MockCallHistory, MockCallLedger, MockCallTracker, MockInstallation, MockRateLimiter,
            MockSessionCache, MockSessionStore, MockUserRepo,
        },
        usecases::{CallWindow, RankedBy},
    };

    async fn beside(
        key: Option<Vec<u8>>,
        whole: Result<bool, StoreError>,
    ) -> Result<Operations, BesideError> {
        let mut installation = MockInstallation::new();
        installation.expect_kept().return_once(move |_| Ok(key));
        let (mut ledger, mut tracker) = (MockCallLedger::new(), MockCallTracker::new());
        let caller = |calls| Caller { user: UserId::new(7).unwrap(), calls };
        ledger.expect_is_any_behind().returning(|| Ok(false));
        ledger.expect_top().returning(move |_, _| Ok(vec![caller(1)]));
        tracker.expect_is_whole().return_once(move || whole);
        tracker.expect_top().returning(move |_, _| Ok(vec![caller(2)]));
        let durable = DurableTier {
            users: Arc::new(MockUserRepo::new()),
            sessions: Arc::new(MockSessionStore::new()),
            ledger: Arc::new(ledger),
            history: Arc::new(MockCallHistory::new()),
            installation: Arc::new(installation),
        };
        let live = LiveTier {
            cache: Arc::new(MockSessionCache::new()),
            limiter: Arc::new(MockRateLimiter::new()),
            tracker: Arc::new(tracker),
            one_trip: None,
            pending: None,
            insurance: None,
        };
        let policies = Policies::new(PolicyTable::new(vec![], Unmatched::Session).unwrap());
        Operations::beside(durable, &live, Arc::new(ManualClock::new()), policies, SessionOptions::default())
            .await
    }

    #[tokio::test]
    async fn live_counts_that_lack_calls_are_not_told_as_if_they_were_whole() {
        let ping = ApiName::new("ping").unwrap();
        let away = || Err(StoreError::transient("test", "down"));
        for (whole, calls, stale) in [(Ok(true), 2, false), (Ok(false), 1, true), (away(), 1, true)] {
            let operations = beside(Some(vec![7; 32]), whole).await.unwrap();
            let top =
                operations.analytics.top(&ping, CallWindow::AllTime, RankedBy::Calls, 10).await.unwrap();
            assert_eq!((top.reading.value.callers[0].calls, top.reading.stale), (calls, stale));
        }
    }

    #[tokio::test]
    async fn nothing_is_begun() {
        assert!(matches!(beside(None, Ok(true)).await, Err(BesideError::Unbegun)));
        assert!(matches!(beside(Some(vec![7; 31]), Ok(true)).await, Err(BesideError::TokenKey)));
    }
}
