//! `PendingCalls` on Redis: what the scripts that count note of each call, as one string for each epoch and partition.

use std::{collections::HashMap, time::Duration};

use async_trait::async_trait;
use fred::types::Value;
use tollbar_core::{
    StoreError,
    domain::{ApiName, EpochId, Incarnation, Tally, UserId},
    ports::PendingCalls,
};

use crate::{
    arguments::Arguments,
    engine::Sending::Repeatable,
    live::RedisLive,
    reply::{Misshapen, bytes, number},
    tracker::each,
};

/// How long a fence stands: longer than a call can be on its way, or a process hang.
const FENCE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

#[async_trait]
impl PendingCalls for RedisLive {
    async fn beat(&self, incarnation: Incarnation, ttl: Duration) -> Result<(), StoreError> {
        let arguments = Arguments::default().keys([self.shared.keys.beat(incarnation)]).word("1").word("PX");
        let arguments = arguments.number(milliseconds(ttl));
        self.shared
            .engine
            .command(
                self.shared.keys.partition_of_beats(),
                "say that a process lives",
                Repeatable,
                "SET",
                arguments,
            )
            .await
            .map(drop)
    }

    async fn beats(&self, incarnation: Incarnation) -> Result<bool, StoreError> {
        const OPERATION: &str = "ask whether a process lives";
        let arguments = Arguments::default().keys([self.shared.keys.beat(incarnation)]);
        let answer = self
            .shared
            .engine
            .command(self.shared.keys.partition_of_beats(), OPERATION, Repeatable, "EXISTS", arguments)
            .await?;
        Ok(number(&answer).map_err(Misshapen::of(OPERATION))? == 1)
    }

    async fn fence(&self, incarnation: Incarnation) -> Result<(), StoreError> {
        let partitions = self.shared.keys.partitions().map(async |at| {
            let arguments = Arguments::default().keys([self.shared.keys.fence(incarnation, at)]);
            let arguments = arguments.word("1").word("PX").number(milliseconds(FENCE));
            self.shared.engine.command(at, "fence a process", Repeatable, "SET", arguments).await
        });
        each(partitions).await.map(drop)
    }

    async fn pending(&self, id: EpochId) -> Result<Vec<Tally>, StoreError> {
        const OPERATION: &str = "read pending calls";
        let partitions = self.shared.keys.partitions().map(async |at| {
            let arguments = Arguments::default().keys([self.shared.keys.pending(id, at)]);
            self.shared.engine.command(at, OPERATION, Repeatable, "GET", arguments).await
        });
        let mut sums = HashMap::new();
        for noted in each(partitions).await? {
            add(&noted, &mut sums).map_err(Misshapen::of(OPERATION))?;
        }
        let tally = |((api, user), calls)| Tally { api, user, calls };
        Ok(sums.into_iter().map(tally).collect())
    }

    async fn settle(&self, id: EpochId) -> Result<(), StoreError> {
        let partitions = self.shared.keys.partitions().map(async |at| {
            let arguments = Arguments::default().keys([self.shared.keys.pending(id, at)]);
            self.shared.engine.command(at, "forget pending calls", Repeatable, "UNLINK", arguments).await
        });
        each(partitions).await.map(drop)
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX).max(1)
}

/// What is noted in front of calls: how many places 1, for each: length of its name 1 | name.
pub(crate) fn header<'a>(places: impl ExactSizeIterator<Item = &'a ApiName>) -> Vec<u8> {
    let small = |length| u8::try_from(length).expect("a name has 64 bytes at most, and a batch 128 places");
    let mut header = vec![small(places.len())];
    for api in places {
        header.push(small(api.as_str().len()));
        header.extend_from_slice(api.as_str().as_bytes());
    }
    header
}

/// Adds up what was noted.
fn add(noted: &Value, sums: &mut HashMap<(ApiName, UserId), u64>) -> Result<(), Misshapen> {
    if noted.is_null() {
        return Ok(());
    }
    let mut rest = bytes(noted)?;
    while !rest.is_empty() {
        let mut places = Vec::new();
        for _ in 0..take(&mut rest, 1)?[0] {
            let length = usize::from(take(&mut rest, 1)?[0]);
            let name = std::str::from_utf8(take(&mut rest, length)?).map_err(|_| Misshapen)?;
            places.push(ApiName::new(name).map_err(|_| Misshapen)?);
        }
        let calls = take(&mut rest, 2)?;
        for _ in 0..u16::from_be_bytes([calls[0], calls[1]]) {
            let (place, user) = take(&mut rest, 9)?.split_first().ok_or(Misshapen)?;
            let api = usize::from(*place).checked_sub(1).and_then(|at| places.get(at)).ok_or(Misshapen)?;
            let user = u64::from_be_bytes(user.try_into().map_err(|_| Misshapen)?);
            *sums.entry((api.clone(), UserId::new(user).map_err(|_| Misshapen)?)).or_default() += 1;
        }
    }
    Ok(())
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8], Misshapen> {
    let (taken, others) = rest.split_at_checked(length).ok_or(Misshapen)?;
    *rest = others;
    Ok(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_noted_is_read_back_and_what_is_cut_off_is_refused() {
        let [ping, orders] = ["ping", "orders"].map(|name| ApiName::new(name).unwrap());
        let call = |place: u8, user: u64| [&[place][..], &user.to_be_bytes()].concat();
        let first = [header([&ping].into_iter()), vec![0, 1], call(1, 7)].concat();
        let second = header([&orders, &ping].into_iter());
        let second = [second, vec![0, 3], call(1, 7), call(2, 7), call(2, 1 << 40)].concat();
        let read = |noted: &[u8]| {
            let mut sums = HashMap::new();
            add(&Value::Bytes(noted.to_vec().into()), &mut sums).map(|()| sums)
        };
        let user = |id| UserId::new(id).unwrap();
        let expected = [((ping.clone(), user(7)), 2), ((orders, user(7)), 1), ((ping, user(1 << 40)), 1)];
        assert_eq!(read(&[&first[..], &second].concat()), Ok(HashMap::from(expected)));
        assert_eq!(read(b""), Ok(HashMap::new()));
        for length in 1..second.len() {
            assert!(read(&second[..length]).is_err(), "cut to {length}");
        }
        assert!(read(&[1, 1, b'a', 0, 1, 2, 0, 0, 0, 0, 0, 0, 0, 7]).is_err(), "a place that was not named");
    }
}
