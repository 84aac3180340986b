//! The atomic steps of the counting protocol, and the faults between them, as readable lines.

use std::fmt;

use super::{
    ledger::Addition,
    process::Adopt,
    redis::{Batch, Settlement, Whereabouts},
    state::{Calls, USERS},
};

/// One step of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// A process registers its incarnation.
    Begin(u8),
    /// A call enters the open epoch and goes to Redis.
    Call { process: u8, user: u8 },
    /// A call enters the open epoch without Redis.
    CallWithoutRedis { process: u8, user: u8 },
    /// Redis executes a batch.
    Execute(Batch),
    /// A process hears what became of its batch.
    Hear(Batch),
    /// A process waits no more for its batch.
    GiveUp(Batch),
    /// A process waits no more for its batch, and takes the call without Redis.
    TakeAnyway(Batch),
    /// The open epoch is closed and the next one opens.
    Close(u8),
    /// A closed epoch goes to the ledger.
    Add(u8),
    /// The ledger commits an epoch.
    Commit(Addition),
    /// A process hears what became of its epoch.
    HearAdded(u8),
    /// A process waits no more for the ledger's answer.
    GiveUpAdded(u8),
    /// An epoch that the ledger holds is settled in Redis.
    Settle(u8),
    /// The same, while Redis is away.
    FailToSettle(u8),
    /// Redis executes a settlement that nobody waits for any more.
    SettleLate(Settlement),
    /// The next step of an adoption; the first one begins it.
    Adopt { process: u8, of: u8, step: Adopt },
    /// A process learns that the board is not sound, and marks it as being raised.
    BeginRaise(u8),
    /// A process reads the totals.
    ReadTotals(u8),
    /// A process raises the board to the totals that it read.
    RaiseBoard(u8),
    /// A process marks the board as sound, if it may.
    EndRaise(u8),
    /// A process dies.
    Crash(u8),
    /// A process hangs so long that its claim lapses, and goes on.
    Lapse(u8),
    /// Redis writes a snapshot.
    Snapshot,
    /// Redis comes back with its snapshot.
    FallBack,
    /// Redis is emptied and does not restart.
    Empty,
}

/// Processes are named by letters.
fn name(process: u8) -> char {
    char::from(b'P' + process)
}

/// Authors are named by numbers.
fn author(author: u8) -> String {
    format!("incarnation {author}")
}

fn calls(calls: Calls) -> String {
    let parts =
        (0..USERS).filter(|user| calls[*user] > 0).map(|user| format!("user {user}: {}", calls[user]));
    let parts: Vec<_> = parts.collect();
    if parts.is_empty() { "nothing".to_owned() } else { parts.join(", ") }
}

impl fmt::Display for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the call of user {} in epoch {} of {}", self.user, self.epoch, author(self.author))
    }
}

impl fmt::Display for Adopt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fence { partition } => write!(f, "fences it in partition {partition}"),
            Self::AskFlushed => f.write_str("asks which of its epochs is flushed"),
            Self::ReadPending { partition } => write!(f, "reads what is pending in partition {partition}"),
            Self::Commit => f.write_str("adds that to the ledger and closes it"),
            Self::Settle(_) => f.write_str("settles its epochs in Redis"),
            Self::Leave => f.write_str("leaves it"),
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let p = name;
        match *self {
            Self::Begin(process) => write!(f, "{} registers its incarnation", p(process)),
            Self::Call { process, user } => write!(f, "{} sends a call of user {user} to Redis", p(process)),
            Self::CallWithoutRedis { process, user } => {
                write!(f, "{} takes a call of user {user} without Redis", p(process))
            }
            Self::Execute(batch) => write!(f, "Redis executes {batch}"),
            Self::Hear(Batch { process, at: Whereabouts::Fenced, .. }) => {
                write!(f, "{} hears that its incarnation is fenced", p(process.unwrap_or_default()))
            }
            Self::Hear(batch) => {
                write!(f, "{} acknowledges {batch}", p(batch.process.unwrap_or_default()))
            }
            Self::GiveUp(batch) => {
                write!(f, "{} waits no more for {batch}", p(batch.process.unwrap_or_default()))
            }
            Self::TakeAnyway(batch) => {
                write!(f, "{} takes {batch} without Redis", p(batch.process.unwrap_or_default()))
            }
            Self::Close(process) => write!(f, "{} closes its open epoch", p(process)),
            Self::Add(process) => write!(f, "{} sends its closed epoch to the ledger", p(process)),
            Self::Commit(Addition { author: of, epoch, sums, .. }) => {
                write!(f, "the ledger executes epoch {epoch} of {} ({})", author(of), calls(sums))
            }
            Self::HearAdded(process) => write!(f, "{} hears from the ledger", p(process)),
            Self::GiveUpAdded(process) => write!(f, "{} loses the ledger's answer", p(process)),
            Self::Settle(process) => write!(f, "{} settles its closed epoch in Redis", p(process)),
            Self::FailToSettle(process) => write!(f, "{} cannot reach Redis to settle", p(process)),
            Self::SettleLate(Settlement { author: of, epoch, .. }) => {
                write!(f, "Redis settles, late, epoch {epoch} of {}", author(of))
            }
            Self::Adopt { process, of, step } => write!(f, "{} adopts {}: {step}", p(process), author(of)),
            Self::BeginRaise(process) => write!(f, "{} begins a whole raise of the board", p(process)),
            Self::ReadTotals(process) => write!(f, "{} reads the totals", p(process)),
            Self::RaiseBoard(process) => write!(f, "{} raises the board to these totals", p(process)),
            Self::EndRaise(process) => write!(f, "{} ends its raise", p(process)),
            Self::Crash(process) => write!(f, "{} is killed", p(process)),
            Self::Lapse(process) => write!(f, "{} hangs until its claim lapses, and goes on", p(process)),
            Self::Snapshot => write!(f, "Redis writes a snapshot"),
            Self::FallBack => write!(f, "Redis restarts from its snapshot"),
            Self::Empty => write!(f, "Redis is emptied"),
        }
    }
}
