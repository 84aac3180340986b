//! Conformance suites for the ports of Tollbar.
#![doc = include_str!("../README.md")]
#![allow(clippy::unwrap_used, reason = "a suite is a test: where a port fails, the case does")]

#[macro_use]
mod suite;

pub mod adoption;
pub mod call_history;
pub mod call_ledger;
pub mod call_ledger_incarnations;
pub mod call_tracker;
pub mod crowd;
pub mod gate;
pub mod gate_denials;
pub mod gate_others;
pub mod gate_random;
mod harness;
pub mod installation;
pub mod one_trip;
pub mod one_trip_at_once;
pub mod one_trip_limits;
pub mod one_trip_others;
mod pair;
mod pair_gates;
pub mod pending_calls;
pub mod process_lease;
pub mod rate_limiter;
pub mod rate_limiter_gcra;
pub mod rate_limiter_random;
pub mod rate_limiter_reset;
pub mod rate_limiter_subjects;
pub mod scheduler;
pub mod session_cache;
pub mod session_cache_loss;
pub mod session_store;
pub mod sessions;
pub mod sessions_orders;
pub mod user_repo;

pub use harness::{
    CallLedgerHarness, CallTrackerHarness, ClockHarness, Harness, InstallationHarness, OneTripHarness,
    PendingCallsHarness, ProcessLeaseHarness, RateLimiterHarness, SessionCacheHarness, SessionStoreHarness,
    UserRepoHarness, epoch,
};
pub use pair::{GateHarness, Pair, SharedTiersHarness, TiersHarness};
pub use pair_gates::{FastGateHarness, FastGates, FastPair, GatesOver, PlainGates};
pub use suite::{run, together};
