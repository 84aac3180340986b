//! What was broken, and when.

use std::fmt;

use super::{Micros, ProcessId};

/// One of the two tiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Engine {
    /// The live tier.
    Redis,
    /// The durable tier.
    Postgres,
}

/// What a link does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LinkFault {
    /// Connections are reset and refused.
    Refused,
    /// Nothing arrives, either way.
    Blackholed,
    /// Questions arrive and answers do not.
    Held,
    /// All arrives, well within a deadline.
    Slow,
    /// All arrives, after the deadline.
    Late,
}

/// A kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FaultKind {
    /// The link between processes and an engine.
    Link(Engine, LinkFault),
    /// The engine is killed and started again: Redis by SIGKILL, PostgreSQL by an immediate stop.
    Killed(Engine),
    /// The engine is stopped by SIGSTOP and goes on.
    Paused(Engine),
    /// Redis loses all keys.
    RedisEmptied,
    /// Redis is killed and comes back with the data of some time ago.
    RedisRolledBack,
    /// Redis is out of memory.
    RedisFull,
    /// Redis takes no writes.
    RedisReadOnly,
    /// Another session holds the tables, until all connections wait.
    PostgresLocked,
    /// A process is killed by SIGKILL and started again.
    ProcessKilled,
    /// A process is stopped by SIGSTOP for longer than its claim and goes on.
    ProcessPaused,
    /// A process is told to end by SIGTERM and is started again.
    ProcessEnded,
}

impl FaultKind {
    /// Whether it leaves processes without this engine: what needs it cannot be served.
    pub fn takes_away(self, engine: Engine) -> bool {
        match self {
            Self::Link(of, fault) => of == engine && fault != LinkFault::Slow,
            Self::Killed(of) | Self::Paused(of) => of == engine,
            Self::RedisRolledBack | Self::RedisFull | Self::RedisReadOnly => engine == Engine::Redis,
            Self::PostgresLocked => engine == Engine::Postgres,
            Self::RedisEmptied | Self::ProcessKilled | Self::ProcessPaused | Self::ProcessEnded => false,
        }
    }

    /// Whether an engine or a process is killed.
    pub fn is_kill(self) -> bool {
        matches!(self, Self::Killed(_) | Self::RedisRolledBack | Self::ProcessKilled)
    }

    /// Whether it is the process itself that is at fault.
    pub fn is_of_process(self) -> bool {
        matches!(self, Self::ProcessKilled | Self::ProcessPaused | Self::ProcessEnded)
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let engine = |engine: &Engine| match engine {
            Engine::Redis => "Redis",
            Engine::Postgres => "PostgreSQL",
        };
        match self {
            Self::Link(of, fault) => {
                let how = match fault {
                    LinkFault::Refused => "refused",
                    LinkFault::Blackholed => "blackholed",
                    LinkFault::Held => "answers held",
                    LinkFault::Slow => "slow",
                    LinkFault::Late => "later than its deadline",
                };
                write!(f, "{} {how}", engine(of))
            }
            Self::Killed(Engine::Redis) => f.write_str("Redis killed"),
            Self::Killed(Engine::Postgres) => f.write_str("PostgreSQL stopped at once"),
            Self::Paused(of) => write!(f, "{} hung", engine(of)),
            Self::RedisEmptied => f.write_str("Redis emptied"),
            Self::RedisRolledBack => f.write_str("Redis rolled back"),
            Self::RedisFull => f.write_str("Redis out of memory"),
            Self::RedisReadOnly => f.write_str("Redis read-only"),
            Self::PostgresLocked => f.write_str("PostgreSQL locked"),
            Self::ProcessKilled => f.write_str("Tollbar killed"),
            Self::ProcessPaused => f.write_str("Tollbar hung beyond its claim"),
            Self::ProcessEnded => f.write_str("Tollbar told to end"),
        }
    }
}

/// Which processes a fault is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reach {
    /// Every process.
    All,
    /// One of them.
    One(ProcessId),
}

impl Reach {
    /// Whether this process is hit.
    pub fn hits(self, process: ProcessId) -> bool {
        self == Self::All || self == Self::One(process)
    }
}

/// A fault that was injected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// What.
    pub kind: FaultKind,
    /// To whom.
    pub reach: Reach,
    /// Before anything was done.
    pub begun: Micros,
    /// It holds from here on.
    pub applied: Micros,
    /// It holds until here.
    pub healing: Micros,
    /// It is over: engines answer again, processes listen again.
    pub healed: Micros,
    /// Redis may have lost writes by it.
    pub loses_state: bool,
}

impl Fault {
    /// Whether something of it was there between these times.
    pub fn overlaps(&self, from: Micros, to: Micros) -> bool {
        self.begun <= to && from <= self.healed
    }

    /// Whether it held during all of this time.
    pub fn covers(&self, from: Micros, to: Micros) -> bool {
        self.applied <= from && to <= self.healing
    }
}
