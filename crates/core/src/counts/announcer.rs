//! Tells other processes, through the ledger, that the live counts lack what this one has added, and hears it of them.

use std::sync::{Arc, Mutex};

use super::{CallBook, LiveCounts, sums::lock};
use crate::{StoreError, domain::Incarnation, ports::CallLedger};

/// What each process knows, known to all.
pub(super) struct Announcer {
    ledger: Arc<dyn CallLedger>,
    counts: LiveCounts,
    /// Whose name says so in the ledger.
    told: Mutex<Option<Incarnation>>,
}

impl Announcer {
    pub(super) fn new(ledger: Arc<dyn CallLedger>, counts: LiveCounts) -> Self {
        Self { ledger, counts, told: Mutex::default() }
    }

    /// Tells others, under the book's name: they may see a live tier that takes itself for whole.
    pub(super) async fn tell(&self, book: &CallBook) -> Result<(), StoreError> {
        let behind = self.counts.are_behind_here().then(|| book.incarnation());
        let told = *lock(&self.told);
        if behind != told
            && let Some(name) = behind.or(told)
        {
            self.ledger.say_behind(name, behind.is_some()).await?;
            *lock(&self.told) = behind;
        }
        Ok(())
    }

    /// Hears it of them.
    pub(super) async fn hear(&self) -> Result<(), StoreError> {
        self.counts.set_any(self.ledger.is_any_behind().await?);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
