//! The deny cache: whoever is known to be over a limit is denied again without a trip, until the wait is over.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use metrics::{Counter, counter};
use quick_cache::{Equivalent, sync::Cache};

use crate::{
    domain::{Decision, Fingerprint, Policy, PolicyName, SessionToken, Subject, Timestamp, WindowState},
    ports::Clock,
};

/// How much is remembered, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DenialOptions {
    /// Denials at once; one more pushes out another. 0: none is remembered.
    pub entries: usize,
    /// How long a denial is repeated at most, from when its call was taken up: no longer than a session may be believed.
    pub ttl: Duration,
}

impl Default for DenialOptions {
    fn default() -> Self {
        Self { entries: 65_536, ttl: Duration::from_secs(60) }
    }
}

/// The denials that are remembered. They never admit a call: all they can do is to spare the engine a question.
#[derive(Debug)]
pub struct Denials {
    known: Option<Cache<Key, Arc<Denial>>>,
    ttl: Duration,
    clearings: AtomicU64,
    hits: Counter,
    misses: Counter,
}

/// When a call was taken up, and what was so at that time: its denial holds while that still is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Departure {
    at: Timestamp,
    /// By the clock that only goes on, which tells whether the other was set.
    steady: Timestamp,
    session_changes: u64,
    clearings: u64,
}

/// Whose calls are denied: 128 bits, of which no two who call share all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Denied([u8; 16]);

impl From<&SessionToken> for Denied {
    /// By the token's seal, which is no secret, and never by its text.
    fn from(token: &SessionToken) -> Self {
        Self(token.fingerprint())
    }
}

impl From<Subject> for Denied {
    fn from(subject: Subject) -> Self {
        Self(match subject {
            Subject::User(user) => u128::from(user.get()).to_be_bytes(),
            Subject::Other(fingerprint) => *fingerprint.as_bytes(),
        })
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Key {
    who: Denied,
    policy: PolicyName,
    path: Option<Fingerprint>,
    cost: u32,
}

/// The same for a look-up, which takes nothing into its own. It must hash as [`Key`] does.
#[derive(Hash)]
struct KeyRef<'a> {
    who: Denied,
    policy: &'a PolicyName,
    path: Option<Fingerprint>,
    cost: u32,
}

impl<'a> KeyRef<'a> {
    fn of(who: Denied, policy: &'a Policy) -> Self {
        Self { who, policy: policy.name(), path: policy.path(), cost: policy.cost() }
    }
}

impl Equivalent<Key> for KeyRef<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        (self.who, self.policy, self.path, self.cost) == (key.who, &key.policy, key.path, key.cost)
    }
}

/// What the engine said of a call that departed before.
#[derive(Debug)]
struct Denial {
    departure: Departure,
    policy: Policy,
    decision: Decision,
}

impl Denials {
    /// Nothing is known yet.
    pub fn new(options: DenialOptions) -> Self {
        let known = (options.entries > 0).then(|| Cache::new(options.entries));
        let lookups = |result: &'static str| counter!("tollbar_deny_cache_lookups_total", "result" => result);
        let (hits, misses) = (lookups("hit"), lookups("miss"));
        Self { known, ttl: options.ttl, clearings: AtomicU64::new(0), hits, misses }
    }

    /// Forgets every denial, those of calls under way included: for limits that were changed by other means than a call.
    pub fn clear(&self) {
        self.clearings.fetch_add(1, Ordering::AcqRel);
        if let Some(known) = &self.known {
            known.clear();
        }
    }

    /// Notes when a call is taken up, before anything is asked on its behalf. `session_changes`: how often its user's sessions
    /// have been changed.
    pub(super) fn departure(&self, clock: &dyn Clock, session_changes: u64) -> Departure {
        let clearings = self.clearings.load(Ordering::Acquire);
        Departure { at: clock.now(), steady: clock.steady(), session_changes, clearings }
    }

    /// The denial of a call that is like one denied before, as the engine would put it now.
    pub(super) fn recall(
        &self,
        who: impl Into<Denied>,
        policy: &Policy,
        departure: Departure,
    ) -> Option<Decision> {
        let (known, key) = (self.known.as_ref()?, KeyRef::of(who.into(), policy));
        let denial = known.get(&key);
        let decision = denial.as_ref().and_then(|denial| denial.again(policy, departure, self.ttl));
        if decision.is_some() { &self.hits } else { &self.misses }.increment(1);
        if let (Some(denial), None) = (denial, &decision) {
            known.remove_if(&key, |found| Arc::ptr_eq(found, &denial));
        }
        decision
    }

    /// Remembers what the engine said of a call that it denied.
    pub(super) fn remember(
        &self,
        who: impl Into<Denied>,
        policy: &Policy,
        departure: Departure,
        decision: &Decision,
    ) {
        let Some(known) = &self.known else { return };
        let KeyRef { who, policy: name, path, cost } = KeyRef::of(who.into(), policy);
        let denial = Denial { departure, policy: policy.clone(), decision: decision.clone() };
        known.insert(Key { who, policy: name.clone(), path, cost }, Arc::new(denial));
    }
}

/// By how much the time of day may differ from the time that passed before it is held to have been set: well above what
/// slewing makes of a minute (500 ppm, adjtime). No wait is longer by more than this.
const STEP: Duration = Duration::from_millis(200);

impl Denial {
    fn again(&self, policy: &Policy, now: Departure, ttl: Duration) -> Option<Decision> {
        let then = self.departure;
        let passed = now.at.since(then.at);
        // Where a clock was set, the engine's may have been, too: it is asked again.
        let was_set = passed.abs_diff(now.steady.since(then.steady)) >= STEP;
        let holds = now.at >= then.at
            && !was_set
            && passed < ttl.min(self.decision.retry_after())
            && (now.session_changes, now.clearings) == (then.session_changes, then.clearings)
            && *policy == self.policy;
        holds.then(|| {
            let later = |window: &WindowState| later(window, policy.cost(), passed);
            Decision {
                at: self.decision.at + passed,
                windows: self.decision.windows.iter().map(later).collect(),
                repeated: true,
            }
        })
    }
}

/// A window's state when this much time has passed and no call was admitted. What has left it meanwhile is not known, so `remaining`
/// is the least that it can be.
fn later(then: &WindowState, cost: u32, passed: Duration) -> WindowState {
    let retry_after = then.retry_after.saturating_sub(passed);
    let released = then.violated() && retry_after.is_zero();
    WindowState {
        window: then.window,
        remaining: if released { cost } else { then.remaining },
        reset_after: then.reset_after.saturating_sub(passed),
        retry_after,
    }
}

#[cfg(test)]
mod tests;
