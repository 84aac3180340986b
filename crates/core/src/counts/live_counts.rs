//! Whether the live counts may lack calls that the ledger has.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// What is known of the live counts. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct LiveCounts(Arc<Known>);

#[derive(Debug, Default)]
struct Known {
    /// This process could not raise them, or has found something missing.
    own: AtomicBool,
    /// Another one said so in the ledger, or this one.
    any: AtomicBool,
}

impl LiveCounts {
    /// Whether some process knows that they lack calls.
    pub fn are_behind(&self) -> bool {
        self.are_behind_here() || self.0.any.load(Ordering::Relaxed)
    }

    /// Whether it is this one that does.
    pub(super) fn are_behind_here(&self) -> bool {
        self.0.own.load(Ordering::Relaxed)
    }

    pub(crate) fn set_here(&self, behind: bool) {
        self.0.own.store(behind, Ordering::Relaxed);
        self.tell();
    }

    pub(super) fn set_any(&self, behind: bool) {
        self.0.any.store(behind, Ordering::Relaxed);
        self.tell();
    }

    fn tell(&self) {
        metrics::gauge!("tollbar_counts_behind").set(if self.are_behind() { 1.0 } else { 0.0 });
    }
}
