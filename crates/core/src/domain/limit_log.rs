//! What is kept of one subject under one policy, by whichever algorithm the policy chooses.

use super::{Algorithm, Decision, ExactLog, GcraLog, Policy, Timestamp};

/// The state behind a decision. A policy that changes its algorithm begins anew: neither says what the other needs.
#[derive(Debug, Clone)]
pub enum LimitLog {
    /// Times of units.
    Exact(ExactLog),
    /// Levels of buckets.
    Gcra(GcraLog),
}

impl LimitLog {
    /// An empty one for policies of this algorithm.
    pub fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Exact => Self::Exact(ExactLog::default()),
            Algorithm::Gcra => Self::Gcra(GcraLog::default()),
        }
    }

    /// Which policies it is for.
    pub fn algorithm(&self) -> Algorithm {
        match self {
            Self::Exact(_) => Algorithm::Exact,
            Self::Gcra(_) => Algorithm::Gcra,
        }
    }

    /// Decides one call and, where every window admits it, charges its cost.
    pub fn decide(&mut self, policy: &Policy, now: Timestamp) -> Decision {
        match self {
            Self::Exact(log) => log.decide(policy, now),
            Self::Gcra(log) => log.decide(policy, now),
        }
    }

    /// What [`decide`](Self::decide) would say now, writing nothing.
    pub fn peek(&self, policy: &Policy, now: Timestamp) -> Decision {
        match self {
            Self::Exact(log) => log.peek(policy, now),
            Self::Gcra(log) => log.peek(policy, now),
        }
    }

    /// Whether nothing that is kept can matter any more.
    pub fn is_spent(&self, now: Timestamp) -> bool {
        match self {
            Self::Exact(log) => log.is_spent(now),
            Self::Gcra(log) => log.is_spent(now),
        }
    }
}
