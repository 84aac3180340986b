//! One request and its answer.

use std::fmt;

/// Microseconds since the stage began, on a clock that only goes on.
pub type Micros = u64;

/// A process by its place, from 0; it keeps it over restarts.
pub type ProcessId = u8;

/// An account by the order of the signups, from 0. What Tollbar numbers it is learnt from its first token.
pub type User = u32;

/// What is limited and counted by itself: a policy, named as it behaves while Redis is away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Api {
    /// `/ping`, closed.
    Closed,
    /// Closed, with a quota that nobody reaches.
    Wide,
    /// No limit while Redis is away.
    Open,
    /// A limit of each process while Redis is away.
    Local,
}

impl Api {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Closed, Self::Wide, Self::Open, Self::Local];

    /// What its calls are counted under.
    pub fn name(self) -> &'static str {
        match self {
            Self::Closed => "ping",
            Self::Wide => "wide",
            Self::Open => "open",
            Self::Local => "local",
        }
    }

    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|api| api.name() == name)
    }

    /// Whether calls need Redis: nobody is admitted without it.
    pub fn is_closed(self) -> bool {
        matches!(self, Self::Closed | Self::Wide)
    }
}

/// What was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Op {
    /// An account.
    Signup,
    /// A session.
    Login,
    /// Its end.
    Logout,
    /// A call under this policy.
    Call(Api),
    /// The leaderboard.
    Top,
    /// The number of callers.
    Count,
    /// Readiness.
    Ready,
}

impl Op {
    /// What it is called; a call by what it is counted under.
    pub fn name(self) -> &'static str {
        match self {
            Self::Signup => "signup",
            Self::Login => "login",
            Self::Logout => "logout",
            Self::Call(api) => api.name(),
            Self::Top => "top",
            Self::Count => "count",
            Self::Ready => "readyz",
        }
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// An answer in full.
    Status {
        /// Its status.
        code: u16,
        /// Whether it said when to try again.
        retry_after: bool,
    },
    /// No connection was made, so nothing was asked.
    NotSent,
    /// The connection ended before the answer.
    Lost,
    /// Nothing, for as long as a client waits.
    Silent,
}

impl Answer {
    /// An answer of this status.
    pub fn of(code: u16) -> Self {
        Self::Status { code, retry_after: code == 503 || code == 429 }
    }

    /// Its status, if it is one.
    pub fn code(self) -> Option<u16> {
        match self {
            Self::Status { code, .. } => Some(code),
            _ => None,
        }
    }

    /// Whether what was asked may have been done, or not: a 503 is a promise of neither.
    pub fn leaves_open(self) -> bool {
        match self {
            Self::Status { code, .. } => code >= 500,
            Self::NotSent => false,
            Self::Lost | Self::Silent => true,
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status { code: 503, retry_after: false } => f.write_str("503 without Retry-After"),
            Self::Status { code, .. } => code.fmt(f),
            Self::NotSent => f.write_str("no connection"),
            Self::Lost => f.write_str("a connection that ended"),
            Self::Silent => f.write_str("no answer"),
        }
    }
}

/// One request and its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// When it was about to be sent.
    pub sent: Micros,
    /// When its answer was there, or was given up.
    pub received: Micros,
    /// Of which account; none for `/top` and the like.
    pub user: Option<User>,
    /// Which session: that of the request's token, or of the login's answer. A later login of the account has a higher one.
    pub version: u64,
    /// Whom it was sent to.
    pub process: ProcessId,
    /// What was asked.
    pub op: Op,
    /// What came back.
    pub answer: Answer,
}

impl Event {
    /// Whether it was admitted and acknowledged.
    pub fn is_admitted(&self) -> bool {
        matches!(self.op, Op::Call(_)) && self.answer.code() == Some(200)
    }

    /// Whether it may have been counted. A policy that goes on without Redis decides once more where Redis' answer was lost, and may then
    /// deny what Redis has admitted and counted; no sooner than after this deadline of Redis.
    pub fn may_be_counted(&self, redis_deadline: Micros) -> bool {
        let Op::Call(api) = self.op else { return false };
        let twice = matches!(api, Api::Open | Api::Local) && self.received - self.sent >= redis_deadline;
        self.is_admitted() || self.answer.leaves_open() || twice
    }
}
