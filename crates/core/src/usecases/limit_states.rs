//! Use case: how the limits of somebody stand, and the whole quota back for who asks an operator for it.

use std::sync::Arc;

use crate::{
    StoreError,
    domain::{Decision, Policy, PolicyName, Subject},
    policies::{Policies, Whom},
    ports::{Gate, RateLimiter, WhichLimits},
};

/// Why no limits were reset.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ResetError {
    /// There is no policy of this name.
    #[error("there is no policy of this name")]
    UnknownPolicy,
    /// The live tier failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Looks at limits, and resets them.
pub struct LimitStates {
    policies: Policies,
    limiter: Arc<dyn RateLimiter>,
    /// What limits while that is away.
    insurance: Option<Arc<dyn RateLimiter>>,
    /// What remembers whom it denied; nothing does beside a process that serves.
    gate: Option<Arc<dyn Gate>>,
}

impl LimitStates {
    /// The limits of these policies that `limiter` keeps.
    pub fn new(policies: Policies, limiter: Arc<dyn RateLimiter>) -> Self {
        Self { policies, limiter, insurance: None, gate: None }
    }

    /// The same in a process that serves: with what limits while the live tier is away, and what remembers whom it denied.
    #[must_use]
    pub fn of_process(self, insurance: Option<Arc<dyn RateLimiter>>, gate: Arc<dyn Gate>) -> Self {
        Self { insurance, gate: Some(gate), ..self }
    }

    /// How a call would be decided now; nothing is spent.
    ///
    /// # Errors
    /// The live tier failed.
    pub async fn peek(&self, policy: &Policy, subject: Subject) -> Result<Decision, StoreError> {
        self.limiter.peek(policy, subject).await
    }

    /// Gives a subject its whole quota back, under one policy or all: how many states that still held anything were forgotten. Denials that
    /// this process remembers are not repeated any more.
    ///
    /// # Errors
    /// See [`ResetError`].
    pub async fn reset(&self, subject: Subject, policy: Option<PolicyName>) -> Result<u64, ResetError> {
        let table = self.policies.current();
        let meant = |name: &PolicyName| policy.as_ref().is_none_or(|wanted| wanted == name);
        let mut rules = table
            .rules()
            .iter()
            .map(|rule| rule.options())
            .filter(|rule| meant(rule.policy.name()))
            .peekable();
        if policy.is_some() && rules.peek().is_none() {
            return Err(ResetError::UnknownPolicy);
        }
        let paths = rules.any(|rule| rule.whom == Whom::UserAndPath);
        let which = WhichLimits { policy, paths };
        if let Some(insurance) = &self.insurance {
            insurance.reset(subject, &which).await?;
        }
        let reset = self.limiter.reset(subject, &which).await;
        // After it, or a denial from before it would be remembered beyond it; and where it failed, too, for some of it may be done.
        if let Some(gate) = &self.gate {
            gate.policies_changed();
        }
        Ok(reset?)
    }
}

#[cfg(test)]
mod tests {
    use mockall::Sequence;

    use super::*;
    use crate::{
        domain::{ApiName, UserId, Window},
        policies::{PathPattern, PolicyTable, Rule, RuleOptions, Unmatched},
        ports::{MockGate, MockRateLimiter},
    };

    fn policies() -> Policies {
        let rule = |name: &str, whom| {
            let window =
                Window::new(crate::domain::Quota::new(1).unwrap(), std::time::Duration::from_secs(1))
                    .unwrap();
            let policy =
                Policy::new(PolicyName::new(name).unwrap(), ApiName::new(name).unwrap(), vec![window])
                    .unwrap();
            let path = PathPattern::new(&format!("/{name}")).unwrap();
            Rule::new(RuleOptions { whom, ..RuleOptions::new(policy, path) }).unwrap()
        };
        let rules = vec![rule("plain", Whom::User), rule("paths", Whom::UserAndPath)];
        Policies::new(PolicyTable::new(rules, Unmatched::Deny).unwrap())
    }

    #[tokio::test]
    async fn denials_are_forgotten_after_the_limits_and_paths_are_looked_for_where_a_policy_has_them() {
        let user: Subject = UserId::new(7).unwrap().into();
        for (name, paths) in [(None, true), (Some("plain"), false), (Some("paths"), true)] {
            let (mut limiter, mut gate, mut order) =
                (MockRateLimiter::new(), MockGate::new(), Sequence::new());
            let policy = name.map(|name| PolicyName::new(name).unwrap());
            let which = WhichLimits { policy: policy.clone(), paths };
            limiter
                .expect_reset()
                .once()
                .in_sequence(&mut order)
                .withf(move |_, asked| *asked == which)
                .returning(|_, _| Ok(3));
            gate.expect_policies_changed().once().in_sequence(&mut order).return_const(());
            let limits = LimitStates::new(policies(), Arc::new(limiter)).of_process(None, Arc::new(gate));
            assert_eq!(limits.reset(user, policy).await.unwrap(), 3, "{name:?}");
        }
        let limits = LimitStates::new(policies(), Arc::new(MockRateLimiter::new()));
        let unknown = limits.reset(user, Some(PolicyName::new("other").unwrap())).await;
        assert!(matches!(unknown, Err(ResetError::UnknownPolicy)));
    }
}
