//! What calls ask of the flusher, and how many wait for it.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::sync::{Notify, watch};

use super::sums::lock;
use crate::domain::{Incarnation, Timestamp};

/// How often what became of calls is told where epochs are committed for those who wait for them: it costs more than their sums.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// What calls ask of the flusher.
#[derive(Debug, Default)]
pub(super) struct Wishes {
    /// Somebody waits for the ledger, or was fenced.
    pub(super) any: Notify,
    /// Who was fenced last.
    pub(super) fenced: Mutex<Option<Incarnation>>,
    /// How many calls wait for the ledger.
    waiting: watch::Sender<usize>,
    /// When an epoch told last what became of calls, by a clock that only goes on.
    told: Mutex<Option<Timestamp>>,
    /// Whether no epoch will come after.
    is_last: AtomicBool,
}

/// A call that waits for the ledger, for as long as this lives.
pub(super) struct Wish<'a>(&'a Wishes);

impl Wishes {
    pub(super) fn wait(&self) -> Wish<'_> {
        self.waiting.send_modify(|waiting| *waiting += 1);
        Wish(self)
    }

    /// From now on each epoch tells: there may be no later one.
    pub(super) fn tell_all(&self) {
        self.is_last.store(true, Ordering::Relaxed);
    }

    /// Whether an epoch that is sealed now tells what became of calls.
    pub(super) fn is_time_to_tell(&self, now: Timestamp) -> bool {
        let mut told = lock(&self.told);
        let is_time = self.is_last.load(Ordering::Relaxed)
            || *self.waiting.borrow() == 0
            || told.is_none_or(|told| now >= told + TELL_EVERY);
        if is_time {
            *told = Some(now);
        }
        is_time
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
