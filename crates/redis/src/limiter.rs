//! `RateLimiter` on Redis: the rule of `tollbar_core::domain::ExactLog`, to the microsecond, as one script.

use std::collections::HashSet;

use async_trait::async_trait;
use fred::{bytes::Bytes, types::Value};
use tollbar_core::{
    StoreError,
    domain::{Decision, Policy, Subject},
    ports::{RateLimiter, WhichLimits},
};

use crate::{
    arguments::Arguments,
    engine::Sending::{Once, Repeatable},
    keys::Partition,
    live::RedisLive,
    policy_codec::{pack, split_time, tags, unpack},
    reply::{Misshapen, bytes, items, number},
    scripts::{DECIDE, PEEK, RESET},
};

const DECIDE_CALL: &str = "decide a call";
const PEEK_LIMIT: &str = "peek at a limit";
const RESET_LIMITS: &str = "reset limits";
const FIND_PATHS: &str = "find the limits of single paths";

/// How many keys a server looks at for one question.
const AT_ONCE: u64 = 1_000;

#[async_trait]
impl RateLimiter for RedisLive {
    async fn decide(&self, policy: &Policy, subject: Subject) -> Result<Decision, StoreError> {
        let arguments = self.limit_arguments(policy, subject);
        let answer = self
            .shared
            .engine
            .run(self.shared.keys.partition(subject), DECIDE_CALL, Once, &DECIDE, arguments)
            .await?;
        decision(&answer, policy).map_err(Misshapen::of(DECIDE_CALL))
    }

    async fn peek(&self, policy: &Policy, subject: Subject) -> Result<Decision, StoreError> {
        let arguments = self.limit_arguments(policy, subject);
        let answer = self
            .shared
            .engine
            .run(self.shared.keys.partition(subject), PEEK_LIMIT, Repeatable, &PEEK, arguments)
            .await?;
        decision(&answer, policy).map_err(Misshapen::of(PEEK_LIMIT))
    }

    async fn reset(&self, subject: Subject, which: &WhichLimits) -> Result<u64, StoreError> {
        let at = self.shared.keys.partition(subject);
        let mut reset = self.reset_record(at, self.shared.keys.of_subject(subject), which).await?;
        if which.paths {
            for key in self.paths_of(at, subject).await? {
                reset += self.reset_record(at, key, which).await?;
            }
        }
        Ok(reset)
    }
}

impl RedisLive {
    fn limit_arguments(&self, policy: &Policy, subject: Subject) -> Arguments {
        let mut packed = Vec::new();
        pack(policy, &mut packed);
        self.timed([self.shared.keys.limits(subject, policy)]).bytes(packed)
    }
}

impl RedisLive {
    async fn reset_record(&self, at: Partition, key: Bytes, which: &WhichLimits) -> Result<u64, StoreError> {
        let mut arguments = self.timed([key]);
        for tag in which.policy.iter().flat_map(tags) {
            arguments = arguments.bytes(tag);
        }
        // Once: a copy that is executed late would forget what was charged since.
        let answer = self.shared.engine.run(at, RESET_LIMITS, Once, &RESET, arguments).await?;
        number(&answer).map_err(Misshapen::of(RESET_LIMITS))
    }

    /// The keys of a subject's limits of single paths. Nobody keeps a list of them, so the server that has the partition is asked for all of
    /// its keys, so many at a time that no call waits for it for long.
    async fn paths_of(&self, at: Partition, subject: Subject) -> Result<HashSet<Bytes>, StoreError> {
        let pattern = self.shared.keys.pattern_of_paths(subject);
        let (mut cursor, mut found) = (Bytes::from_static(b"0"), HashSet::new());
        loop {
            let arguments = Arguments::default().bytes(cursor).word("MATCH").bytes(pattern.clone());
            let arguments = arguments.word("COUNT").number(AT_ONCE);
            let answer = self.shared.engine.command(at, FIND_PATHS, Repeatable, "SCAN", arguments).await?;
            let (next, keys) = scanned(answer).map_err(Misshapen::of(FIND_PATHS))?;
            found.extend(keys);
            if next == b"0"[..] {
                return Ok(found);
            }
            cursor = next;
        }
    }
}

/// The cursor to go on with, and the keys.
fn scanned(answer: Value) -> Result<(Bytes, Vec<Bytes>), Misshapen> {
    let Ok([next, keys]) = <[Value; 2]>::try_from(items(answer)?) else { return Err(Misshapen) };
    let owned = |value: &Value| bytes(value).map(Bytes::copy_from_slice);
    Ok((owned(&next)?, items(keys)?.iter().map(owned).collect::<Result<_, _>>()?))
}

fn decision(answer: &Value, policy: &Policy) -> Result<Decision, Misshapen> {
    let (at, states) = split_time(bytes(answer)?)?;
    unpack(at, states, policy)
}
