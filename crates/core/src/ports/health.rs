//! Port: whether a dependency answers.

use async_trait::async_trait;

use crate::StoreError;

/// A dependency that readiness asks about.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait HealthCheck: Send + Sync {
    /// What the dependency is called in a readiness report: `postgres`, `redis`, …
    fn name(&self) -> &'static str;

    /// Asks the dependency for an answer, within its deadline.
    ///
    /// # Errors
    /// It does not answer.
    async fn check(&self) -> Result<(), StoreError>;
}
