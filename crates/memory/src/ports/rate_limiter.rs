//! `RateLimiter` in memory.

use async_trait::async_trait;
use tollbar_core::{
    StoreError,
    domain::{Decision, Policy, Subject},
    ports::{RateLimiter, WhichLimits},
};

use crate::{
    limits::{LimitKey, Limits},
    live::MemoryLive,
};

#[async_trait]
impl RateLimiter for MemoryLive {
    async fn decide(&self, policy: &Policy, subject: Subject) -> Result<Decision, StoreError> {
        if policy.windows().is_empty() {
            // Nothing is kept of whom nothing limits.
            return Ok(Decision { at: self.clock.now(), windows: Vec::new(), repeated: false });
        }
        let key = LimitKey::of(policy, subject);
        let mut limits = self.limits.of(key);
        // Under the lock, so that times of one subject do not fall.
        let now = self.clock.now();
        let key = self.limit_key(&limits, key);
        Ok(limits.change(key, now).decide(policy, now))
    }

    async fn peek(&self, policy: &Policy, subject: Subject) -> Result<Decision, StoreError> {
        let key = LimitKey::of(policy, subject);
        let limits = self.limits.of(key);
        let now = self.clock.now();
        Ok(match limits.get(self.limit_key(&limits, key)) {
            Some(known) => known.peek(policy, now),
            None => Limits::default().peek(policy, now),
        })
    }

    async fn reset(&self, subject: Subject, which: &WhichLimits) -> Result<u64, StoreError> {
        let own = LimitKey::of_subject(subject);
        let mut limits = self.limits.of(own);
        let (policy, now) = (which.policy.as_ref(), self.clock.now());
        if !which.paths {
            return Ok(limits.get_mut(own).map_or(0, |known| known.forget(policy, now)));
        }
        // All of a subject is in one part; that is looked through, which is a rare thing to ask for.
        let of_subject = limits.each_mut().filter(|(key, _)| key.subject() == subject);
        Ok(of_subject.map(|(_, known)| known.forget(policy, now)).sum())
    }
}
