//! Queues whose calls travel together. No timer: a lane that is idle sends at once, and a batch forms only while the one
//! before it is under way.

use std::{
    collections::VecDeque,
    sync::{
        Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use fred::types::config::Config;
use tokio::{
    runtime::{Handle, RuntimeFlavor},
    sync::oneshot,
};
use tollbar_core::{StoreError, ports::Crossing};

use crate::{
    batch::{Call, MOST},
    connections::Connections,
    keys::Partition,
};

pub(crate) type Answer = Result<Crossing, StoreError>;

/// A call that waits.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) call: Call,
    pub(crate) answer: oneshot::Sender<Answer>,
}

/// The lanes of one live tier.
#[derive(Debug)]
pub(crate) struct Lanes {
    all: Vec<Lane>,
    /// How many calls may wait in one of them.
    limit: usize,
    by_partition: bool,
}

/// One queue, with one batch under way at most.
#[derive(Debug, Default)]
struct Lane {
    queue: Mutex<Queue>,
    /// Connections on the runtime of the thread that keeps to this lane, where that runtime is the thread's own.
    near: OnceLock<Connections>,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Waiting>,
    /// Whether somebody takes batches.
    is_driven: bool,
}

/// The right and the duty to take batches until none is left.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    lane: &'a Lane,
    is_over: bool,
}

impl Lanes {
    /// A thread keeps to one of `count` lanes, so that its calls need not wake another thread; or each partition has its own.
    pub(crate) fn new(count: usize, limit: usize, by_partition: bool) -> Self {
        Self { all: (0..count).map(|_| Lane::default()).collect(), limit, by_partition }
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

    /// Queues a call. Answers whether the lane was idle: the caller then sees to it that a [`turn`](Self::turn) is taken.
    /// `None`: the queue is full and takes nothing.
    pub(crate) fn push(&self, at: usize, waiting: Waiting) -> Option<bool> {
        let mut queue = self.all[at].queue();
        if queue.waiting.len() >= self.limit {
            return None;
        }
        queue.waiting.push_back(waiting);
        Some(!std::mem::replace(&mut queue.is_driven, true))
    }

    /// Connections that spare a batch the way to another thread and back: a lane opens one where it is first driven on a runtime
    /// of one thread. While it is not up, the batch takes the others.
    pub(crate) fn near(&self, at: usize, config: &Config) -> Option<&Connections> {
        let on_own_runtime = Handle::current().runtime_flavor() == RuntimeFlavor::CurrentThread;
        if self.by_partition || !on_own_runtime {
            return self.all[at].near.get();
        }
        Some(self.all[at].near.get_or_init(|| Connections::start(config, 1)))
    }

    /// Ends the connections of all lanes.
    pub(crate) async fn close(&self) {
        for near in self.all.iter().filter_map(|lane| lane.near.get()) {
            near.close().await;
        }
    }

    /// For whoever was told that the lane was idle.
    pub(crate) fn turn(&self, at: usize) -> Turn<'_> {
        Turn { lane: &self.all[at], is_over: false }
    }
}

impl Lane {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn<'_> {
    /// The next batch; `None` ends the turn. Whose caller has left is not sent.
    pub(crate) fn next_batch(&mut self) -> Option<Vec<Waiting>> {
        let mut queue = self.lane.queue();
        let mut batch = Vec::with_capacity(queue.waiting.len().min(MOST));
        while batch.len() < MOST
            && let Some(waiting) = queue.waiting.pop_front()
        {
            if !waiting.answer.is_closed() {
                batch.push(waiting);
            }
        }
        if batch.is_empty() {
            (queue.is_driven, self.is_over) = (false, true);
            return None;
        }
        Some(batch)
    }
}

impl Drop for Turn<'_> {
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
