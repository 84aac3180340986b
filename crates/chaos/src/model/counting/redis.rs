//! The live tier: the board, what is pending of each epoch, fences and the mark. A method is one script.

use super::{
    Rule,
    state::{AUTHORS, Calls, EPOCHS, USERS, raise},
};

/// Says whether the board holds all that the ledger holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Mark {
    /// Lost.
    Absent,
    /// A whole raise has begun.
    Raising { nonce: u8, stamp: u8 },
    /// A whole raise has ended in the engine's run of this stamp.
    Sound { stamp: u8 },
}

/// What may be lost. User `u` and all that is written of it is in partition `u`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Redis {
    /// The board.
    pub(super) live: Calls,
    /// The users of the admitted calls of an author's epoch.
    pub(super) pending: [[Calls; EPOCHS]; AUTHORS],
    /// In which partitions an author is fenced.
    pub(super) fence: [[bool; USERS]; AUTHORS],
    pub(super) mark: Mark,
    /// Of the engine's run.
    pub(super) stamp: u8,
}

/// Where a batch is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Whereabouts {
    /// On its way to Redis.
    Sent,
    /// Executed; the answer is on its way.
    Admitted,
    /// Refused, for its author is fenced; the answer is on its way.
    Fenced,
}

/// The end of an epoch that the ledger holds, on its way to Redis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Settlement {
    pub(super) author: u8,
    pub(super) epoch: u8,
    /// Of the epoch's users.
    pub(super) totals: Calls,
}

/// A batch of one call: several calls in one batch are several batches that meet no other step between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Batch {
    pub(super) author: u8,
    pub(super) epoch: u8,
    pub(super) user: u8,
    pub(super) at: Whereabouts,
    /// The ledger was told of its epoch without it.
    pub(super) is_late: bool,
    /// Who waits for its answer; it may be executed all the same if nobody does.
    pub(super) process: Option<u8>,
}

impl Redis {
    /// An engine that holds nothing.
    pub(super) fn empty(stamp: u8) -> Self {
        let (pending, fence) = ([[[0; USERS]; EPOCHS]; AUTHORS], [[false; USERS]; AUTHORS]);
        Self { live: [0; USERS], pending, fence, mark: Mark::Absent, stamp }
    }

    fn pending(&mut self, author: u8, epoch: u8) -> &mut Calls {
        &mut self.pending[usize::from(author)][usize::from(epoch) - 1]
    }

    /// Admits a call, unless its author is fenced.
    pub(super) fn admit(&mut self, batch: Batch) -> Whereabouts {
        let user = usize::from(batch.user);
        if self.fence[usize::from(batch.author)][user] {
            return Whereabouts::Fenced;
        }
        self.live[user] += 1;
        self.pending(batch.author, batch.epoch)[user] += 1;
        Whereabouts::Admitted
    }

    /// From here on this partition refuses the author.
    pub(super) fn fence(&mut self, author: u8, partition: u8) {
        self.fence[usize::from(author)][usize::from(partition)] = true;
    }

    /// What one partition has pending of an epoch.
    pub(super) fn pending_of(&self, author: u8, epoch: u8, partition: u8) -> u8 {
        let epochs = self.pending[usize::from(author)];
        epochs.get(usize::from(epoch) - 1).map_or(0, |users| users[usize::from(partition)])
    }

    /// Forgets what is pending of an epoch that the ledger holds.
    pub(super) fn forget(&mut self, author: u8, epoch: u8) {
        if let Some(users) = self.pending[usize::from(author)].get_mut(usize::from(epoch) - 1) {
            *users = [0; USERS];
        }
    }

    /// Raises the board and forgets what is pending.
    pub(super) fn settle(&mut self, Settlement { author, epoch, totals }: Settlement) {
        self.raise(totals);
        self.forget(author, epoch);
    }

    /// Says that the board may not hold all that the ledger holds.
    pub(super) fn take_mark(&mut self) {
        self.mark = Mark::Absent;
    }

    /// Raises the board to totals.
    pub(super) fn raise(&mut self, totals: Calls) {
        raise(&mut self.live, totals);
    }

    /// Whether nothing was lost since the last whole raise.
    pub(super) fn is_sound(&self, broken: Option<Rule>) -> bool {
        match self.mark {
            Mark::Sound { stamp } => stamp == self.stamp || broken == Some(Rule::MarkBearsStamp),
            Mark::Absent | Mark::Raising { .. } => false,
        }
    }

    /// Begins a whole raise, or joins the one that is under way in this run of the engine. Answers its nonce and the stamp.
    pub(super) fn begin_raise(&mut self, nonce: u8, broken: Option<Rule>) -> (u8, u8) {
        if let Mark::Raising { nonce, stamp } = self.mark
            && stamp == self.stamp
            && broken != Some(Rule::RaisersJoin)
        {
            return (nonce, stamp);
        }
        self.mark = Mark::Raising { nonce, stamp: self.stamp };
        (nonce, self.stamp)
    }

    /// Ends a whole raise, if nothing was lost since it began. Whether the board is sound now.
    pub(super) fn end_raise(&mut self, nonce: u8, stamp: u8, broken: Option<Rule>) -> bool {
        let is_same_run = self.stamp == stamp || broken == Some(Rule::RaiseComparesStamp);
        let is_own = matches!(self.mark, Mark::Raising { nonce: other, .. } if other == nonce)
            || broken == Some(Rule::RaiseComparesMark);
        if is_own && is_same_run {
            self.mark = Mark::Sound { stamp: self.stamp };
        }
        self.is_sound(broken)
    }
}
