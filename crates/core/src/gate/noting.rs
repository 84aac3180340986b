//! A gate that also notes whom it turns away.

use std::sync::Arc;

use async_trait::async_trait;

use crate::{
    StoreError,
    counts::CallBook,
    domain::{CallOutcome, Decision, Policy, Subject},
    ports::{Admission, Gate},
};

/// For callers who go by no list of policies, whose use case would note it. What [`limit`](Gate::limit) admits is not noted: the call that
/// it is asked for may still be admitted, or refused, by [`admit`](Gate::admit).
pub struct NotingGate {
    gate: Arc<dyn Gate>,
    book: Arc<CallBook>,
}

impl NotingGate {
    /// Decides by `gate`, which counts in `book`.
    pub fn new(gate: Arc<dyn Gate>, book: Arc<CallBook>) -> Self {
        Self { gate, book }
    }
}

#[async_trait]
impl Gate for NotingGate {
    async fn admit(&self, token: &str, policy: &Policy) -> Result<Admission, StoreError> {
        let admission = self.gate.admit(token, policy).await?;
        let outcome = match &admission {
            Admission::Admitted { .. } => None,
            Admission::Limited { user, decision } => {
                Some(CallOutcome::Limited { user: Some(*user), repeated: decision.repeated })
            }
            Admission::Unauthenticated => Some(CallOutcome::Refused),
        };
        if let Some(outcome) = outcome {
            self.book.note(policy.api(), outcome);
        }
        Ok(admission)
    }

    async fn limit(&self, subject: Subject, policy: &Policy) -> Result<Decision, StoreError> {
        let decision = self.gate.limit(subject, policy).await?;
        if !decision.allowed() {
            let outcome = CallOutcome::Limited { user: None, repeated: decision.repeated };
            self.book.note(policy.api(), outcome);
        }
        Ok(decision)
    }

    fn policies_changed(&self) {
        self.gate.policies_changed();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::Outcomes,
        gate::fixture::{book, decision, policy, user},
        ports::MockGate,
    };

    #[tokio::test]
    async fn whoever_is_turned_away_is_noted() {
        let ping = policy("ping", &[(1, 5)]);
        let denied = Decision { repeated: true, ..decision(&ping, &[(0, 5, 5)]) };
        let (mut gate, limited) = (MockGate::new(), denied.clone());
        gate.expect_admit().returning(move |token, _| {
            Ok(match token {
                "dead" => Admission::Unauthenticated,
                _ => Admission::Limited { user: user(), decision: limited.clone() },
            })
        });
        gate.expect_limit().returning(move |_, _| Ok(denied.clone()));
        let book = book(10);
        let gate = NotingGate::new(Arc::new(gate), book.clone());
        for token in ["dead", "limited", "limited"] {
            gate.admit(token, &ping).await.unwrap();
        }
        gate.limit(user().into(), &ping).await.unwrap();
        let activity = book.close().unwrap().settled().await.activity;
        assert_eq!(activity[0].minutes[0].1, Outcomes { admitted: 0, limited: 3, repeated: 3, refused: 1 });
        assert_eq!(activity[0].limited[0].calls, 2, "of whom the user is known");
    }
}
