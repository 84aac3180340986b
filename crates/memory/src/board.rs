//! The calls of each API, exactly: how many each user made, and who made most.

use std::{
    cmp::Reverse,
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use foldhash::fast::RandomState;
use tollbar_core::{
    domain::{ApiName, Caller, UserId},
    ports::MAX_TOP,
};

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
        let raise = |board: &Board| board.of(user).raise(user, |calls| calls.saturating_add(1));
        if let Some(board) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(api) {
            raise(board);
            return;
        }
        raise(&self.of(api));
    }
}

/// The calls of a part of the users.
#[derive(Debug, Default)]
pub(crate) struct Part {
    calls: HashMap<UserId, u64, RandomState>,
    /// Those with the most, best first: whoever is not here ranks below the last, and totals only rise.
    best: Vec<Rank>,
}

/// Most calls first, ties by lower number.
type Rank = (Reverse<u64>, UserId);

impl Part {
    /// Lifts a user's calls to what `to` makes of them; they never fall. Whether they rose.
    pub(crate) fn raise(&mut self, user: UserId, to: impl FnOnce(u64) -> u64) -> bool {
        let calls = self.calls.entry(user).or_default();
        let after = to(*calls);
        if after > *calls {
            *calls = after;
            self.rank((Reverse(after), user));
            return true;
        }
        false
    }

    fn rank(&mut self, rank: Rank) {
        if self.best.len() == MAX_TOP && self.best.last().is_some_and(|last| *last < rank) {
            return;
        }
        self.best.retain(|(_, user)| *user != rank.1);
        self.best.insert(self.best.partition_point(|better| *better < rank), rank);
        self.best.truncate(MAX_TOP);
    }

    /// How many users have called.
    pub(crate) fn users(&self) -> u64 {
        self.calls.len() as u64
    }

    /// Those with the most calls, most first, ties by lower number; [`MAX_TOP`] at most.
    pub(crate) fn top(&self) -> impl Iterator<Item = Caller> {
        self.best.iter().map(|&(Reverse(calls), user)| Caller { user, calls })
    }
}
