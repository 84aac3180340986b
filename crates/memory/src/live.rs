//! The live tier of one process: all that it knows, which the ports read and change.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use async_trait::async_trait;
use tollbar_core::{
    StoreError,
    domain::UserId,
    ports::{Clock, HealthCheck, LeaseNonce},
};

use crate::{
    board::Boards,
    limits::{LimitKey, Limits},
    sessions::UserSessions,
    shards::{SHARDS, Shards},
    swept::Swept,
};

/// How long things live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryOptions {
    /// How long a set of sessions is believed at most.
    pub cache_ttl: Duration,
    /// How long a lease is good for.
    pub lease_ttl: Duration,
    /// How many limits that are not a user's alone (of addresses, of headers, of single paths) are kept at once; what comes beyond
    /// that is limited together. Whoever sends made-up headers could fill the memory otherwise.
    pub most_others: usize,
}

impl Default for MemoryOptions {
    fn default() -> Self {
        Self { cache_ttl: Duration::from_secs(60), lease_ttl: Duration::from_secs(2), most_others: 1_000_000 }
    }
}

/// Odd, so that a count by it comes round only after all 2⁶⁴ numbers; and far, so that neighbours are no leases.
const STRIDE: u64 = 0x9E37_79B9_7F4A_7C15;

/// Implements [`SessionCache`](tollbar_core::ports::SessionCache), [`RateLimiter`](tollbar_core::ports::RateLimiter),
/// [`CallTracker`](tollbar_core::ports::CallTracker), [`OneTrip`](tollbar_core::ports::OneTrip) and [`HealthCheck`] for one
/// process.
///
/// A step that needs several of its locks takes sessions, then limits, then the board.
pub struct MemoryLive {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) options: MemoryOptions,
    pub(crate) sessions: Shards<Swept<UserId, UserSessions>>,
    pub(crate) limits: Shards<Swept<LimitKey, Limits>>,
    pub(crate) boards: Boards,
    /// Whether the boards have been raised to the whole ledger.
    pub(crate) is_whole: AtomicBool,
    /// Nobody outside sees leases, so counting makes them unique.
    nonces: AtomicU64,
}

impl MemoryLive {
    /// Starts with nothing known.
    pub fn new(clock: Arc<dyn Clock>, options: MemoryOptions) -> Self {
        Self {
            clock,
            options,
            sessions: Shards::default(),
            limits: Shards::default(),
            boards: Boards::default(),
            is_whole: AtomicBool::new(false),
            nonces: AtomicU64::new(1),
        }
    }

    /// Evicts a user's cached set. For tests and operators: it is read again from the durable tier.
    pub fn drop_entry(&self, user: UserId) {
        self.sessions.of(user).change(user, self.clock.now()).drop_entry();
    }

    /// Lets a user's lease lapse. For tests and operators: the next look-up that misses gets another.
    pub fn drop_lease(&self, user: UserId) {
        self.sessions.of(user).change(user, self.clock.now()).drop_lease();
    }

    /// Where a subject's limits under a policy are: where there is no room for what is no user's alone, all such share one.
    pub(crate) fn limit_key(&self, limits: &Swept<LimitKey, Limits>, key: LimitKey) -> LimitKey {
        let is_full = || limits.len() >= self.options.most_others.div_ceil(SHARDS);
        if key.is_a_users_own() || limits.get(key).is_some() || !is_full() { key } else { key.crowded() }
    }

    /// A number for a lease that no other lease had.
    pub(crate) fn nonce(&self) -> LeaseNonce {
        LeaseNonce(self.nonces.fetch_add(STRIDE, Relaxed))
    }
}

impl fmt::Debug for MemoryLive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryLive").field("options", &self.options).finish_non_exhaustive()
    }
}

#[async_trait]
impl HealthCheck for MemoryLive {
    fn name(&self) -> &'static str {
        "memory"
    }

    async fn check(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tollbar_core::{
        domain::{ApiName, Policy, PolicyName, Quota, Subject, Window},
        ports::{ManualClock, RateLimiter, SessionCache},
    };

    use super::*;

    #[tokio::test]
    async fn memory_does_not_grow_with_users_that_have_left() {
        let clock = Arc::new(ManualClock::new());
        let live = MemoryLive::new(clock.clone(), MemoryOptions::default());
        let window = Window::new(Quota::new(1).unwrap(), Duration::from_secs(5)).unwrap();
        let api = ApiName::new("ping").unwrap();
        let policy = Policy::new(PolicyName::new("ping").unwrap(), api, vec![window]).unwrap();
        for id in 1..=50_000 {
            let user = UserId::new(id).unwrap();
            live.lookup(user).await.unwrap();
            live.decide(&policy, user.into()).await.unwrap();
            clock.advance(Duration::from_millis(10));
        }
        // Of 100 users a second, leases of the last 2 s and limits of the last 5 s mean something.
        let leases: usize = live.sessions.each().map(|shard| shard.len()).sum();
        let limits: usize = live.limits.each().map(|shard| shard.len()).sum();
        assert!(leases <= 1_000 && limits <= 2_000, "{leases} leases, {limits} limits");
    }

    #[tokio::test]
    async fn made_up_subjects_do_not_fill_the_memory_and_users_keep_their_own() {
        let options = MemoryOptions { most_others: 6_400, ..MemoryOptions::default() };
        let live = MemoryLive::new(Arc::new(ManualClock::new()), options);
        let window = Window::new(Quota::new(1).unwrap(), Duration::from_secs(86_400)).unwrap();
        let api = ApiName::new("ping").unwrap();
        let policy = Policy::new(PolicyName::new("ping").unwrap(), api, vec![window]).unwrap();
        let allowed = async |subject| live.decide(&policy, subject).await.unwrap().allowed();
        let made_up = |at: u32| Subject::header("x-api-key", Some(&at.to_be_bytes()));
        let mut admitted = 0;
        for at in 0..50_000 {
            admitted += usize::from(allowed(made_up(at)).await);
        }
        let kept: usize = live.limits.each().map(|shard| shard.len()).sum();
        // One more a part: what the others share.
        assert!(kept <= 6_464 && admitted == kept, "{kept} kept, {admitted} admitted");
        assert!(!allowed(made_up(0)).await, "who came first keeps its own");
        for id in 1..=1_000 {
            assert!(allowed(UserId::new(id).unwrap().into()).await, "a user has no part in the crowd");
        }
    }
}
