//! `OneTrip` in memory: the locks of a user's sessions, limits and counts, held together for one step.

use async_trait::async_trait;
use tollbar_core::{
    StoreError,
    domain::{Check, Decision, EpochId, Policy, SessionToken, Subject, Timestamp, UserId},
    ports::{Crossing, OneTrip, RateLimiter},
};

use crate::{
    limits::{LimitKey, Limits},
    live::MemoryLive,
    swept::Swept,
};

#[async_trait]
impl OneTrip for MemoryLive {
    async fn admit(&self, token: &SessionToken, policy: &Policy, _: EpochId) -> Result<Crossing, StoreError> {
        let user = token.user();
        // Before the locks, since hashing takes longer than what is done under them.
        let verifier = token.verifier();
        let sessions = self.sessions.of(user);
        let mut limits = self.limits.of(LimitKey::of(policy, user.into()));
        // Under both locks, so that no time of one user falls.
        let now = self.clock.now();
        let check = sessions.get(user).and_then(|known| known.check(token, &verifier, now));
        Ok(match check {
            Some(Check::Live(_)) => {
                let decision = self.limit_and_count(&mut limits, user, policy, now);
                if decision.allowed() { Crossing::Admitted(decision) } else { Crossing::Limited(decision) }
            }
            Some(Check::Dead) => Crossing::Dead,
            Some(Check::Newer) | None => Crossing::Unknown,
        })
    }

    async fn charge(&self, user: UserId, policy: &Policy, _: EpochId) -> Result<Decision, StoreError> {
        let mut limits = self.limits.of(LimitKey::of(policy, user.into()));
        let now = self.clock.now();
        Ok(self.limit_and_count(&mut limits, user, policy, now))
    }

    async fn limit(&self, subject: Subject, policy: &Policy) -> Result<Decision, StoreError> {
        self.decide(policy, subject).await
    }
}

impl MemoryLive {
    /// Limits a call and, where it is admitted, counts it before anybody else sees that it was charged.
    fn limit_and_count(
        &self,
        limits: &mut Swept<LimitKey, Limits>,
        user: UserId,
        policy: &Policy,
        now: Timestamp,
    ) -> Decision {
        let decision = if policy.windows().is_empty() {
            // Nothing is kept of whom nothing limits.
            Decision { at: now, windows: Vec::new(), repeated: false }
        } else {
            let key = self.limit_key(limits, LimitKey::of(policy, user.into()));
            limits.change(key, now).decide(policy, now)
        };
        if decision.allowed() {
            self.boards.record(policy.api(), user);
        }
        decision
    }
}
