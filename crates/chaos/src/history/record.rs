//! The whole history of a stage.

use std::collections::BTreeMap;

use super::{Api, Engine, Event, Fault, Micros, ProcessId, Terms, User};

/// A place on a leaderboard: the number that Tollbar gave the account, and its calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Whose.
    pub id: u64,
    /// How many.
    pub calls: u64,
}

/// A leaderboard that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Board {
    /// When it was asked for.
    pub sent: Micros,
    /// When it was there.
    pub received: Micros,
    /// Of whom.
    pub process: ProcessId,
    /// Whether it says that it is the ledger's, which is behind.
    pub is_stale: bool,
    /// The places, best first.
    pub places: Vec<Place>,
}

/// A line of a process' log: the live tier was not told of a change of sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unconfirmed {
    /// Who says so.
    pub process: ProcessId,
    /// Whose sessions, by Tollbar's number.
    pub id: u64,
    /// When it was said.
    pub at: Micros,
}

/// A time in which the machine or an engine did not go on, by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stall {
    /// Which engine; `None`: the machine.
    pub engine: Option<Engine>,
    /// From when.
    pub from: Micros,
    /// Until when.
    pub to: Micros,
}

/// Calls by policy and by Tollbar's number of the account.
pub type Totals = BTreeMap<(Api, u64), u64>;

/// What was read when all was healed and nobody called any more.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Final {
    /// The ledger.
    pub ledger: Totals,
    /// The live totals.
    pub live: Totals,
    /// The leaderboard of each process.
    pub boards: Vec<Vec<Place>>,
    /// The number of callers of `/ping` that each process says.
    pub counts: Vec<u64>,
    /// How long after the last call these readings were complete, or were given up.
    pub settled_after: Micros,
    /// Processes that did not end in order within their time, and what else their logs hold that must not be there.
    pub complaints: Vec<String>,
}

/// All that is known of a stage.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// The settings.
    pub terms: Terms,
    /// The requests, in no order.
    pub events: Vec<Event>,
    /// The leaderboards that were read meanwhile, in no order.
    pub boards: Vec<Board>,
    /// The faults, one after the other.
    pub faults: Vec<Fault>,
    /// When something stood still of itself; under a fault of an engine, that engine's are part of the fault.
    pub stalls: Vec<Stall>,
    /// Changes of which the live tier was not told, as the logs have them.
    pub unconfirmed: Vec<Unconfirmed>,
    /// Tollbar's number of each account, where a token has told it.
    pub ids: Vec<Option<u64>>,
    /// The readings at the end.
    pub end: Final,
}

impl History {
    /// Tollbar's number of an account.
    pub fn id(&self, user: User) -> Option<u64> {
        self.ids.get(user as usize).copied().flatten()
    }

    /// The requests of each account that made any, each in the order of their sending.
    pub fn by_user(&self) -> BTreeMap<User, Vec<&Event>> {
        let mut users = BTreeMap::<_, Vec<_>>::new();
        for event in &self.events {
            if let Some(user) = event.user {
                users.entry(user).or_default().push(event);
            }
        }
        for events in users.values_mut() {
            events.sort_by_key(|event| event.sent);
        }
        users
    }
}
