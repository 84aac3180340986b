//! What becomes of a request.

use crate::domain::{Decision, Policy, UserId, Version};

/// Who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// The user.
    pub user: UserId,
    /// Which of the user's sessions; with the user it names one session of all.
    pub session: Version,
}

/// A policy and what it says of a call; without windows where nothing limits it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The policy.
    pub policy: Policy,
    /// Its decision.
    pub decision: Decision,
}

/// What becomes of a request, and what is known of its limits then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// What becomes of it.
    pub fate: Fate,
    /// The limits that it was charged by, if any; none in shadow mode.
    pub limits: Option<Limits>,
}

/// What becomes of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It goes through; with who calls, where the policy needs a session.
    Admitted(Option<Identity>),
    /// It is over this limit, and not charged.
    Limited(Limits),
    /// It needs a session and names none.
    NoCredential,
    /// What it names is no live session.
    InvalidCredential,
    /// Another site may have sent it in its user's name.
    CrossSite,
    /// No policy is for it, and such requests are refused.
    Unmatched,
    /// Its path or its method has no one meaning, so that no policy can be for it.
    Ambiguous,
}
