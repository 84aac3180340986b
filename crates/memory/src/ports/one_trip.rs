//! `OneTrip` in memory: the locks of a user's sessions, limits and counts, held together for one step.

use async_trait::async_trait;
use tollbar_core::{
    StoreError,
    domain::{Check, Decision, Policy, SessionToken, Timestamp, UserId},
    ports::{Crossing, OneTrip},
};

use crate::{limits::UserLimits, live::MemoryLive, swept::Swept};

#[async_trait]
impl OneTrip for MemoryLive {
    async fn admit(&self, token: &SessionToken, policy: &Policy) -> Result<Crossing, StoreError> {
        let user = token.user();
        // Before the locks, since hashing takes longer than what is done under them.
        let verifier = token.verifier();
        let sessions = self.sessions.of(user);
        let mut limits = self.limits.of(user);
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

    async fn charge(&self, user: UserId, policy: &Policy) -> Result<Decision, StoreError> {
        let mut limits = self.limits.of(user);
        let now = self.clock.now();
        Ok(self.limit_and_count(&mut limits, user, policy, now))
    }
}

impl MemoryLive {
    /// Limits a call and, where it is admitted, counts it before anybody else sees that it was charged.
    fn limit_and_count(
        &self,
        limits: &mut Swept<UserLimits>,
        user: UserId,
        policy: &Policy,
        now: Timestamp,
    ) -> Decision {
        let decision = limits.change(user, now).decide(policy, now);
        if decision.allowed() {
            self.boards.record(policy.api(), user);
        }
        decision
    }
}
