//! `RateLimiter` on Redis: the rule of `tollbar_core::domain::ExactLog`, to the microsecond, as one script.

use async_trait::async_trait;
use fred::types::Value;
use tollbar_core::{
    StoreError,
    domain::{Decision, Policy, Subject},
    ports::RateLimiter,
};

use crate::{
    arguments::Arguments,
    engine::Sending::{Once, Repeatable},
    live::RedisLive,
    policy_codec::{pack, split_time, unpack},
    reply::{Misshapen, bytes},
    scripts::{DECIDE, PEEK},
};

const DECIDE_CALL: &str = "decide a call";
const PEEK_LIMIT: &str = "peek at a limit";

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
}

impl RedisLive {
    fn limit_arguments(&self, policy: &Policy, subject: Subject) -> Arguments {
        let mut packed = Vec::new();
        pack(policy, &mut packed);
        self.timed([self.shared.keys.limits(subject, policy)]).bytes(packed)
    }
}

fn decision(answer: &Value, policy: &Policy) -> Result<Decision, Misshapen> {
    let (at, states) = split_time(bytes(answer)?)?;
    unpack(at, states, policy)
}
