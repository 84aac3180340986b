//! One call on its way: how much time it has, and how it waits where a slot is moving.

use std::{pin::Pin, time::Duration};

use fred::error::Error;
use tokio::time::{Sleep, sleep};
use tollbar_core::{
    StoreError,
    domain::Timestamp,
    ports::{Clock as _, SystemClock},
};

use crate::{connections::Link, keys::Partition};

/// What a call waits before it asks again: 2 ms, then twice as long each time, up to this.
const FIRST_WAIT: Duration = Duration::from_millis(2);
const LONGEST_WAIT: Duration = Duration::from_millis(32);
/// So often a call goes where it is sent without a wait.
const PROMPT_MOVES: u32 = 2;

/// A call that may be sent more than once, within one deadline.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) operation: &'static str,
    pub(crate) at: Partition,
    deadline: Duration,
    began: Timestamp,
    over: Pin<&'a mut Sleep>,
    wait: Duration,
    moves: u32,
}

impl<'a> Call<'a> {
    /// `over` is when its time is over.
    pub(crate) fn begin(
        operation: &'static str,
        at: Partition,
        deadline: Duration,
        over: Pin<&'a mut Sleep>,
    ) -> Self {
        Self { operation, at, deadline, began: SystemClock.steady(), over, wait: FIRST_WAIT, moves: 0 }
    }

    /// Until its time is over.
    pub(crate) fn is_over(&mut self) -> Pin<&mut Sleep> {
        self.over.as_mut()
    }

    /// The time that it has left.
    pub(crate) fn left(&self) -> Duration {
        let passed = SystemClock.steady().as_micros().saturating_sub(self.began.as_micros());
        self.deadline.saturating_sub(Duration::from_micros(passed))
    }

    /// The latest time at which a script may be executed for it, by the clock of the server at the link's end; `None` where that does
    /// not say what time it has.
    pub(crate) async fn latest(&mut self, link: &Link) -> Option<u64> {
        let known = link.time.after(before(self.left()));
        if known.is_some() {
            return known;
        }
        tokio::select! {
            biased;
            _ = link.time.learn(&link.client) => link.time.after(before(self.left())),
            () = self.over.as_mut() => None,
        }
    }

    /// Goes to another server: at once, but where it is sent to and fro. Two servers may each hold the other for the owner for a moment.
    pub(crate) async fn moves_on(&mut self, error: Error) -> Result<(), StoreError> {
        self.moves += 1;
        if self.moves > PROMPT_MOVES { self.pause(error).await } else { Ok(()) }
    }

    /// Waits a while before the next try. Where its time is over meanwhile, the last answer is its error.
    pub(crate) async fn pause(&mut self, error: Error) -> Result<(), StoreError> {
        let wait = self.wait;
        self.wait = (wait * 2).min(LONGEST_WAIT);
        tokio::select! {
            biased;
            () = self.over.as_mut() => Err(StoreError::transient(self.operation, error)),
            () = sleep(wait) => Ok(()),
        }
    }
}

/// The driver must give up first: it then does not send what still waits in its queue.
pub(crate) fn before(time: Duration) -> Duration {
    time.saturating_sub((time / 20).min(Duration::from_millis(5)))
}
