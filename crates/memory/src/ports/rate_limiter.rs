//! `RateLimiter` in memory.

use async_trait::async_trait;
use tollbar_core::{
    StoreError,
    domain::{Decision, Policy, UserId},
    ports::RateLimiter,
};

use crate::{limits::UserLimits, live::MemoryLive};

#[async_trait]
impl RateLimiter for MemoryLive {
    async fn decide(&self, policy: &Policy, user: UserId) -> Result<Decision, StoreError> {
        let mut limits = self.limits.of(user);
        // Under the lock, so that times of one user do not fall.
        let now = self.clock.now();
        Ok(limits.change(user, now).decide(policy, now))
    }

    async fn peek(&self, policy: &Policy, user: UserId) -> Result<Decision, StoreError> {
        let limits = self.limits.of(user);
        let now = self.clock.now();
        Ok(match limits.get(user) {
            Some(known) => known.peek(policy, now),
            None => UserLimits::default().peek(policy, now),
        })
    }
}
