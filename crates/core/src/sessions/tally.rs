//! What became of look-ups and changes of sessions, as metrics.

use metrics::{Counter, counter};

/// Counters that are made once: to find one costs more than to count.
pub(crate) struct SessionTally {
    pub(crate) hits: Counter,
    pub(crate) misses: Counter,
    /// The live tier did not answer.
    pub(crate) failures: Counter,
    /// Changes that stand, and of which the live tier was not known to have heard when their caller was answered.
    pub(crate) unconfirmed: Counter,
}

impl Default for SessionTally {
    fn default() -> Self {
        let lookups = |result: &'static str| counter!("tollbar_session_lookups_total", "result" => result);
        Self {
            hits: lookups("hit"),
            misses: lookups("miss"),
            failures: lookups("failed"),
            unconfirmed: counter!("tollbar_session_changes_unconfirmed_total"),
        }
    }
}
