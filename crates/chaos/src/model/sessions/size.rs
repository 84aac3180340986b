//! How much may happen in a run of the session protocol.

use std::fmt;

use super::{
    change::{Change, Kind, Step},
    state::Left,
};
use crate::model::protocol::counted;

/// The bounds of a run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub(super) readers: u8,
    pub(super) logins: u8,
    pub(super) logouts: u8,
    pub(super) max_per_user: u32,
    /// The longest life of an entry; `session.cache_ttl` in ticks.
    pub(super) cache_ttl: u8,
    pub(super) left: Left,
}

/// One reader, one login and one logout, and nothing goes wrong.
pub(super) const CALM: Size = Size {
    readers: 1,
    logins: 1,
    logouts: 1,
    max_per_user: 1,
    cache_ttl: 1,
    left: Left { ticks: 0, crashes: 0, losses: 0, lost_answers: 0 },
};

/// What the promise is about: two readers, two logins and a logout.
const FULL: Size = Size { readers: 2, logins: 2, ..CALM };

impl Size {
    /// Time passes until what was written at first has ended.
    pub(super) fn cache_ttl(mut self, ticks: u8) -> Self {
        (self.cache_ttl, self.left.ticks) = (ticks, ticks);
        self
    }

    pub(super) fn crashes(mut self, crashes: u8) -> Self {
        self.left.crashes = crashes;
        self
    }

    pub(super) fn losses(mut self, losses: u8) -> Self {
        self.left.losses = losses;
        self
    }

    pub(super) fn lost_answers(mut self, lost_answers: u8) -> Self {
        self.left.lost_answers = lost_answers;
        self
    }

    pub(super) fn changes(&self) -> Vec<Change> {
        let logins = (0..self.logins).map(|_| Kind::Login);
        let logouts = (0..self.logouts).map(|_| Kind::Logout(None));
        logins.chain(logouts).map(|kind| Change { kind, step: Step::Idle }).collect()
    }

    pub(super) fn small() -> Vec<Self> {
        vec![
            Size { readers: 1, ..FULL },
            CALM.crashes(1),
            CALM.losses(1),
            CALM.lost_answers(1),
            CALM.cache_ttl(1).lost_answers(1),
            Size { logins: 2, logouts: 0, max_per_user: 2, ..CALM }.losses(1),
        ]
    }

    pub(super) fn large() -> Vec<Self> {
        let two_at_once = Size { max_per_user: 2, ..FULL };
        vec![
            FULL.crashes(1),
            FULL.losses(1),
            FULL.lost_answers(1),
            FULL.cache_ttl(1).lost_answers(1),
            two_at_once.crashes(1).losses(1),
            two_at_once.lost_answers(1),
            CALM.cache_ttl(3).lost_answers(2),
            CALM.cache_ttl(1).crashes(1).losses(1).lost_answers(1),
        ]
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { readers, logins, logouts, max_per_user, cache_ttl, left } = self;
        write!(f, "{}, {}, ", counted(*readers, "reader"), counted(*logins, "login"))?;
        write!(f, "{}; {} at once", counted(*logouts, "logout"), counted(*max_per_user, "session"))?;
        if left.ticks > 0 {
            write!(f, "; an entry lives {}", counted(*cache_ttl, "tick"))?;
        }
        let faults = [(left.crashes, "crash"), (left.losses, "loss"), (left.lost_answers, "lost answer")];
        let mut faults = faults.iter().filter(|(number, _)| *number > 0);
        faults.try_for_each(|(number, what)| write!(f, "; {}", counted(*number, what)))
    }
}
