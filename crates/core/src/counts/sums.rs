//! Sums of calls by API and user.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use foldhash::fast::RandomState;

use crate::domain::{ApiName, Tally, UserId};

/// Calls by API and user. APIs come from the policies, so they are few.
#[derive(Debug, Default)]
pub(super) struct Sums {
    by_api: Vec<(ApiName, HashMap<UserId, u64, RandomState>)>,
    pairs: usize,
}

impl Sums {
    /// Counts one call.
    pub(super) fn count(&mut self, api: &ApiName, user: UserId) {
        let at = self.by_api.iter().position(|(known, _)| known == api).unwrap_or_else(|| {
            self.by_api.push((api.clone(), HashMap::default()));
            self.by_api.len() - 1
        });
        let calls = self.by_api[at].1.entry(user).or_insert(0);
        self.pairs += usize::from(*calls == 0);
        *calls += 1;
    }

    /// How many pairs of API and user there are.
    pub(super) fn pairs(&self) -> usize {
        self.pairs
    }

    /// A sum for each of them.
    pub(super) fn tallies(&self) -> Vec<Tally> {
        let of_api = |(api, users): &(ApiName, HashMap<_, _, _>)| {
            let tally = |(&user, &calls)| Tally { api: api.clone(), user, calls };
            users.iter().map(tally).collect::<Vec<_>>()
        };
        self.by_api.iter().flat_map(of_api).collect()
    }
}

/// What is locked is whole between any two steps, so a thread that panicked has left nothing behind.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
