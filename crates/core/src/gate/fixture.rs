//! What the unit tests of both gates stand on: one user's session, and a policy with what an engine says of it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::{
    counts::{BookOptions, CallBook},
    domain::{
        ApiName, Decision, Incarnation, Policy, PolicyName, Quota, Secret, Session, SessionSet, SessionToken,
        Timestamp, TokenKey, UserId, Version, Window, WindowState,
    },
    ports::{Lookup, ManualClock, MockSessionCache, MockSessionStore, Ticket},
    sessions::{SessionOptions, TieredSessions},
};

fn key() -> TokenKey {
    TokenKey::from_bytes([1; 32])
}

pub(super) fn user() -> UserId {
    UserId::new(7).unwrap()
}

/// A token of the user's session of this version.
pub(super) fn token(version: u64) -> SessionToken {
    key().issue(user(), Version::new(version), Secret::from_bytes([2; 32]))
}

/// Sessions whose live tier knows the user's set of version 2, which holds that version's session alone; the durable tier is
/// asked for what its mock expects.
pub(super) fn sessions(store: MockSessionStore, mut cache: MockSessionCache) -> Arc<TieredSessions> {
    let session = Session {
        version: Version::new(2),
        verifier: token(2).verifier(),
        remaining: Duration::from_secs(60),
    };
    let set = SessionSet { version: Version::new(2), sessions: vec![session] };
    cache.expect_lookup().returning(move |_| {
        let ticket = Ticket { at: Timestamp::default(), lease: None };
        Ok(Lookup::Hit { set: set.clone(), ticket })
    });
    let (store, cache, clock) = (Arc::new(store), Arc::new(cache), Arc::new(ManualClock::new()));
    Arc::new(TieredSessions::new(store, cache, clock, key(), SessionOptions::default()))
}

/// A book that holds so many pairs of API and user.
pub(super) fn book(limit: usize) -> Arc<CallBook> {
    let options = BookOptions { limit, ..BookOptions::default() };
    Arc::new(CallBook::new(Incarnation::from_bytes([1; 16]), Arc::new(ManualClock::new()), options))
}

/// Puts what waits for the ledger into one that is always there, from now on; the number is of the calls in it.
pub(super) fn flushing(book: &Arc<CallBook>) -> Arc<AtomicU64> {
    let (calls, book) = (Arc::new(AtomicU64::new(0)), Arc::clone(book));
    let in_ledger = Arc::clone(&calls);
    tokio::spawn(async move {
        loop {
            book.wished().await;
            if let Some(closed) = book.close() {
                let sum = closed.settled().await.tallies.iter().map(|tally| tally.calls).sum();
                in_ledger.fetch_add(sum, Ordering::Relaxed);
                closed.is_in_ledger();
            }
        }
    });
    calls
}

/// A policy of this name with windows `(quota, period in seconds)`.
pub(super) fn policy(name: &str, windows: &[(u32, u64)]) -> Policy {
    let window = |&(quota, secs): &(u32, u64)| {
        Window::new(Quota::new(quota).unwrap(), Duration::from_secs(secs)).unwrap()
    };
    let windows = windows.iter().map(window).collect();
    Policy::new(PolicyName::new(name).unwrap(), ApiName::new("ping").unwrap(), windows).unwrap()
}

/// A decision at a time of the engine's, of windows with `(remaining, reset, wait)`, both in seconds.
pub(super) fn decision(policy: &Policy, states: &[(u32, u64, u64)]) -> Decision {
    let state = |(window, &(remaining, reset, wait)): (&Window, &(u32, u64, u64))| WindowState {
        window: *window,
        remaining,
        reset_after: Duration::from_secs(reset),
        retry_after: Duration::from_secs(wait),
    };
    let windows = policy.windows().iter().zip(states).map(state).collect();
    Decision { at: Timestamp::from_micros(1_000_000), windows, repeated: false }
}
