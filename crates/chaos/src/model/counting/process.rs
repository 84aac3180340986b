//! A process: its epochs, its flush, and what it does for others.

use super::state::{Calls, USERS};

/// What a process has in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Process {
    pub(super) is_alive: bool,
    /// Its incarnation. A new one begins where the old one was adopted.
    pub(super) author: u8,
    pub(super) open: Epoch,
    pub(super) closed: Option<Closed>,
    pub(super) adoption: Option<Adoption>,
    pub(super) raising: Option<Raising>,
    /// Totals of the ledger may not have reached the board.
    pub(super) must_raise: bool,
    /// Whole raises that it began; makes its nonces differ.
    pub(super) raises: u8,
}

/// The calls of an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Epoch {
    pub(super) number: u8,
    /// Everything that the ledger will be told.
    pub(super) sums: Calls,
    /// Of these, the calls that are acknowledged only after the transaction.
    pub(super) waiting: Calls,
}

impl Epoch {
    pub(super) fn new(number: u8) -> Self {
        Self { number, sums: [0; USERS], waiting: [0; USERS] }
    }
}

/// An epoch that no further call can enter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Closed {
    pub(super) epoch: Epoch,
    pub(super) step: Flush,
}

/// How far the flush of a closed epoch is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Flush {
    /// Batches may be in flight.
    Draining,
    /// The transaction is on its way.
    Adding,
    /// The transaction's answer is on its way: the totals, or that the author is closed.
    Answered(Option<Calls>),
    /// The board is to be raised to these totals.
    Settling(Calls),
}

/// The adoption of a lapsed author.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Adoption {
    pub(super) of: u8,
    pub(super) step: Adopt,
    /// The last epoch that was flushed when it was asked.
    pub(super) flushed: u8,
    /// What is pending of the two epochs after that.
    pub(super) pending: [Calls; 2],
}

/// The next step of an adoption.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Adopt {
    Fence { partition: u8 },
    AskFlushed,
    ReadPending { partition: u8 },
    Commit,
    Settle(Calls),
    Leave,
}

/// A whole raise of the board.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Raising {
    pub(super) nonce: u8,
    /// Totals of the ledger may not have reached the board when it began.
    pub(super) had_to: bool,
    /// Of the engine's run when it began.
    pub(super) stamp: u8,
    pub(super) step: Raise,
}

/// The next step of a raise. One page stands for all: the users of different pages have nothing in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Raise {
    Read,
    Write(Calls),
    End,
}

impl Process {
    /// A process that has not registered its author yet.
    pub(super) fn new(author: u8) -> Self {
        Self {
            is_alive: true,
            author,
            open: Epoch::new(1),
            closed: None,
            adoption: None,
            raising: None,
            must_raise: false,
            raises: 0,
        }
    }

    /// Whether a call waits for the ledger.
    pub(super) fn is_awaited(&self) -> bool {
        let waits = |epoch: &Epoch| epoch.waiting != [0; USERS];
        waits(&self.open) || self.closed.is_some_and(|closed| waits(&closed.epoch))
    }

    /// The epoch of this number, if calls of it can still be added to its sums.
    pub(super) fn epoch_mut(&mut self, author: u8, number: u8) -> Option<&mut Epoch> {
        let closed = self.closed.as_mut().map(|closed| &mut closed.epoch);
        let mut epochs = closed.into_iter().chain([&mut self.open]);
        epochs.find(|epoch| author == self.author && epoch.number == number)
    }
}
