//! How often a rule has decided what, as metrics.

use metrics::{Counter, counter};

/// A counter for each outcome. Made once: to find one costs more than to count.
#[derive(Debug, Clone)]
pub(crate) struct RuleTally {
    pub(crate) admitted: Counter,
    pub(crate) limited: Counter,
    /// Denied from memory.
    pub(crate) repeated: Counter,
    pub(crate) refused: Counter,
    /// Would have been denied, in shadow mode; it is counted by its outcome, too.
    pub(crate) shadowed: Counter,
    /// Was answered with a failure.
    pub(crate) failed: Counter,
}

impl RuleTally {
    pub(super) fn of(policy: &str) -> Self {
        let counter = |outcome: &'static str| counter!("tollbar_decisions_total", "policy" => policy.to_owned(), "outcome" => outcome);
        Self {
            admitted: counter("admitted"),
            limited: counter("limited"),
            repeated: counter("repeated"),
            refused: counter("refused"),
            shadowed: counter("shadowed"),
            failed: counter("failed"),
        }
    }
}
