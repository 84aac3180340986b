//! `CallTracker` in memory: exact, from the boards.

use std::{cmp::Reverse, sync::atomic::Ordering};

use async_trait::async_trait;
use tollbar_core::{
    StoreError,
    domain::{ApiName, Caller, EpochId, UserId},
    ports::{CallTracker, MAX_TOP, RaiseId},
};

use crate::live::MemoryLive;

#[async_trait]
impl CallTracker for MemoryLive {
    async fn record(&self, api: &ApiName, user: UserId, _: EpochId) -> Result<(), StoreError> {
        self.boards.record(api, user);
        Ok(())
    }

    async fn top(&self, api: &ApiName, limit: usize) -> Result<Vec<Caller>, StoreError> {
        let Some(board) = self.boards.known(api) else { return Ok(Vec::new()) };
        let mut callers = Vec::new();
        for part in board.each() {
            callers.extend(part.top());
        }
        callers.sort_unstable_by_key(|caller| (Reverse(caller.calls), caller.user));
        callers.truncate(limit.min(MAX_TOP));
        Ok(callers)
    }

    async fn distinct(&self, api: &ApiName) -> Result<u64, StoreError> {
        let Some(board) = self.boards.known(api) else { return Ok(0) };
        Ok(board.each().map(|part| part.users()).sum())
    }

    async fn raise(&self, api: &ApiName, totals: &[Caller]) -> Result<bool, StoreError> {
        let board = self.boards.of(api);
        let mut was_behind = false;
        for caller in totals.iter().filter(|caller| caller.calls > 0) {
            was_behind |= board.of(caller.user).raise(caller.user, |calls| calls.max(caller.calls));
        }
        Ok(was_behind)
    }

    async fn is_whole(&self) -> Result<bool, StoreError> {
        Ok(self.is_whole.load(Ordering::Relaxed))
    }

    async fn begin_raise(&self, _: RaiseId) -> Result<bool, StoreError> {
        // Nobody else has these counts, and nothing of them is lost before all of it.
        Ok(true)
    }

    async fn end_raise(&self, _: RaiseId) -> Result<bool, StoreError> {
        self.is_whole.store(true, Ordering::Relaxed);
        Ok(true)
    }
}
