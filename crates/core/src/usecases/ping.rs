//! Use case: a guarded call that does nothing but take a while.

use std::time::Duration;

/// Simulates the processing of a call that was admitted.
pub struct Ping {
    delay: Duration,
}

impl Ping {
    /// Calls that take so long each.
    pub fn new(delay: Duration) -> Self {
        Self { delay }
    }

    /// Waits out the delay, without holding a thread.
    pub async fn call(&self) {
        if !self.delay.is_zero() {
            tokio::time::sleep(self.delay).await;
        }
    }
}
