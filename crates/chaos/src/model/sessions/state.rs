//! All that the session protocol remembers: in the durable tier, in Redis, in those who read and change, and on its way.

use super::{
    Size,
    change::Change,
    reader::Reader,
    redis::{Redis, Script, Terms},
    store::{Names, Set, Version},
};

/// More sessions than any size opens.
pub(super) const SESSIONS: usize = 8;

/// What may still happen in a run. Evictions and lapses are not counted: they may happen at any time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Left {
    pub(super) ticks: u8,
    pub(super) crashes: u8,
    pub(super) losses: u8,
    /// Scripts whose answer is lost, and which may be executed late.
    pub(super) lost_answers: u8,
}

/// A broken promise that no later moment would show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Wrong {
    /// A reader was let in with a session that had ended.
    LetIn,
    /// A reader was turned away with a session that lives.
    TurnedAway,
}

/// One moment of a run.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    /// Counts parts of `session.cache_ttl`.
    pub(super) clock: u8,
    pub(super) store: Set,
    pub(super) redis: Redis,
    /// What Redis may fall back to.
    pub(super) snapshot: Option<Redis>,
    pub(super) readers: Vec<Reader>,
    pub(super) changes: Vec<Change>,
    /// Scripts to whose answer nobody listens, sorted.
    pub(super) late: Vec<Script>,
    /// The sessions whose tokens clients have.
    pub(super) opened: Names,
    /// From when on a session must be dead, since a change that ended it is acknowledged.
    pub(super) dead_from: [Option<u8>; SESSIONS],
    pub(super) wrong: Option<Wrong>,
    pub(super) left: Left,
}

impl State {
    pub(super) fn new(size: &Size) -> Self {
        let store = Set::first();
        Self {
            clock: 0,
            store,
            redis: Redis::empty(0),
            snapshot: None,
            readers: vec![Reader::Idle; size.readers.into()],
            changes: size.changes(),
            late: Vec::new(),
            opened: store.sessions,
            dead_from: [None; SESSIONS],
            wrong: None,
            left: size.left,
        }
    }

    /// Leaves a script on its way, without anybody to hear its answer.
    pub(super) fn leave(&mut self, script: Script) {
        let at = self.late.partition_point(|other| *other < script);
        self.late.insert(at, script);
    }

    /// Whether a session must be dead by now.
    pub(super) fn must_be_dead(&self, session: Version) -> bool {
        self.dead_from[usize::from(session)].is_some_and(|from| from <= self.clock)
    }
}

impl super::Sessions {
    pub(super) fn terms(&self, state: &State) -> Terms {
        Terms { now: state.clock, cache_ttl: self.size.cache_ttl, broken: self.broken }
    }
}
