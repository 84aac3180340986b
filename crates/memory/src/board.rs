//! The calls of each API, exactly: how many each user made, and who made most.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, HashMap},
    sync::{Arc, PoisonError, RwLock},
};

use tollbar_core::domain::{ApiName, Caller, UserId};

use crate::shards::Shards;

/// The boards of all APIs. APIs come from the policies, so they are few and stay.
#[derive(Debug, Default)]
pub(crate) struct Boards(RwLock<HashMap<ApiName, Arc<Board>>>);

/// The calls of one API.
pub(crate) type Board = Shards<Part>;

impl Boards {
    /// The board of an API, if anything was ever counted there.
    pub(crate) fn known(&self, api: &ApiName) -> Option<Arc<Board>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(api).cloned()
    }

    /// The board of an API, which may be new.
    pub(crate) fn of(&self, api: &ApiName) -> Arc<Board> {
        self.known(api).unwrap_or_else(|| {
            let mut boards = self.0.write().unwrap_or_else(PoisonError::into_inner);
            boards.entry(api.clone()).or_default().clone()
        })
    }

    /// Counts one call.
    pub(crate) fn record(&self, api: &ApiName, user: UserId) {
        self.of(api).of(user).raise(user, |calls| calls.saturating_add(1));
    }
}

/// The calls of a part of the users.
#[derive(Debug, Default)]
pub(crate) struct Part {
    calls: HashMap<UserId, u64>,
    /// The same, most calls first, ties by lower number: the top is its beginning.
    order: BTreeSet<(Reverse<u64>, UserId)>,
}

impl Part {
    /// Lifts a user's calls to what `to` makes of them; they never fall.
    pub(crate) fn raise(&mut self, user: UserId, to: impl FnOnce(u64) -> u64) {
        let calls = self.calls.entry(user).or_default();
        let (before, after) = (*calls, to(*calls));
        if after > before {
            *calls = after;
            self.order.remove(&(Reverse(before), user));
            self.order.insert((Reverse(after), user));
        }
    }

    /// How many users have called.
    pub(crate) fn users(&self) -> u64 {
        self.calls.len() as u64
    }

    /// Those with the most calls, most first, ties by lower number.
    pub(crate) fn top(&self, limit: usize) -> impl Iterator<Item = Caller> {
        self.order.iter().take(limit).map(|&(Reverse(calls), user)| Caller { user, calls })
    }
}
