//! `CallTracker` on Redis: totals, a board and a sketch in each partition; the answers are put together from all of them.

use std::{cmp::Reverse, collections::BTreeMap};

use async_trait::async_trait;
use fred::types::Value;
use futures_util::{
    TryStreamExt as _,
    stream::{self, StreamExt as _},
};
use tollbar_core::{
    StoreError,
    domain::{ApiName, Caller, UserId},
    ports::{CallTracker, MAX_TOP},
};

use crate::{
    arguments::Arguments,
    engine::Sending::{Once, Repeatable},
    keys::{Count, Partition},
    live::RedisLive,
    reply::{Misshapen, bytes, number},
    scripts::{RAISE, RECORD},
};

const COUNT_CALL: &str = "count a call";
const READ_TOP: &str = "read the leaderboard";
const READ_DISTINCT: &str = "count the distinct callers";
const RAISE_BOARD: &str = "raise the leaderboard";

/// How many totals one script takes: little enough that others need not wait long.
const CHUNK: usize = 250;

/// How many partitions are asked at once.
const ABREAST: usize = 32;

#[async_trait]
impl CallTracker for RedisLive {
    async fn record(&self, api: &ApiName, user: UserId) -> Result<(), StoreError> {
        let at = self.shared.keys.partition(user);
        let arguments =
            Arguments::of_keys(self.shared.keys.counts(api, at)).bytes(user.get().to_be_bytes().to_vec());
        self.shared.engine.run(COUNT_CALL, Once, &RECORD, arguments).await.map(drop)
    }

    async fn top(&self, api: &ApiName, limit: usize) -> Result<Vec<Caller>, StoreError> {
        let partitions = self.shared.keys.partitions().map(|at| self.top_of(api, at));
        let mut callers = self.shared.engine.together(READ_TOP, each(partitions)).await?.concat();
        callers.sort_unstable_by_key(|caller| (Reverse(caller.calls), caller.user));
        callers.truncate(limit.min(MAX_TOP));
        Ok(callers)
    }

    async fn distinct(&self, api: &ApiName) -> Result<u64, StoreError> {
        // No user is in two partitions.
        let partitions = self.shared.keys.partitions().map(|at| self.distinct_of(api, at));
        Ok(self.shared.engine.together(READ_DISTINCT, each(partitions)).await?.into_iter().sum())
    }

    async fn raise(&self, api: &ApiName, totals: &[Caller]) -> Result<bool, StoreError> {
        let mut divided = BTreeMap::<_, Vec<_>>::new();
        for caller in totals.iter().filter(|caller| caller.calls > 0) {
            divided.entry(self.shared.keys.partition(caller.user)).or_default().push(*caller);
        }
        let partitions = divided.into_iter().map(|(at, totals)| self.raise_in(api, at, totals));
        Ok(each(partitions).await?.contains(&true))
    }
}

impl RedisLive {
    async fn top_of(&self, api: &ApiName, at: Partition) -> Result<Vec<Caller>, StoreError> {
        let arguments = Arguments::default().keys([self.shared.keys.count(Count::Board, api, at)]);
        let answer = self.shared.engine.command(READ_TOP, Repeatable, "GET", arguments).await?;
        board(&answer).map_err(Misshapen::of(READ_TOP))
    }

    async fn distinct_of(&self, api: &ApiName, at: Partition) -> Result<u64, StoreError> {
        let arguments = Arguments::default().keys([self.shared.keys.count(Count::Sketch, api, at)]);
        let answer = self.shared.engine.command(READ_DISTINCT, Repeatable, "PFCOUNT", arguments).await?;
        number(&answer).map_err(Misshapen::of(READ_DISTINCT))
    }

    async fn raise_in(&self, api: &ApiName, at: Partition, totals: Vec<Caller>) -> Result<bool, StoreError> {
        let mut was_behind = false;
        for chunk in totals.chunks(CHUNK) {
            let packed: Vec<u8> = chunk.iter().flat_map(pack).collect();
            let arguments = Arguments::of_keys(self.shared.keys.counts(api, at)).bytes(packed);
            let answer = self.shared.engine.run(RAISE_BOARD, Repeatable, &RAISE, arguments).await?;
            was_behind |= number(&answer).map_err(Misshapen::of(RAISE_BOARD))? == 1;
        }
        Ok(was_behind)
    }
}

/// The answers of all partitions.
async fn each<T>(
    partitions: impl Iterator<Item = impl Future<Output = Result<T, StoreError>>>,
) -> Result<Vec<T>, StoreError> {
    stream::iter(partitions).buffered(ABREAST).try_collect().await
}

/// A caller on a board, or in a raise: calls 7 | user 8.
const CALLER: usize = 7 + 8;

fn pack(caller: &Caller) -> Vec<u8> {
    [&caller.calls.to_be_bytes()[1..], &caller.user.get().to_be_bytes()].concat()
}

/// The callers on a board. What is no caller was not written by us.
fn board(answer: &Value) -> Result<Vec<Caller>, Misshapen> {
    if answer.is_null() {
        return Ok(Vec::new());
    }
    let (callers, _) = bytes(answer)?.as_chunks::<CALLER>();
    Ok(callers.iter().filter_map(unpack).collect())
}

fn unpack(caller: &[u8; CALLER]) -> Option<Caller> {
    let (calls, user) = caller.split_first_chunk::<7>()?;
    let number = |bytes: &[u8]| bytes.iter().fold(0, |sum, byte| (sum << 8) | u64::from(*byte));
    Some(Caller { user: UserId::new(number(user)).ok()?, calls: number(calls) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_board_comes_back_without_what_is_no_caller() {
        let callers = [(1, 1 << 50), (i64::MAX as u64, 1)]
            .map(|(id, calls)| Caller { user: UserId::new(id).unwrap(), calls });
        let mut packed = callers.each_ref().map(pack).concat();
        packed.extend([0; CALLER]);
        packed.extend(b"cut off");
        assert_eq!(board(&Value::Bytes(packed.into())), Ok(callers.to_vec()));
        assert_eq!(board(&Value::Null), Ok(vec![]));
        assert_eq!(board(&Value::Integer(3)), Err(Misshapen));
    }
}
