//! The use cases over two tiers, wired as a service needs them.

use std::sync::Arc;

use crate::{
    Operations, StoreError,
    counts::{BookOptions, CallBook, CountFlusher, FlusherOptions},
    domain::{Incarnation, InstallationId, TokenKey},
    gate::{DenialOptions, DurableGate, FastGate, LiveProcesses, NotingGate, PlainGate},
    hashing::BcryptHasher,
    policies::Policies,
    ports::{
        CallHistory, CallLedger, CallTracker, Clock, Fact, Gate, HashError, Installation, OneTrip,
        PendingCalls, RateLimiter, SessionCache, SessionStore, Standby, UserRepo,
    },
    random_bytes,
    sessions::{SessionOptions, TieredSessions},
    usecases::{
        Accounts, Analytics, Authorize, CallCounts, LimitStates, LiveSessions, Login, Logout, Signup,
    },
};

/// The ports of a durable tier.
#[derive(Clone)]
pub struct DurableTier {
    /// Accounts.
    pub users: Arc<dyn UserRepo>,
    /// Sessions.
    pub sessions: Arc<dyn SessionStore>,
    /// Totals of calls.
    pub ledger: Arc<dyn CallLedger>,
    /// What became of calls, by time.
    pub history: Arc<dyn CallHistory>,
    /// What is decided once.
    pub installation: Arc<dyn Installation>,
}

impl DurableTier {
    /// Of a store that implements all of them.
    pub fn of<T>(store: Arc<T>) -> Self
    where
        T: UserRepo + SessionStore + CallLedger + CallHistory + Installation + 'static,
    {
        Self {
            users: store.clone(),
            sessions: store.clone(),
            ledger: store.clone(),
            history: store.clone(),
            installation: store,
        }
    }
}

/// The ports of a live tier.
#[derive(Clone)]
pub struct LiveTier {
    /// Cached sessions.
    pub cache: Arc<dyn SessionCache>,
    /// Limits.
    pub limiter: Arc<dyn RateLimiter>,
    /// Live counts.
    pub tracker: Arc<dyn CallTracker>,
    /// All three in one step, where the engine can; else each call takes a trip a port.
    pub one_trip: Option<Arc<dyn OneTrip>>,
    /// What an engine that outlives this process notes of calls that are not in the ledger yet; where there is none, a kill loses what
    /// was not flushed.
    pub pending: Option<Arc<dyn PendingCalls>>,
    /// Limits of this process, for policies that choose them while the engine is away, and how many processes share the engine.
    /// Without them such policies are closed then.
    pub insurance: Option<(Arc<dyn RateLimiter>, LiveProcesses)>,
}

impl LiveTier {
    /// Of an engine that implements all of them.
    pub fn of<T: SessionCache + RateLimiter + CallTracker + OneTrip + 'static>(engine: Arc<T>) -> Self {
        Self {
            cache: engine.clone(),
            limiter: engine.clone(),
            tracker: engine.clone(),
            one_trip: Some(engine),
            pending: None,
            insurance: None,
        }
    }

    /// The same with what the engine notes of calls that are not in the ledger yet.
    #[must_use]
    pub fn with_pending(self, pending: Arc<dyn PendingCalls>) -> Self {
        Self { pending: Some(pending), ..self }
    }

    /// The same with limits of this process for while the engine is away.
    #[must_use]
    pub fn with_insurance(self, limiter: Arc<dyn RateLimiter>, processes: LiveProcesses) -> Self {
        Self { insurance: Some((limiter, processes)), ..self }
    }
}

/// What a service chooses.
#[derive(Debug, Clone, Copy)]
pub struct AssemblyOptions {
    /// Of sessions.
    pub sessions: SessionOptions,
    /// Each step doubles the time of a hash: 4 to 31.
    pub bcrypt_cost: u32,
    /// How many passwords may wait to be hashed.
    pub password_queue: usize,
    /// What each thread that hashes begins with: there a service may lower its priority.
    pub on_hashing_thread: fn(),
    /// Characters that a new password has at least.
    pub min_password_length: usize,
    /// Of the counts that are not in the ledger yet.
    pub book: BookOptions,
    /// Of the flush of counts.
    pub flush: FlusherOptions,
    /// Of the memory of those who are over a limit; only a live tier that decides in one trip has it.
    pub denials: DenialOptions,
}

impl Default for AssemblyOptions {
    fn default() -> Self {
        Self {
            sessions: SessionOptions::default(),
            bcrypt_cost: 12,
            password_queue: 64,
            on_hashing_thread: || {},
            min_password_length: 7,
            book: BookOptions::default(),
            flush: FlusherOptions::default(),
            denials: DenialOptions::default(),
        }
    }
}

/// Why nothing was assembled.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AssemblyError {
    /// The durable tier failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What the durable tier keeps as the key of the tokens is none.
    #[error("the database holds no valid token key")]
    TokenKey,
    /// Passwords cannot be hashed.
    #[error(transparent)]
    Hash(#[from] HashError),
}

/// Everything that decides, ready to be called.
pub struct Assembly {
    /// Creates users.
    pub signup: Arc<Signup>,
    /// Opens sessions.
    pub login: Arc<Login>,
    /// Ends sessions.
    pub logout: Arc<Logout>,
    /// Decides requests by the current policies.
    pub authorize: Arc<Authorize>,
    /// Authenticates, limits and counts a call by a policy of one's own choice.
    pub gate: Arc<dyn Gate>,
    /// Tells of calls: who calls most, how many, and what became of them over time.
    pub analytics: Arc<Analytics>,
    /// Tells operators how many sessions are live.
    pub live_sessions: Arc<LiveSessions>,
    /// What operators ask of this process.
    pub operations: Arc<Operations>,
    /// Moves counts into the ledger: spawn its [`run`](CountFlusher::run), and await it after the last call.
    pub flusher: CountFlusher,
}

impl Assembly {
    /// Wires the two tiers. The first start on a durable tier makes the key of its tokens. `process` is a new one, and where the live
    /// tier outlives it, it holds a claim on the durable one ([`ProcessLease`](crate::ports::ProcessLease)) that shows others that it lives.
    ///
    /// # Errors
    /// See [`AssemblyError`].
    pub async fn new(
        durable: DurableTier,
        live: LiveTier,
        clock: Arc<dyn Clock>,
        process: Incarnation,
        policies: Policies,
        options: AssemblyOptions,
    ) -> Result<Self, AssemblyError> {
        let key = durable.installation.decide(Fact::TokenKey, &random_bytes::<32>()?).await?;
        let installation = InstallationId::of_key(&key);
        let key = TokenKey::from_bytes(key.try_into().map_err(|_| AssemblyError::TokenKey)?);
        let hasher = Arc::new(BcryptHasher::new(
            options.bcrypt_cost,
            options.password_queue,
            options.on_hashing_thread,
        )?);
        // Before anything is counted: another process must know of this one, to adopt its counts.
        durable.ledger.begin(process, process).await?;
        let book = Arc::new(CallBook::new(process, Arc::clone(&clock), options.book));
        let live_sessions = Arc::new(LiveSessions::new(durable.sessions.clone(), Arc::clone(&clock)));
        let sessions = Arc::new(TieredSessions::new(
            durable.sessions.clone(),
            live.cache,
            Arc::clone(&clock),
            key,
            options.sessions,
        ));
        let tracker = Arc::clone(&live.tracker);
        let (ledger, history, pending) = (durable.ledger.clone(), durable.history, live.pending);
        let told = (tracker.clone(), ledger.clone(), history.clone());
        let flusher =
            CountFlusher::new(book.clone(), ledger, history, tracker, pending, process, options.flush);
        let (tracker, ledger, history) = told;
        let counts = CallCounts::new(tracker, ledger, clock.clone(), policies.clone(), flusher.live_counts());
        let analytics = Arc::new(Analytics::new(Arc::new(counts), history, clock.clone()));
        let accounts = Accounts::new(
            durable.users.clone(),
            sessions.clone(),
            durable.sessions,
            durable.ledger.clone(),
            clock.clone(),
        );
        let limits = LimitStates::new(policies.clone(), live.limiter.clone());
        let users = Arc::clone(&durable.users);
        let (own_sessions, own_book, own_clock) = (sessions.clone(), book.clone(), clock.clone());
        let noted = book.clone();
        let open = Arc::new(DurableGate::open(sessions.clone(), book.clone(), clock.clone()));
        let gate: Arc<dyn Gate> = match live.one_trip {
            Some(engine) => {
                Arc::new(FastGate::new(Arc::clone(&sessions), engine, book, clock, options.denials))
            }
            None => Arc::new(PlainGate::new(Arc::clone(&sessions), live.limiter, live.tracker, book)),
        };
        let insurance = live.insurance.as_ref().map(|(limiter, _)| limiter.clone());
        let limits = limits.of_process(insurance, gate.clone());
        let operations =
            Arc::new(Operations { installation, accounts, limits, analytics: analytics.clone() });
        let local = live.insurance.map(|(limiter, processes)| -> Arc<dyn Standby> {
            Arc::new(DurableGate::local(own_sessions, own_book, own_clock, limiter, processes))
        });
        Ok(Self {
            signup: Arc::new(Signup::new(users, hasher.clone(), options.min_password_length)),
            login: Arc::new(Login::new(durable.users, hasher, Arc::clone(&sessions))),
            logout: Arc::new(Logout::new(Arc::clone(&sessions))),
            authorize: Arc::new(Authorize::new(policies, gate.clone(), open, local, noted.clone())),
            gate: Arc::new(NotingGate::new(gate, noted)),
            analytics,
            live_sessions,
            operations,
            flusher,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        policies::{PolicyTable, Unmatched},
        ports::{
            ManualClock, MockCallHistory, MockCallLedger, MockCallTracker, MockInstallation, MockRateLimiter,
            MockSessionCache, MockSessionStore, MockUserRepo,
        },
    };

    async fn assemble(kept: Vec<u8>) -> Result<Assembly, AssemblyError> {
        let mut installation = MockInstallation::new();
        installation
            .expect_decide()
            .withf(|fact, proposed| *fact == Fact::TokenKey && proposed.len() == 32)
            .return_once(move |_, _| Ok(kept));
        let mut ledger = MockCallLedger::new();
        ledger.expect_begin().returning(|_, _| Ok(()));
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
            tracker: Arc::new(MockCallTracker::new()),
            one_trip: None,
            pending: None,
            insurance: None,
        };
        let options = AssemblyOptions { bcrypt_cost: 4, ..AssemblyOptions::default() };
        let process = Incarnation::from_bytes([1; 16]);
        let policies = Policies::new(PolicyTable::new(vec![], Unmatched::Session).unwrap());
        Assembly::new(durable, live, Arc::new(ManualClock::new()), process, policies, options).await
    }

    #[tokio::test]
    async fn the_key_is_the_one_that_the_durable_tier_keeps() {
        assert!(assemble(vec![7; 32]).await.is_ok());
        assert!(matches!(assemble(vec![7; 31]).await, Err(AssemblyError::TokenKey)));
    }
}
