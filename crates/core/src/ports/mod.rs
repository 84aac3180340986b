//! What the core asks of the world: object-safe traits that adapters implement and that feature `mock` mocks.

mod call_history;
mod call_ledger;
mod call_tracker;
mod clock;
mod gate;
mod health;
mod installation;
mod one_trip;
mod password_hasher;
mod pending_calls;
mod process_lease;
mod rate_limiter;
mod session_cache;
mod session_store;
mod user_repo;

pub use call_history::CallHistory;
pub use call_ledger::{Added, CallLedger, TallyKey};
pub use call_tracker::{CallTracker, MAX_TOP, RaiseId};
pub use clock::{Clock, SystemClock};
pub use gate::{Admission, Gate, Standby};
pub use health::HealthCheck;
pub use installation::{Fact, Installation};
pub use one_trip::{Crossing, OneTrip};
pub use password_hasher::{HashError, PasswordHasher};
pub use pending_calls::PendingCalls;
pub use process_lease::{LeaseError, ProcessLease, Sharing};
pub use rate_limiter::{RateLimiter, WhichLimits};
pub use session_cache::{LeaseNonce, Lookup, Published, SessionCache, Ticket};
pub use session_store::{AllClosed, Closed, NewSession, SessionFacts, SessionStore};
pub use user_repo::{Account, CreateUserError, Credentials, UserRepo};

#[cfg(feature = "mock")]
pub use {
    call_history::MockCallHistory, call_ledger::MockCallLedger, call_tracker::MockCallTracker,
    clock::ManualClock, clock::MockClock, gate::MockGate, gate::MockStandby, health::MockHealthCheck,
    installation::MockInstallation, one_trip::MockOneTrip, password_hasher::MockPasswordHasher,
    pending_calls::MockPendingCalls, process_lease::MockProcessLease, rate_limiter::MockRateLimiter,
    session_cache::MockSessionCache, session_store::MockSessionStore, user_repo::MockUserRepo,
};
