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

/// What sort of thing went wrong: violations of one sort have one cause, as a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sort {
    /// Which promise was not kept.
    pub promise: Promise,
    /// What it was about.
    pub about: &'static str,
    /// Under which fault, or soon after which.
    pub fault: Option<FaultKind>,
}

impl fmt::Display for Sort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.promise, self.about)?;
        match self.fault {
            Some(fault) => write!(f, ", {fault}"),
            None => Ok(()),
        }
    }
}

/// A promise that was not kept, with what shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Of which sort it is.
    pub sort: Sort,
    /// When it showed.
    pub at: Micros,
    /// What shows it.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, at {} us: {}", self.sort, self.at, self.what)
    }
}
