//! Use case: whether the service can serve.

use std::sync::Arc;

use tracing::warn;

use crate::ports::HealthCheck;

/// Asks both tiers.
pub struct Readiness {
    tiers: Vec<Arc<dyn HealthCheck>>,
}

/// One dependency's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DependencyState {
    /// What it is called.
    pub name: &'static str,
    /// Whether it answered.
    pub up: bool,
}

/// What readiness found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadinessReport {
    /// Every dependency's state, the durable tier's first.
    pub dependencies: Vec<DependencyState>,
}

impl ReadinessReport {
    /// Whether anything can be served at all.
    pub fn ready(&self) -> bool {
        self.dependencies.iter().any(|dependency| dependency.up)
    }

    /// Whether something cannot.
    pub fn degraded(&self) -> bool {
        !self.dependencies.iter().all(|dependency| dependency.up)
    }
}

impl Readiness {
    /// Readiness of these two tiers.
    pub fn new(durable: Arc<dyn HealthCheck>, live: Arc<dyn HealthCheck>) -> Self {
        Self { tiers: vec![durable, live] }
    }

    /// Asks every dependency, each within its own deadline.
    pub async fn call(&self) -> ReadinessReport {
        let mut dependencies = Vec::with_capacity(self.tiers.len());
        for tier in &self.tiers {
            let answer = tier.check().await;
            if let Err(error) = &answer {
                warn!(dependency = tier.name(), ?error, "a dependency does not answer");
            }
            dependencies.push(DependencyState { name: tier.name(), up: answer.is_ok() });
        }
        ReadinessReport { dependencies }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{StoreError, ports::MockHealthCheck};

    fn tier(name: &'static str, up: bool) -> Arc<MockHealthCheck> {
        let mut tier = MockHealthCheck::new();
        tier.expect_name().return_const(name);
        tier.expect_check()
            .returning(move || if up { Ok(()) } else { Err(StoreError::transient("test", "down")) });
        Arc::new(tier)
    }

    #[tokio::test]
    async fn one_tier_is_degraded_and_none_is_not_ready() {
        for (durable, live, ready, degraded) in [
            (true, true, true, false),
            (true, false, true, true),
            (false, true, true, true),
            (false, false, false, true),
        ] {
            let report = Readiness::new(tier("postgres", durable), tier("redis", live)).call().await;
            assert_eq!((report.ready(), report.degraded()), (ready, degraded));
            assert_eq!(report.dependencies[1], DependencyState { name: "redis", up: live });
        }
    }
}
