//! Forgets what the history of calls has kept for long enough.

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::CallBook;
use crate::ports::CallHistory;

/// Not at once, for at its start a process has better things to do.
const FIRST: Duration = Duration::from_secs(60);
/// How often after that.
const EVERY: Duration = Duration::from_secs(600);

pub(super) struct Pruner {
    pub(super) book: Arc<CallBook>,
    pub(super) history: Arc<dyn CallHistory>,
}

impl Pruner {
    /// Prunes until `stop`. Several processes may: each deletes what the others have left.
    pub(super) async fn run(&self, stop: &CancellationToken) {
        let mut wait = FIRST;
        while stop.run_until_cancelled(tokio::time::sleep(wait)).await.is_some() {
            wait = EVERY;
            match stop.run_until_cancelled(self.history.prune(self.book.now())).await {
                Some(Err(error)) => warn!(?error, "the history of calls has kept more than it should"),
                Some(Ok(())) => {}
                None => break,
            }
        }
    }
}
