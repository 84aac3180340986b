//! `CallTracker` on Redis: totals, a board and a sketch in each partition; the answers are put together from all of them.

use std::{cmp::Reverse, collections::BTreeMap, time::Duration};

use async_trait::async_trait;
use fred::types::Value;
use futures_util::{
    TryStreamExt as _,
    stream::{self, StreamExt as _},
};
use tollbar_core::{
    StoreError,
    domain::{ApiName, Caller, EpochId, UserId},
    ports::{CallTracker, MAX_TOP, RaiseId},
};

use crate::{
    arguments::Arguments,
    engine::Sending::{Once, Repeatable},
    keys::{Count, Partition},
    live::RedisLive,
    pending,
    reply::{Misshapen, bytes, number},
    scripts::{BEGIN_RAISE, END_RAISE, IS_WHOLE, RAISE, RECORD, Script},
};

const COUNT_CALL: &str = "count a call";
const READ_TOP: &str = "read the leaderboard";
const READ_DISTINCT: &str = "count the distinct callers";
const RAISE_BOARD: &str = "raise the leaderboard";

/// How many totals one script takes: little enough that others need not wait long.
const CHUNK: usize = 250;

/// How long a process that raises all counts is waited for: one that was killed meanwhile is followed by another.
const RAISE_PATIENCE: Duration = Duration::from_secs(30);

/// How many partitions are asked at once.
const ABREAST: usize = 32;

#[async_trait]
impl CallTracker for RedisLive {
    async fn record(&self, api: &ApiName, user: UserId, epoch: EpochId) -> Result<(), StoreError> {
        let keys = &self.shared.keys;
        let at = keys.partition(user);
        let [calls, board, sketch] = keys.counts(api, at);
        let (noted, fence) = (keys.pending(epoch, at), keys.fence(epoch.incarnation, at));
        let arguments = self
            .timed([calls, board, sketch, noted, fence])
            .bytes(user.get().to_be_bytes().to_vec())
            .bytes(pending::header(std::iter::once(api)));
        self.shared.engine.run(at, COUNT_CALL, Once, &RECORD, arguments).await.map(drop)
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

    async fn is_whole(&self) -> Result<bool, StoreError> {
        let partitions = self.shared.keys.partitions().map(async |at| {
            let arguments = Arguments::of_keys([self.shared.keys.mark(at)]);
            self.says_yes(at, "look whether the counts are whole", &IS_WHOLE, arguments).await
        });
        Ok(each(partitions).await?.into_iter().all(|whole| whole))
    }

    async fn begin_raise(&self, RaiseId(raise): RaiseId) -> Result<bool, StoreError> {
        for at in self.shared.keys.partitions() {
            // Who holds the first partition has the turn.
            let patience = if at.index() == 0 { RAISE_PATIENCE } else { Duration::ZERO };
            let patience = u64::try_from(patience.as_micros()).unwrap_or(u64::MAX);
            let arguments = self.timed([self.shared.keys.mark(at)]);
            let arguments = arguments.bytes(raise.to_be_bytes().to_vec()).number(patience);
            // Once: executed late, it would take away a mark that whoever raises now has set since, or keep others out for nothing.
            let begun = self.shared.engine.run(at, RAISE_BOARD, Once, &BEGIN_RAISE, arguments).await?;
            if number(&begun).map_err(Misshapen::of(RAISE_BOARD))? != 1 {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn end_raise(&self, RaiseId(raise): RaiseId) -> Result<bool, StoreError> {
        let partitions = self.shared.keys.partitions().map(async |at| {
            let arguments = Arguments::of_keys([self.shared.keys.mark(at)]);
            self.says_yes(at, RAISE_BOARD, &END_RAISE, arguments.bytes(raise.to_be_bytes().to_vec())).await
        });
        Ok(each(partitions).await?.into_iter().all(|whole| whole))
    }
}

impl RedisLive {
    /// Runs a script that may be repeated and answers 1 or 0.
    pub(crate) async fn says_yes(
        &self,
        at: Partition,
        operation: &'static str,
        script: &Script,
        arguments: Arguments,
    ) -> Result<bool, StoreError> {
        let answer = self.shared.engine.run(at, operation, Repeatable, script, arguments).await?;
        Ok(number(&answer).map_err(Misshapen::of(operation))? == 1)
    }

    async fn top_of(&self, api: &ApiName, at: Partition) -> Result<Vec<Caller>, StoreError> {
        let arguments = Arguments::default().keys([self.shared.keys.count(Count::Board, api, at)]);
        let answer = self.shared.engine.command(at, READ_TOP, Repeatable, "GET", arguments).await?;
        board(&answer).map_err(Misshapen::of(READ_TOP))
    }

    async fn distinct_of(&self, api: &ApiName, at: Partition) -> Result<u64, StoreError> {
        let arguments = Arguments::default().keys([self.shared.keys.count(Count::Sketch, api, at)]);
        let answer = self.shared.engine.command(at, READ_DISTINCT, Repeatable, "PFCOUNT", arguments).await?;
        number(&answer).map_err(Misshapen::of(READ_DISTINCT))
    }

    async fn raise_in(&self, api: &ApiName, at: Partition, totals: Vec<Caller>) -> Result<bool, StoreError> {
        let mut was_behind = false;
        for chunk in totals.chunks(CHUNK) {
            let packed: Vec<u8> = chunk.iter().flat_map(pack).collect();
            let arguments = Arguments::of_keys(self.shared.keys.counts(api, at)).bytes(packed);
            was_behind |= self.says_yes(at, RAISE_BOARD, &RAISE, arguments).await?;
        }
        Ok(was_behind)
    }
}

/// The answers of all partitions.
pub(crate) async fn each<T>(
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
