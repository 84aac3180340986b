//! How often this process has changed a user's sessions, for whoever remembers an answer that rests on them.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::domain::UserId;

/// Users share counters, so that memory is bounded: somebody else's change makes an answer be asked for again, no more.
const COUNTERS: u64 = 1024;

/// A counter for each part of the users; it only rises.
#[derive(Debug)]
pub(super) struct Changes(Box<[AtomicU64]>);

impl Default for Changes {
    fn default() -> Self {
        Self((0..COUNTERS).map(|_| AtomicU64::default()).collect())
    }
}

impl Changes {
    /// Counts one change, once it may have been made and before its caller is answered.
    pub(super) fn count(&self, user: UserId) {
        self.counter(user).fetch_add(1, Ordering::Release);
    }

    /// How many there were.
    pub(super) fn of(&self, user: UserId) -> u64 {
        self.counter(user).load(Ordering::Acquire)
    }

    fn counter(&self, user: UserId) -> &AtomicU64 {
        let at = usize::try_from(user.get() % COUNTERS).expect("a rest is less than what it was divided by");
        &self.0[at]
    }
}
