//! What follows the flush of an epoch: the live tier forgets what it has noted of it, and is raised to its totals.

use std::{collections::VecDeque, sync::Arc};

use tokio::sync::mpsc::Receiver;

use super::raiser::Raiser;
use crate::{
    domain::{EpochId, Tally},
    ports::PendingCalls,
};

/// How many epochs are remembered whose notes could not be removed; further ones end by themselves.
const MOST_UNSETTLED: usize = 256;

/// An epoch that is in the ledger.
pub(super) struct Flushed {
    /// Whose epoch, and which.
    pub(super) id: EpochId,
    /// The totals, as it left them, of whom it names.
    pub(super) totals: Vec<Tally>,
    /// Whether the live tier has not heard of all of it.
    pub(super) has_unheard: bool,
}

/// Tells the live tier of each epoch, until the flusher ends.
pub(super) async fn follow(
    mut flushed: Receiver<Flushed>,
    pending: Option<Arc<dyn PendingCalls>>,
    raiser: Arc<Raiser>,
) {
    let mut unsettled = VecDeque::new();
    while let Some(Flushed { id, totals, has_unheard }) = flushed.recv().await {
        if let Some(pending) = &pending {
            if unsettled.len() < MOST_UNSETTLED {
                unsettled.push_back(id);
            }
            settle(&mut unsettled, &**pending).await;
        }
        raiser.follow(&totals, has_unheard).await;
    }
}

/// Those before it, too, where that failed.
async fn settle(unsettled: &mut VecDeque<EpochId>, pending: &dyn PendingCalls) {
    while let Some(id) = unsettled.front() {
        if pending.settle(*id).await.is_err() {
            return;
        }
        unsettled.pop_front();
    }
}
