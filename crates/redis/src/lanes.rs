//! Queues whose calls travel together. No timer: a lane that is idle sends at once, and a batch forms only while the one
//! before it is under way.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use metrics::{Gauge, gauge};
use tokio::sync::oneshot;
use tollbar_core::{StoreError, Trip, domain::Timestamp, ports::Crossing};

use crate::{
    batch::{Call, MOST},
    keys::Partition,
};

pub(crate) type Answer = Result<Crossing, StoreError>;

/// A call that waits.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) call: Call,
    /// By the steady clock: when its caller ceases to wait.
    pub(crate) until: Timestamp,
    /// Its caller's share in the trip.
    pub(crate) trip: Trip,
    pub(crate) answer: oneshot::Sender<Answer>,
}

/// The lanes of one live tier.
#[derive(Debug)]
pub(crate) struct Lanes {
    all: Vec<Arc<Lane>>,
    /// How many calls may wait in one of them.
    limit: usize,
    by_partition: bool,
}

/// One queue, with one batch under way at most.
#[derive(Debug)]
struct Lane {
    queue: Mutex<Queue>,
    /// How many calls wait while a batch is under way.
    depth: Gauge,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Waiting>,
    /// Whether somebody takes batches.
    is_driven: bool,
}

/// A queue takes no more.
#[derive(Debug)]
pub(crate) struct Full;

/// The right and the duty to take batches until none is left.
#[derive(Debug)]
pub(crate) struct Turn {
    lane: Arc<Lane>,
    is_over: bool,
}

impl Lanes {
    /// A thread keeps to one of `count` lanes, so that its calls need not wake another thread; or each partition has its own.
    pub(crate) fn new(count: usize, limit: usize, by_partition: bool) -> Self {
        let lane = |number: usize| {
            let depth = gauge!("tollbar_gate_queue_calls", "lane" => number.to_string());
            Arc::new(Lane { queue: Mutex::default(), depth })
        };
        Self { all: (0..count).map(lane).collect(), limit, by_partition }
    }

    /// The lane for a call on this thread.
    pub(crate) fn choose(&self, partition: Partition) -> usize {
        static THREADS: AtomicUsize = AtomicUsize::new(0);
        thread_local! {
            static THREAD: usize = THREADS.fetch_add(1, Relaxed);
        }
        let number = if self.by_partition { partition.index() } else { THREAD.with(|thread| *thread) };
        number % self.all.len()
    }

    /// Queues a call. Where the lane was idle, its caller is given the turn, and with it the duty. A queue that is full takes
    /// nothing.
    pub(crate) fn push(&self, at: usize, waiting: Waiting) -> Result<Option<Turn>, Full> {
        let mut queue = self.all[at].queue();
        if queue.waiting.len() >= self.limit {
            return Err(Full);
        }
        queue.waiting.push_back(waiting);
        let was_idle = !std::mem::replace(&mut queue.is_driven, true);
        Ok(was_idle.then(|| Turn { lane: Arc::clone(&self.all[at]), is_over: false }))
    }
}

impl Lane {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    /// The next batch, whose counted calls are of one epoch; `None` ends the turn. Whose caller has left is not sent.
    pub(crate) fn next_batch(&mut self) -> Option<Vec<Waiting>> {
        let mut queue = self.lane.queue();
        let mut batch = Vec::with_capacity(queue.waiting.len().min(MOST));
        let mut epoch = None;
        while batch.len() < MOST
            && let Some(next) = queue.waiting.front()
        {
            let has_left = next.answer.is_closed();
            // Only of a call that is taken along: another one's epoch must not keep it waiting.
            if !has_left && next.call.epoch.is_some_and(|other| *epoch.get_or_insert(other) != other) {
                break;
            }
            batch.extend(queue.waiting.pop_front().filter(|_| !has_left));
        }
        #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52")]
        self.lane.depth.set(queue.waiting.len() as f64);
        if batch.is_empty() {
            (queue.is_driven, self.is_over) = (false, true);
            return None;
        }
        Some(batch)
    }
}

impl Drop for Turn {
    /// Where the task ends in the midst of it, with its runtime or by a panic, the next call begins a new turn; those who wait
    /// without one are told that they were not sent.
    fn drop(&mut self) {
        if !self.is_over {
            let mut queue = self.lane.queue();
            queue.is_driven = false;
            queue.waiting.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use tollbar_core::domain::{ApiName, Epoch, EpochId, Incarnation, Policy, PolicyName, UserId};

    use super::*;

    /// A call of an epoch, and its caller.
    fn waiting(epoch: u64) -> (Waiting, oneshot::Receiver<Answer>) {
        let id = EpochId { incarnation: Incarnation::from_bytes([1; 16]), epoch: Epoch::new(epoch) };
        let policy = Policy::unlimited(PolicyName::new("p").unwrap(), ApiName::new("a").unwrap());
        let who = UserId::new(1).unwrap().into();
        let (answer, caller) = oneshot::channel();
        let call = Call { who, session: None, epoch: Some(id), policy };
        (Waiting { call, until: Timestamp::default(), trip: Trip::untold(), answer }, caller)
    }

    #[test]
    fn a_batch_is_of_one_epoch_and_of_callers_that_are_there() {
        let lanes = Lanes::new(1, 9, false);
        let mut turn = None;
        let mut callers = Vec::new();
        for epoch in [7, 7, 8, 8, 9] {
            let (waiting, caller) = waiting(epoch);
            turn = turn.or(lanes.push(0, waiting).unwrap());
            callers.push(caller);
        }
        // Whoever has left does not keep a call of a later epoch waiting.
        callers.drain(..2);
        let mut turn = turn.unwrap();
        let mut next = || turn.next_batch().map(|batch| batch.len());
        assert_eq!((next(), next(), next()), (Some(2), Some(1), None));
    }
}
