//! How much may happen in a run of the counting protocol.

use std::fmt;

use super::state::Left;
use crate::model::protocol::counted;

/// The bounds of a run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub(super) processes: u8,
    /// How many of them take calls; the others adopt and raise only.
    pub(super) callers: u8,
    /// Users, and partitions of Redis.
    pub(super) users: u8,
    /// Whether calls are taken without Redis, too.
    pub(super) without_redis: bool,
    /// Whether a raise under way may be joined at any moment, and not only where whoever began it is gone.
    pub(super) joins: bool,
    pub(super) left: Left,
}

/// Two calls, and nothing goes wrong.
pub(super) const CALM: Size = Size {
    processes: 2,
    callers: 1,
    users: 1,
    without_redis: false,
    joins: false,
    left: Left { calls: 2, crashes: 0, lapses: 0, losses: 0, lost_answers: 0, outages: 0 },
};

impl Size {
    pub(super) fn calls(mut self, calls: u8) -> Self {
        self.left.calls = calls;
        self
    }

    pub(super) fn crashes(mut self, crashes: u8) -> Self {
        self.left.crashes = crashes;
        self
    }

    pub(super) fn lapses(mut self, lapses: u8) -> Self {
        self.left.lapses = lapses;
        self
    }

    pub(super) fn losses(mut self, losses: u8) -> Self {
        self.left.losses = losses;
        self.joins = true;
        self
    }

    pub(super) fn lost_answers(mut self, lost_answers: u8) -> Self {
        self.left.lost_answers = lost_answers;
        self
    }

    /// Calls are taken without Redis, too, and settling fails so often.
    pub(super) fn without_redis(mut self, outages: u8) -> Self {
        self.without_redis = true;
        self.left.outages = outages;
        self
    }

    /// More whole raises than a process has reasons to begin. That there is a bound is what counts.
    pub(super) fn raises(&self) -> u8 {
        let Left { crashes, lapses, losses, outages, .. } = self.left;
        2 * losses + outages + lapses + 2 * self.processes * (crashes + 2 * lapses)
    }

    pub(super) fn small() -> Vec<Self> {
        vec![
            Size { callers: 2, ..CALM }.lost_answers(2),
            CALM.without_redis(1).lost_answers(1),
            CALM.without_redis(0).crashes(1).lost_answers(1),
            Size { processes: 3, ..CALM }.calls(1).without_redis(0).crashes(2),
            CALM.lapses(1),
            Size { users: 2, ..CALM }.calls(1).without_redis(0).lapses(1),
            CALM.calls(1).losses(1).lost_answers(1),
        ]
    }

    pub(super) fn large() -> Vec<Self> {
        let (two_callers, three) = (Size { callers: 2, ..CALM }, Size { processes: 3, ..CALM });
        vec![
            two_callers.calls(3).lost_answers(3),
            two_callers.calls(3).without_redis(2).lost_answers(1),
            Size { users: 2, ..three }.crashes(2).lost_answers(1),
            three.calls(3).without_redis(0).crashes(1).lost_answers(1),
            CALM.calls(3).without_redis(1).crashes(1).lost_answers(1),
            Size { users: 2, ..CALM }.without_redis(0).lapses(1).lost_answers(1),
            three.without_redis(0).lapses(1),
            two_callers.lapses(2),
            CALM.calls(3).lapses(1).lost_answers(1),
            two_callers.losses(1).lost_answers(1),
            CALM.without_redis(1).losses(1).lost_answers(1),
            CALM.calls(3).losses(2),
        ]
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Left { calls, crashes, lapses, losses, lost_answers, outages } = self.left;
        write!(f, "{}, {} with calls; ", counted(self.processes, "process"), self.callers)?;
        write!(f, "{}; {}", counted(self.users, "partition"), counted(calls, "call"))?;
        if self.without_redis {
            f.write_str(", also without Redis")?;
        }
        let faults = [
            (crashes, "crash"),
            (lapses, "hang"),
            (losses, "loss"),
            (lost_answers, "lost answer"),
            (outages, "failed settling"),
        ];
        let mut faults = faults.iter().filter(|(number, _)| *number > 0);
        faults.try_for_each(|(number, what)| write!(f, "; {}", counted(*number, what)))
    }
}
