//! The atomic steps of the session protocol, and the faults between them, as readable lines.

use std::fmt;

use super::redis::Script;

/// What becomes of a script that is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// It is executed, and its sender hears of it.
    Heard,
    /// Its answer is late, and it is sent again: the first one may still be executed at any time.
    Repeated,
    /// Its sender waits no more: it may still be executed at any time.
    GivenUp,
}

/// One step of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// A reader asks whether a token is live: it looks up.
    Read { reader: u8, token: u8, delivery: Delivery },
    /// A reader loads the set.
    Load(u8),
    /// A reader takes what another one loaded.
    JoinLoad { reader: u8, of: u8 },
    /// A reader caches what it loaded.
    Fill { reader: u8, delivery: Delivery },
    /// A login, or the logout of a token, begins.
    Announce { change: u8, token: Option<u8>, delivery: Delivery },
    /// A change commits.
    Commit(u8),
    /// A change that could not be announced looks up.
    LookAgain { change: u8, delivery: Delivery },
    /// A change that could not be announced loads.
    LoadAgain(u8),
    /// A change publishes, and is acknowledged.
    Publish { change: u8, delivery: Delivery },
    /// A script is executed to whose answer nobody listens.
    ExecuteLate(Script),
    /// A reader's process dies.
    EndReader(u8),
    /// The process of a change dies.
    EndChange(u8),
    /// The entry is evicted, or expires.
    Evict,
    /// The lease lapses.
    Lapse,
    /// Time passes.
    Tick,
    /// Redis writes a snapshot.
    Snapshot,
    /// Redis comes back with its snapshot.
    FallBack,
    /// Redis is emptied and does not restart.
    Empty,
}

impl fmt::Display for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Heard => "",
            Self::Repeated => " (sent twice; the first one is still on its way)",
            Self::GivenUp => " (and waits no more; it is still on its way)",
        })
    }
}

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LookUp { nonce } => write!(f, "look-up with nonce {nonce}"),
            Self::Change { nonce } => write!(f, "announcement with nonce {nonce}"),
            Self::Publish { set, ticket } => match ticket.lease {
                Some(nonce) => write!(f, "publish of version {} with nonce {nonce}", set.version),
                None => write!(f, "publish of version {} without a lease", set.version),
            },
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read { reader, token, delivery } => {
                write!(f, "reader {reader} looks up for session {token}{delivery}")
            }
            Self::Load(reader) => write!(f, "reader {reader} loads"),
            Self::JoinLoad { reader, of } => write!(f, "reader {reader} takes what reader {of} loaded"),
            Self::Fill { reader, delivery } => write!(f, "reader {reader} fills{delivery}"),
            Self::Announce { change, token: None, delivery } => {
                write!(f, "change {change}, a login, is announced{delivery}")
            }
            Self::Announce { change, token: Some(token), delivery } => {
                write!(f, "change {change}, a logout of session {token}, is announced{delivery}")
            }
            Self::Commit(change) => write!(f, "change {change} commits"),
            Self::LookAgain { change, delivery } => write!(f, "change {change} looks up{delivery}"),
            Self::LoadAgain(change) => write!(f, "change {change} loads"),
            Self::Publish { change, delivery } => {
                write!(f, "change {change} publishes, and is acknowledged{delivery}")
            }
            Self::ExecuteLate(script) => write!(f, "Redis executes, late, the {script}"),
            Self::EndReader(reader) => write!(f, "reader {reader} is killed; its fill is on its way"),
            Self::EndChange(change) => write!(f, "change {change} is killed; its publish is on its way"),
            Self::Evict => f.write_str("the entry is evicted"),
            Self::Lapse => f.write_str("the lease lapses"),
            Self::Tick => f.write_str("time passes"),
            Self::Snapshot => f.write_str("Redis writes a snapshot"),
            Self::FallBack => f.write_str("Redis restarts from its snapshot"),
            Self::Empty => f.write_str("Redis is emptied"),
        }
    }
}
