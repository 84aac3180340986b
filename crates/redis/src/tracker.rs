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
    keys::Partition,
    live::RedisLive,
    reply::{Misshapen, bytes, items, number},
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
            Arguments::of_keys(self.shared.keys.place(api, at).keys()).bytes(member(user).to_vec());
        self.shared.engine.run(COUNT_CALL, Once, &RECORD, arguments).await.map(drop)
    }

    async fn top(&self, api: &ApiName, limit: usize) -> Result<Vec<Caller>, StoreError> {
        let limit = limit.min(MAX_TOP);
        let Some(last) = limit.checked_sub(1) else { return Ok(Vec::new()) };
        let partitions = self.shared.keys.partitions().map(|at| self.top_of(api, at, last as u64));
        let mut callers = self.shared.engine.together(READ_TOP, each(partitions)).await?.concat();
        callers.sort_unstable_by_key(|caller| (Reverse(caller.calls), caller.user));
        callers.truncate(limit);
        Ok(callers)
    }

    async fn distinct(&self, api: &ApiName) -> Result<u64, StoreError> {
        // No user is in two partitions.
        let partitions = self.shared.keys.partitions().map(|at| self.distinct_of(api, at));
        Ok(self.shared.engine.together(READ_DISTINCT, each(partitions)).await?.into_iter().sum())
    }

    async fn raise(&self, api: &ApiName, totals: &[Caller]) -> Result<(), StoreError> {
        let mut divided = BTreeMap::<_, Vec<_>>::new();
        for caller in totals.iter().filter(|caller| caller.calls > 0) {
            divided.entry(self.shared.keys.partition(caller.user)).or_default().push(*caller);
        }
        let partitions = divided.into_iter().map(|(at, totals)| self.raise_in(api, at, totals));
        each(partitions).await.map(drop)
    }
}

impl RedisLive {
    async fn top_of(&self, api: &ApiName, at: Partition, last: u64) -> Result<Vec<Caller>, StoreError> {
        let board = self.shared.keys.place(api, at).board;
        let arguments = Arguments::default().words([board]).number(0).number(last).word("WITHSCORES");
        let answer = self.shared.engine.command(READ_TOP, Repeatable, "ZREVRANGE", arguments).await?;
        callers(answer).map_err(Misshapen::of(READ_TOP))
    }

    async fn distinct_of(&self, api: &ApiName, at: Partition) -> Result<u64, StoreError> {
        let arguments = Arguments::default().words([self.shared.keys.place(api, at).sketch]);
        let answer = self.shared.engine.command(READ_DISTINCT, Repeatable, "PFCOUNT", arguments).await?;
        number(&answer).map_err(Misshapen::of(READ_DISTINCT))
    }

    async fn raise_in(&self, api: &ApiName, at: Partition, totals: Vec<Caller>) -> Result<(), StoreError> {
        for chunk in totals.chunks(CHUNK) {
            let packed: Vec<u8> = chunk.iter().flat_map(total).collect();
            let arguments = Arguments::of_keys(self.shared.keys.place(api, at).keys()).bytes(packed);
            self.shared.engine.run(RAISE_BOARD, Repeatable, &RAISE, arguments).await?;
        }
        Ok(())
    }
}

/// The answers of all partitions.
async fn each<T>(
    partitions: impl Iterator<Item = impl Future<Output = Result<T, StoreError>>>,
) -> Result<Vec<T>, StoreError> {
    stream::iter(partitions).buffered(ABREAST).try_collect().await
}

/// A user on a board: the complement of the number, so that of equal scores the lower number is the later member, which
/// is what a reversed range gives first.
pub(crate) fn member(user: UserId) -> [u8; 8] {
    (!user.get()).to_be_bytes()
}

/// A total for a raise: calls 7 | member 8.
fn total(caller: &Caller) -> Vec<u8> {
    [&caller.calls.to_be_bytes()[1..], &member(caller.user)].concat()
}

fn callers(answer: Value) -> Result<Vec<Caller>, Misshapen> {
    let answer = items(answer)?;
    let (pairs, []) = answer.as_chunks::<2>() else { return Err(Misshapen) };
    // A member that is no user was not written by us.
    Ok(pairs.iter().filter_map(|[member, calls]| caller(member, calls).ok()).collect())
}

fn caller(member: &Value, calls: &Value) -> Result<Caller, Misshapen> {
    let member = bytes(member)?.try_into().map_err(|_| Misshapen)?;
    let user = UserId::new(!u64::from_be_bytes(member)).map_err(|_| Misshapen)?;
    Ok(Caller { user, calls: score(calls)? })
}

/// A score, which an engine may spell with an exponent.
fn score(calls: &Value) -> Result<u64, Misshapen> {
    if let Ok(calls) = number(calls) {
        return Ok(calls);
    }
    let score: f64 = calls.as_str().and_then(|text| text.parse().ok()).ok_or(Misshapen)?;
    format!("{score:.0}").parse().map_err(|_| Misshapen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lower_number_is_the_later_member() {
        let [one, two, last] = [1, 2, i64::MAX as u64].map(|id| member(UserId::new(id).unwrap()));
        assert!(one > two && two > last);
        let read = caller(&Value::Bytes(two.to_vec().into()), &Value::from("7")).unwrap();
        assert_eq!(read, Caller { user: UserId::new(2).unwrap(), calls: 7 });
    }

    #[test]
    fn reads_every_spelling_of_a_score() {
        for (spelt, calls) in [("4", 4), ("1e+8", 100_000_000), ("1.5e+3", 1500), ("0", 0)] {
            assert_eq!(score(&Value::from(spelt)), Ok(calls));
        }
        for spelt in ["-1", "nan", "inf", "x"] {
            assert_eq!(score(&Value::from(spelt)), Err(Misshapen), "{spelt}");
        }
    }
}
