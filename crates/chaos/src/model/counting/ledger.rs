//! The durable tier: totals, and of each author how far it is flushed. A method is one transaction.

use super::{
    Rule,
    state::{AUTHORS, Calls, USERS, add},
};

/// One run of a process, as the ledger knows it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) struct Author {
    /// Registered, so that it is known to whoever could adopt it.
    pub(super) begun: bool,
    /// Its claim is not renewed: it is dead, begins anew, or hangs.
    pub(super) lapsed: bool,
    /// The last of its epochs that the totals hold.
    pub(super) flushed: u8,
    pub(super) adopted: Adopted,
}

/// How far others have got with an author.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Adopted {
    #[default]
    No,
    /// Its epochs are in the ledger; nothing of its own is added any more.
    Closed,
    /// Nothing of it is left to see to.
    Settled,
}

impl Author {
    /// Whether somebody has to see to its epochs.
    pub(super) fn is_adoptable(self) -> bool {
        self.begun && self.lapsed && self.adopted != Adopted::Settled
    }
}

/// What must never be lost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) struct Ledger {
    pub(super) totals: Calls,
    pub(super) authors: [Author; AUTHORS],
}

/// The transaction that adds an epoch, on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Addition {
    pub(super) author: u8,
    pub(super) epoch: u8,
    pub(super) sums: Calls,
    /// Who waits for its answer; it may be committed all the same if nobody does.
    pub(super) process: Option<u8>,
}

impl Ledger {
    pub(super) fn author(&self, author: u8) -> Author {
        self.authors[usize::from(author)]
    }

    pub(super) fn author_mut(&mut self, author: u8) -> &mut Author {
        &mut self.authors[usize::from(author)]
    }

    /// Adds an epoch of an author that is not closed, unless it is in the totals already. `None`: closed.
    pub(super) fn add(&mut self, addition: Addition, broken: Option<Rule>) -> Option<Calls> {
        let author = &mut self.authors[usize::from(addition.author)];
        if author.adopted != Adopted::No {
            return None;
        }
        if author.flushed < addition.epoch || broken == Some(Rule::EpochGuard) {
            author.flushed = author.flushed.max(addition.epoch);
            add(&mut self.totals, addition.sums);
        }
        Some(self.totals_of(addition.sums))
    }

    /// Adds the epochs of a lapsed author that are not in the totals, from what Redis noted, and closes it.
    pub(super) fn adopt(&mut self, of: u8, pending: &[(u8, Calls)], broken: Option<Rule>) -> Calls {
        let author = &mut self.authors[usize::from(of)];
        let mut named = [0; USERS];
        for &(epoch, users) in pending {
            add(&mut named, users);
            let is_new = author.flushed < epoch || broken == Some(Rule::AdoptionGuard);
            if author.adopted == Adopted::No && is_new {
                author.flushed = author.flushed.max(epoch);
                add(&mut self.totals, users);
            }
        }
        author.adopted = match broken {
            Some(Rule::AdoptionCloses) => Adopted::No,
            Some(Rule::AdoptionEndsLast) => Adopted::Settled,
            _ => Adopted::Closed.max(author.adopted),
        };
        self.totals_of(named)
    }

    /// The totals of those users alone that have calls here.
    fn totals_of(&self, named: Calls) -> Calls {
        std::array::from_fn(|user| if named[user] > 0 { self.totals[user] } else { 0 })
    }
}
