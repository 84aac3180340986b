//! A promise that was not kept.

use std::fmt;

use crate::history::{FaultKind, Micros};

/// The promises, as the README words them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Promise {
    /// No acknowledged signup, login or logout is lost.
    P1,
    /// A session that ended never works again.
    P2,
    /// Acknowledged ≤ counted ≤ sent, and the leaderboard says so.
    P3,
    /// Limits never over-admit.
    P4,
    /// An outage is 503, in time.
    P5,
    /// Full service soon after an engine returns.
    P6,
}

impl fmt::Display for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// A promise that was not kept, with what shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which one.
    pub promise: Promise,
    /// When it showed.
    pub at: Micros,
    /// Under which fault, or soon after which.
    pub fault: Option<FaultKind>,
    /// What shows it.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {} us", self.promise, self.at)?;
        if let Some(fault) = self.fault {
            write!(f, " ({fault})")?;
        }
        write!(f, ": {}", self.what)
    }
}
