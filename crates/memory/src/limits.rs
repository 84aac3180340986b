//! `RateLimiter` in memory: an exact log for each policy's name and user.

use async_trait::async_trait;
use tollbar_core::{
    StoreError,
    domain::{Decision, ExactLog, Policy, PolicyName, Timestamp, UserId},
    ports::RateLimiter,
};

use crate::{live::MemoryLive, swept::Spent};

/// A user's logs; they are few, since policies are.
#[derive(Debug, Default)]
pub(crate) struct UserLimits(Vec<(PolicyName, ExactLog)>);

impl Spent for UserLimits {
    fn is_spent(&self, now: Timestamp) -> bool {
        self.0.iter().all(|(_, log)| log.is_spent(now))
    }
}

impl UserLimits {
    fn find(&self, policy: &PolicyName) -> Option<&ExactLog> {
        self.0.iter().find(|(name, _)| name == policy).map(|(_, log)| log)
    }

    fn log(&mut self, policy: &PolicyName, now: Timestamp) -> &mut ExactLog {
        let found = self.0.iter().position(|(name, _)| name == policy);
        let at = found.unwrap_or_else(|| {
            // Logs of policies that are gone leave when another comes.
            self.0.retain(|(_, log)| !log.is_spent(now));
            self.0.push((policy.clone(), ExactLog::default()));
            self.0.len() - 1
        });
        &mut self.0[at].1
    }
}

#[async_trait]
impl RateLimiter for MemoryLive {
    async fn decide(&self, policy: &Policy, user: UserId) -> Result<Decision, StoreError> {
        let mut shard = self.limits.of(user);
        // Under the lock, so that times of one user do not fall.
        let now = self.clock.now();
        Ok(shard.change(user, now).log(policy.name(), now).decide(policy, now))
    }

    async fn peek(&self, policy: &Policy, user: UserId) -> Result<Decision, StoreError> {
        let shard = self.limits.of(user);
        let now = self.clock.now();
        let log = shard.get(user).and_then(|known| known.find(policy.name()));
        Ok(log.map_or_else(|| ExactLog::default().peek(policy, now), |log| log.peek(policy, now)))
    }
}
