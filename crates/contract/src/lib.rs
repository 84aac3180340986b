//! Conformance suites for the ports of Tollbar.
#![doc = include_str!("../README.md")]
#![allow(clippy::unwrap_used, reason = "a suite is a test: where a port fails, the case does")]

#[macro_use]
mod suite;

pub mod call_ledger;
pub mod call_tracker;
pub mod gate;
mod harness;
pub mod installation;
mod pair;
pub mod process_lease;
pub mod rate_limiter;
pub mod rate_limiter_random;
pub mod scheduler;
pub mod session_cache;
pub mod session_cache_loss;
pub mod session_store;
pub mod sessions;
pub mod sessions_orders;
pub mod user_repo;

pub use harness::{
    CallLedgerHarness, CallTrackerHarness, ClockHarness, Harness, InstallationHarness, ProcessLeaseHarness,
    RateLimiterHarness, SessionCacheHarness, SessionStoreHarness, UserRepoHarness,
};
pub use pair::{GateHarness, Pair, TiersHarness};
pub use suite::{run, together};
