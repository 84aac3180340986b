//! What calls ask of the flusher, and how many wait for it.

use std::{sync::Mutex, time::Duration};

use tokio::sync::{Notify, watch};

use crate::domain::Incarnation;

/// What calls ask of the flusher.
#[derive(Debug, Default)]
pub(super) struct Wishes {
    /// Somebody waits for the ledger, or was fenced.
    pub(super) any: Notify,
    /// Who was fenced last.
    pub(super) fenced: Mutex<Option<Incarnation>>,
    /// How many calls wait for the ledger.
    waiting: watch::Sender<usize>,
}

/// A call that waits for the ledger, for as long as this lives.
pub(super) struct Wish<'a>(&'a Wishes);

impl Wishes {
    pub(super) fn wait(&self) -> Wish<'_> {
        self.waiting.send_modify(|waiting| *waiting += 1);
        Wish(self)
    }

    /// Returns when a call has waited for the ledger for this long, or longer.
    pub(super) async fn pressed(&self, patience: Duration) {
        let mut waiting = self.waiting.subscribe();
        loop {
            // It is not closed while this borrows its sender.
            let _ = waiting.wait_for(|waiting| *waiting > 0).await;
            tokio::time::sleep(patience).await;
            if *waiting.borrow_and_update() > 0 {
                return;
            }
        }
    }
}

impl Drop for Wish<'_> {
    fn drop(&mut self) {
        self.0.waiting.send_modify(|waiting| *waiting -= 1);
    }
}
