//! `CallTracker` in memory: an exact board of each API.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, HashMap},
    sync::{Arc, PoisonError},
};

use async_trait::async_trait;
use tollbar_core::{
    StoreError,
    domain::{ApiName, Caller, UserId},
    ports::CallTracker,
};

use crate::{live::MemoryLive, shards::Shards};

/// The calls of one API.
pub(crate) type Board = Shards<Part>;

/// The calls of a part of the users.
#[derive(Debug, Default)]
pub(crate) struct Part {
    calls: HashMap<UserId, u64>,
    /// The same, most calls first, ties by lower number: the top is its beginning.
    order: BTreeSet<(Reverse<u64>, UserId)>,
}

impl Part {
    fn raise(&mut self, user: UserId, to: impl FnOnce(u64) -> u64) {
        let calls = self.calls.entry(user).or_default();
        let (before, after) = (*calls, to(*calls));
        if after > before {
            *calls = after;
            self.order.remove(&(Reverse(before), user));
            self.order.insert((Reverse(after), user));
        }
    }

    fn top(&self, limit: usize) -> impl Iterator<Item = Caller> {
        self.order.iter().take(limit).map(|&(Reverse(calls), user)| Caller { user, calls })
    }
}

#[async_trait]
impl CallTracker for MemoryLive {
    async fn record(&self, api: &ApiName, user: UserId) -> Result<(), StoreError> {
        self.board(api).of(user).raise(user, |calls| calls.saturating_add(1));
        Ok(())
    }

    async fn top(&self, api: &ApiName, limit: usize) -> Result<Vec<Caller>, StoreError> {
        let Some(board) = self.known_board(api) else { return Ok(Vec::new()) };
        let mut callers = Vec::new();
        for part in board.each() {
            callers.extend(part.top(limit));
        }
        callers.sort_unstable_by_key(|caller| (Reverse(caller.calls), caller.user));
        callers.truncate(limit);
        Ok(callers)
    }

    async fn distinct(&self, api: &ApiName) -> Result<u64, StoreError> {
        let Some(board) = self.known_board(api) else { return Ok(0) };
        Ok(board.each().map(|part| part.calls.len() as u64).sum())
    }

    async fn raise(&self, api: &ApiName, totals: &[Caller]) -> Result<(), StoreError> {
        let board = self.board(api);
        for caller in totals.iter().filter(|caller| caller.calls > 0) {
            board.of(caller.user).raise(caller.user, |calls| calls.max(caller.calls));
        }
        Ok(())
    }
}

impl MemoryLive {
    fn known_board(&self, api: &ApiName) -> Option<Arc<Board>> {
        self.boards.read().unwrap_or_else(PoisonError::into_inner).get(api).cloned()
    }

    /// The board of an API; APIs come from the policies, so they are few and stay.
    fn board(&self, api: &ApiName) -> Arc<Board> {
        self.known_board(api).unwrap_or_else(|| {
            let mut boards = self.boards.write().unwrap_or_else(PoisonError::into_inner);
            boards.entry(api.clone()).or_default().clone()
        })
    }
}
