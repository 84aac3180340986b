//! State that is divided among locks, by user mostly, so that calls of different users seldom wait for each other.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tollbar_core::domain::UserId;

/// How many parts there are.
pub(crate) const SHARDS: usize = 64;

/// What says which part it is in.
pub(crate) trait Sharded: Copy {
    /// A number that differs among those that should not wait for each other.
    fn number(self) -> u64;
}

impl Sharded for UserId {
    fn number(self) -> u64 {
        self.get()
    }
}

/// One `T` for each part.
#[derive(Debug)]
pub(crate) struct Shards<T>(Box<[Mutex<T>]>);

impl<T: Default> Default for Shards<T> {
    fn default() -> Self {
        Self((0..SHARDS).map(|_| Mutex::default()).collect())
    }
}

impl<T> Shards<T> {
    /// The part that this is in.
    pub(crate) fn of(&self, key: impl Sharded) -> MutexGuard<'_, T> {
        let at = usize::try_from(key.number() % SHARDS as u64)
            .expect("a rest is less than what it was divided by");
        lock(&self.0[at])
    }

    /// All parts, one after the other.
    pub(crate) fn each(&self) -> impl Iterator<Item = MutexGuard<'_, T>> {
        self.0.iter().map(lock)
    }
}

fn lock<T>(part: &Mutex<T>) -> MutexGuard<'_, T> {
    // Whoever panicked with it held did so before or after a step, not within one: the state is whole.
    part.lock().unwrap_or_else(PoisonError::into_inner)
}
