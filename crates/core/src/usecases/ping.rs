//! Use case: a guarded call that does nothing but take a while.

use std::{sync::Arc, time::Duration};

use crate::{
    StoreError,
    domain::Policy,
    ports::{Admission, Gate},
};

/// Admits calls by one policy and, once admitted, simulates their processing.
pub struct Ping {
    gate: Arc<dyn Gate>,
    policy: Arc<Policy>,
    delay: Duration,
}

impl Ping {
    /// Calls through this gate by this policy, each taking `delay`.
    pub fn new(gate: Arc<dyn Gate>, policy: Arc<Policy>, delay: Duration) -> Self {
        Self { gate, policy, delay }
    }

    /// The policy that calls are admitted by.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Asks the gate; an admitted call then waits out the delay, without holding a thread.
    ///
    /// # Errors
    /// A tier failed; the call must not be acknowledged.
    pub async fn call(&self, token: &str) -> Result<Admission, StoreError> {
        let admission = self.gate.admit(token, &self.policy).await?;
        if matches!(admission, Admission::Admitted { .. }) && !self.delay.is_zero() {
            tokio::time::sleep(self.delay).await;
        }
        Ok(admission)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{Instant, timeout};

    use super::*;
    use crate::{
        domain::{ApiName, Decision, PolicyName, Quota, Timestamp, UserId, Window},
        ports::MockGate,
    };

    fn ping(admission: Admission) -> Ping {
        let window = Window::new(Quota::new(1).unwrap(), Duration::from_secs(5)).unwrap();
        let (name, api) = (PolicyName::new("ping").unwrap(), ApiName::new("ping").unwrap());
        let policy = Policy::new(name, api, vec![window]).unwrap();
        let mut gate = MockGate::new();
        gate.expect_admit()
            .withf(|token, policy| token == "tbs_t" && policy.name().as_str() == "ping")
            .return_once(|_, _| Ok(admission));
        Ping::new(Arc::new(gate), Arc::new(policy), Duration::from_millis(100))
    }

    fn decision() -> (UserId, Decision) {
        (UserId::new(1).unwrap(), Decision { at: Timestamp::default(), windows: vec![] })
    }

    #[tokio::test(start_paused = true)]
    #[expect(clippy::disallowed_methods, reason = "the paused clock of the test's own runtime")]
    async fn only_an_admitted_call_takes_its_time() {
        let (user, decision) = decision();
        let begun = Instant::now();
        ping(Admission::Limited { user, decision: decision.clone() }).call("tbs_t").await.unwrap();
        ping(Admission::Unauthenticated).call("tbs_t").await.unwrap();
        assert_eq!(begun.elapsed(), Duration::ZERO);
        let admitted = ping(Admission::Admitted { user, decision });
        assert!(timeout(Duration::from_millis(99), admitted.call("tbs_t")).await.is_err());
    }
}
