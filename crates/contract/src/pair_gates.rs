//! Which gate a pair of tiers has: the plain one, or the fast one with its deny cache.

use std::sync::Arc;

use tollbar_core::{
    counts::CallBook,
    gate::{DenialOptions, FastGate, PlainGate},
    ports::{Clock, Gate},
    sessions::TieredSessions,
};

use crate::{
    CallLedgerHarness, CallTrackerHarness, GateHarness, OneTripHarness, Pair, RateLimiterHarness,
    SessionCacheHarness, SessionStoreHarness,
};

/// How gates are made over a live tier.
pub trait GatesOver<L>: Send + Sync + 'static {
    /// A gate.
    fn gate(
        live: &L,
        sessions: Arc<TieredSessions>,
        book: Arc<CallBook>,
        clock: Arc<dyn Clock>,
    ) -> Arc<dyn Gate>;
}

/// Plain gates, over any tiers.
pub struct PlainGates;

impl<L: SessionCacheHarness + RateLimiterHarness + CallTrackerHarness> GatesOver<L> for PlainGates {
    fn gate(
        live: &L,
        sessions: Arc<TieredSessions>,
        book: Arc<CallBook>,
        _clock: Arc<dyn Clock>,
    ) -> Arc<dyn Gate> {
        Arc::new(PlainGate::new(sessions, live.rate_limiter(), live.call_tracker(), book))
    }
}

/// Fast gates, which remember so many denials.
pub struct FastGates<const DENIALS: usize>;

impl<L: OneTripHarness, const DENIALS: usize> GatesOver<L> for FastGates<DENIALS> {
    fn gate(
        live: &L,
        sessions: Arc<TieredSessions>,
        book: Arc<CallBook>,
        clock: Arc<dyn Clock>,
    ) -> Arc<dyn Gate> {
        let denials = DenialOptions { entries: DENIALS, ..DenialOptions::default() };
        Arc::new(FastGate::new(sessions, live.one_trip(), book, clock, denials))
    }
}

/// A pair of tiers with fast gates.
pub type FastPair<D, L, const DENIALS: usize = 65_536> = Pair<D, L, FastGates<DENIALS>>;

/// What the suite that compares both gates needs.
pub trait FastGateHarness: GateHarness {
    /// The same tiers with plain gates.
    type Plain: GateHarness;
    /// Whether denials are remembered.
    const REMEMBERS: bool;
}

impl<D, L, const DENIALS: usize> FastGateHarness for FastPair<D, L, DENIALS>
where
    D: SessionStoreHarness + CallLedgerHarness,
    L: OneTripHarness,
{
    type Plain = Pair<D, L>;
    const REMEMBERS: bool = DENIALS > 0;
}
