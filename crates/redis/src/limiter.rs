//! `RateLimiter` on Redis: the rule of `tollbar_core::domain::ExactLog`, to the microsecond, as one script.

use std::time::Duration;

use async_trait::async_trait;
use fred::types::Value;
use tollbar_core::{
    StoreError,
    domain::{Decision, Policy, UserId, Window, WindowState},
    ports::RateLimiter,
};

use crate::{
    arguments::Arguments,
    engine::Sending::{Once, Repeatable},
    live::RedisLive,
    reply::{Misshapen, items, number, time},
    scripts::{DECIDE, PEEK},
};

const DECIDE_CALL: &str = "decide a call";
const PEEK_LIMIT: &str = "peek at a limit";

#[async_trait]
impl RateLimiter for RedisLive {
    async fn decide(&self, policy: &Policy, user: UserId) -> Result<Decision, StoreError> {
        let arguments = self.limit_arguments(policy, user);
        let answer = self.shared.engine.run(DECIDE_CALL, Once, &DECIDE, arguments).await?;
        decision(answer, policy).map_err(Misshapen::of(DECIDE_CALL))
    }

    async fn peek(&self, policy: &Policy, user: UserId) -> Result<Decision, StoreError> {
        let arguments = self.limit_arguments(policy, user);
        let answer = self.shared.engine.run(PEEK_LIMIT, Repeatable, &PEEK, arguments).await?;
        decision(answer, policy).map_err(Misshapen::of(PEEK_LIMIT))
    }
}

impl RedisLive {
    fn limit_arguments(&self, policy: &Policy, user: UserId) -> Arguments {
        let arguments = self.timed([self.shared.keys.log(policy.name(), user)]).number(policy.cost().into());
        policy.windows().iter().fold(arguments, |arguments, window| {
            arguments.number(window.quota().into()).number(window.period_micros())
        })
    }
}

/// The answer: now, then units held, reset and wait of each window.
fn decision(answer: Value, policy: &Policy) -> Result<Decision, Misshapen> {
    let answer = items(answer)?;
    let (now, states) = answer.split_first().ok_or(Misshapen)?;
    let (states, []) = states.as_chunks::<3>() else { return Err(Misshapen) };
    if states.len() != policy.windows().len() {
        return Err(Misshapen);
    }
    let windows = policy.windows().iter().zip(states).map(|(window, state)| window_state(window, state));
    Ok(Decision { at: time(now)?, windows: windows.collect::<Result<_, _>>()? })
}

fn window_state(window: &Window, [held, reset, wait]: &[Value; 3]) -> Result<WindowState, Misshapen> {
    let held = u32::try_from(number(held)?).unwrap_or(u32::MAX);
    Ok(WindowState {
        window: *window,
        remaining: window.quota().saturating_sub(held),
        reset_after: Duration::from_micros(number(reset)?),
        retry_after: Duration::from_micros(number(wait)?),
    })
}
