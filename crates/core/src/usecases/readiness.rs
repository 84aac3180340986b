//! Use case: whether the service can serve.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use tokio::sync::Mutex;
use tracing::{info, warn};

use crate::{
    domain::Timestamp,
    ports::{Clock, HealthCheck},
};

/// How long a report is given again. Whoever may ask is not known, and asking is work for both tiers.
const KEPT: Duration = Duration::from_millis(250);

/// Asks both tiers, however many want to know: one looks, and the others wait for what it finds.
pub struct Readiness {
    tiers: Vec<Arc<dyn HealthCheck>>,
    clock: Arc<dyn Clock>,
    last: Mutex<Option<(Timestamp, ReadinessReport)>>,
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
    pub fn new(durable: Arc<dyn HealthCheck>, live: Arc<dyn HealthCheck>, clock: Arc<dyn Clock>) -> Self {
        Self { tiers: vec![durable, live], clock, last: Mutex::default() }
    }

    /// What every dependency answered within its own deadline, now or up to a quarter of a second ago.
    pub async fn call(&self) -> ReadinessReport {
        let mut last = self.last.lock().await;
        if let Some((at, report)) = &*last
            && self.clock.steady() < *at + KEPT
        {
            return report.clone();
        }
        let looked = self.tiers.iter().enumerate().map(async |(number, tier)| {
            let answer = tier.check().await;
            let was_up = last.as_ref().is_none_or(|(_, report)| report.dependencies[number].up);
            match &answer {
                Err(error) if was_up => {
                    warn!(dependency = tier.name(), ?error, "a dependency does not answer");
                }
                Ok(()) if !was_up => info!(dependency = tier.name(), "a dependency answers again"),
                _ => {}
            }
            DependencyState { name: tier.name(), up: answer.is_ok() }
        });
        let report = ReadinessReport { dependencies: join_all(looked).await };
        *last = Some((self.clock.steady(), report.clone()));
        report
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::{
        StoreError,
        ports::{ManualClock, MockHealthCheck},
    };

    fn tier(name: &'static str, up: bool) -> Arc<MockHealthCheck> {
        let mut tier = MockHealthCheck::new();
        tier.expect_name().return_const(name);
        tier.expect_check()
            .returning(move || if up { Ok(()) } else { Err(StoreError::transient("test", "down")) });
        Arc::new(tier)
    }

    #[tokio::test]
    async fn one_tier_is_degraded_and_none_is_not_ready() {
        for (durable, live_is_up, ready, degraded) in [
            (true, true, true, false),
            (true, false, true, true),
            (false, true, true, true),
            (false, false, false, true),
        ] {
            let (durable, live) = (tier("postgres", durable), tier("redis", live_is_up));
            let report = Readiness::new(durable, live, Arc::new(ManualClock::new())).call().await;
            assert_eq!((report.ready(), report.degraded()), (ready, degraded));
            assert_eq!(report.dependencies[1], DependencyState { name: "redis", up: live_is_up });
        }
    }

    #[tokio::test]
    async fn however_many_ask_one_looks() {
        let (clock, looks) = (Arc::new(ManualClock::new()), Arc::new(AtomicUsize::new(0)));
        let mut counted = MockHealthCheck::new();
        counted.expect_name().return_const("postgres");
        let seen = Arc::clone(&looks);
        counted.expect_check().returning(move || {
            seen.fetch_add(1, Ordering::Relaxed);
            Ok(())
        });
        let readiness = Readiness::new(Arc::new(counted), tier("redis", true), clock.clone());
        for look in 1..=3 {
            let asked = join_all((0..300).map(|_| readiness.call())).await;
            assert!(asked.iter().all(ReadinessReport::ready));
            assert_eq!(looks.load(Ordering::Relaxed), look);
            clock.advance(KEPT);
        }
    }
}
