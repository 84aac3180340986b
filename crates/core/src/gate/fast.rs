//! The fast gate: one trip to an engine that checks, limits and counts in one step, and none for who is known to be denied.

use std::sync::Arc;

use async_trait::async_trait;

use super::{DenialOptions, Denials};
use crate::{
    StoreError,
    counts::CallBook,
    domain::{Decision, Policy, Subject},
    ports::{Admission, Clock, Crossing, Gate, OneTrip},
    sessions::TieredSessions,
};

/// A gate for a live tier that decides in one trip.
pub struct FastGate {
    sessions: Arc<TieredSessions>,
    engine: Arc<dyn OneTrip>,
    book: Arc<CallBook>,
    clock: Arc<dyn Clock>,
    denials: Denials,
}

impl FastGate {
    /// A gate over this engine, whose sessions are those of `sessions`. Waits are counted by `clock`.
    pub fn new(
        sessions: Arc<TieredSessions>,
        engine: Arc<dyn OneTrip>,
        book: Arc<CallBook>,
        clock: Arc<dyn Clock>,
        denials: DenialOptions,
    ) -> Self {
        Self { sessions, engine, book, clock, denials: Denials::new(denials) }
    }

    /// What it remembers of those whom it denied.
    pub fn denials(&self) -> &Denials {
        &self.denials
    }
}

#[async_trait]
impl Gate for FastGate {
    async fn admit(&self, token: &str, policy: &Policy) -> Result<Admission, StoreError> {
        let Some(token) = self.sessions.recognise(token) else { return Ok(Admission::Unauthenticated) };
        let user = token.user();
        // Before anything is sent: a wait that is counted from here never ends after the engine's own.
        let departure = self.denials.departure(&*self.clock, self.sessions.changes(user));
        if let Some(decision) = self.denials.recall(&token, policy, departure) {
            return Ok(Admission::Limited { user, decision });
        }
        // Before the charge: a call that could not be counted should not cost its caller anything.
        let passage = self.book.enter()?;
        let epoch = passage.epoch();
        let crossing = self.engine.admit(&token, policy, epoch).await.map_err(|error| passage.heed(error))?;
        if !matches!(crossing, Crossing::Unknown) {
            self.sessions.tally().hits.increment(1);
        }
        let decision = match crossing {
            Crossing::Admitted(decision) | Crossing::Limited(decision) => decision,
            Crossing::Unknown if self.sessions.is_live(&token).await? => {
                self.engine.charge(user, policy, epoch).await.map_err(|error| passage.heed(error))?
            }
            Crossing::Dead | Crossing::Unknown => return Ok(Admission::Unauthenticated),
        };
        if decision.allowed() {
            passage.count(policy.api(), user).acknowledge().await?;
            Ok(Admission::Admitted { user, session: token.version(), decision })
        } else {
            self.denials.remember(&token, policy, departure, &decision);
            Ok(Admission::Limited { user, decision })
        }
    }

    async fn limit(&self, subject: Subject, policy: &Policy) -> Result<Decision, StoreError> {
        // No change of sessions says anything of who is not a user.
        let departure = self.denials.departure(&*self.clock, 0);
        if let Some(decision) = self.denials.recall(subject, policy, departure) {
            return Ok(decision);
        }
        let decision = self.engine.limit(subject, policy).await?;
        if !decision.allowed() {
            self.denials.remember(subject, policy, departure, &decision);
        }
        Ok(decision)
    }

    fn policies_changed(&self) {
        self.denials.clear();
    }
}

#[cfg(test)]
mod tests;
