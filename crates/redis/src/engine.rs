//! Calls to an engine: bounded in number and in time, and sent again only where that cannot count twice.

use std::{sync::Arc, time::Duration};

use fred::{
    bytes::Bytes,
    error::Error,
    types::{Value, config::Options},
};
use tokio::{
    sync::Semaphore,
    time::{sleep, timeout},
};
use tokio_util::sync::DropGuard;
use tollbar_core::{
    StoreError,
    ports::{Clock as _, SystemClock},
};

use crate::{
    arguments::Arguments,
    call::{Call, before},
    connections::Link,
    failure::{is_answer, is_of_replica, store_error, too_late},
    keys::Partition,
    message::{Message, Way},
    node::Node,
    redirect::NotExecuted,
    scripts::Script,
    topology::Topology,
};

/// How long a sign is kept that a server takes writes.
const SIGN_MS: u64 = 1_000;

/// Whether a command may be sent again where its answer was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sending {
    /// It counts or charges: a lost answer is an unknown outcome.
    Once,
    /// It does no harm twice.
    Repeatable,
}

/// The servers of one deployment, as the adapters call them.
#[derive(Debug)]
pub(crate) struct Engine {
    topology: Arc<Topology>,
    in_flight: Semaphore,
    deadline: Duration,
    once: Options,
    repeatable: Options,
    _ends: DropGuard,
}

/// Where the next try goes.
struct Next {
    node: Arc<Node>,
    way: Way,
}

impl Engine {
    pub(crate) fn new(topology: Arc<Topology>, deadline: Duration, max_in_flight: usize) -> Self {
        let options = |attempts| Options {
            max_attempts: Some(attempts),
            timeout: Some(before(deadline)),
            // Or else the driver would not send again, whatever the number of attempts.
            fail_fast: attempts == 1,
            ..Options::default()
        };
        Self {
            _ends: topology.end().clone().drop_guard(),
            topology,
            in_flight: Semaphore::new(max_in_flight.min(Semaphore::MAX_PERMITS)),
            deadline,
            once: options(1),
            repeatable: options(3),
        }
    }

    /// Runs a script on the keys of one partition, by its name, or by its text where the engine does not know it yet.
    pub(crate) async fn run(
        &self,
        at: Partition,
        operation: &'static str,
        sending: Sending,
        script: &Script,
        arguments: Arguments,
    ) -> Result<Value, StoreError> {
        let message = Message::script(script, arguments);
        self.exchange(at, None, self.deadline, operation, sending, message).await
    }

    /// The same for a lane, over connections that are closer to it, where they are up, and within a time of its own.
    pub(crate) async fn run_in(
        &self,
        (lane, within): (usize, Duration),
        at: Partition,
        operation: &'static str,
        sending: Sending,
        script: &Script,
        arguments: Arguments,
    ) -> Result<Value, StoreError> {
        let message = Message::script(script, arguments);
        self.exchange(at, Some(lane), within, operation, sending, message).await
    }

    /// Runs a command whose first argument is a key of this partition.
    pub(crate) async fn command(
        &self,
        at: Partition,
        operation: &'static str,
        sending: Sending,
        name: &'static str,
        arguments: Arguments,
    ) -> Result<Value, StoreError> {
        let message = Message::command(name, arguments);
        self.exchange(at, None, self.deadline, operation, sending, message).await
    }

    /// Several calls that together answer one question: the deadline is for all of them.
    pub(crate) async fn together<T>(
        &self,
        operation: &'static str,
        calls: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        // Each has this deadline, too, and is to hear of its end first: the breaker learns by that.
        let all = timeout(self.deadline + self.deadline / 20, calls).await;
        all.unwrap_or_else(|_| Err(StoreError::deadline(operation, self.deadline)))
    }

    /// Whether every server that serves any of these partitions takes writes.
    pub(crate) async fn check(
        &self,
        operation: &'static str,
        keys: impl Iterator<Item = (Partition, Bytes)>,
    ) -> Result<(), StoreError> {
        let mut asked: Vec<Arc<Node>> = Vec::new();
        let mut writes = Vec::new();
        for (at, key) in keys {
            let node = self.topology.node_of(at).ok_or_else(|| self.not_connected(operation))?;
            if !asked.iter().any(|other| Arc::ptr_eq(other, &node)) {
                asked.push(node);
                // A server that is full, or a replica, answers a PING and is of no use.
                let sign = Arguments::default().keys([key]).word("1").word("PX").number(SIGN_MS);
                writes.push(self.command(at, operation, Sending::Repeatable, "SET", sign));
            }
        }
        futures_util::future::try_join_all(writes).await.map(drop)
    }

    /// A place among the calls under way and a connection; without either nothing is sent. Then, wherever an answer says that
    /// nothing was executed, the call goes on, as long as it has time.
    ///
    /// What may be sent only once is not executed either after this has returned: by then it is too late for its script, and
    /// where a connection was lost with the answer, that time is waited for.
    async fn exchange(
        &self,
        at: Partition,
        lane: Option<usize>,
        within: Duration,
        operation: &'static str,
        sending: Sending,
        message: Message<'_>,
    ) -> Result<Value, StoreError> {
        let _permit = self.in_flight.try_acquire().map_err(|_| StoreError::overloaded(operation))?;
        let node = self.topology.node_of(at).ok_or_else(|| self.not_connected(operation))?;
        let link = node.pick(lane).ok_or_else(|| self.not_connected(operation))?.clone();
        let over = std::pin::pin!(sleep(within));
        let mut call = Call::begin(operation, at, within, over);
        let mut options = match sending {
            Sending::Once => self.once.clone(),
            Sending::Repeatable => self.repeatable.clone(),
        };
        let mut next = Next { node, way: Way::default() };
        let mut link = Some(link);
        loop {
            let link = match link.take() {
                Some(link) => link,
                None => self.connected(&mut call, &next.node).await?,
            };
            let not_after = if sending == Sending::Once && message.is_timed() {
                Some(call.latest(&link).await.ok_or_else(|| self.not_connected(operation))?)
            } else {
                None
            };
            options.timeout = Some(before(call.left()));
            let breaker = &next.node.breaker;
            let turn =
                if lane.is_some() { breaker.enter_together(operation) } else { breaker.enter(operation) }?;
            let asked = SystemClock.steady();
            let sent = message.send(&link.client, &options, Way { not_after, ..next.way });
            let answer = tokio::select! {
                biased;
                answer = sent => answer,
                () = call.is_over() => return turn.heed(Err(StoreError::deadline(operation, self.deadline))),
            };
            let error = match answer {
                Ok(answer) => return turn.heed(Ok(answer)),
                Err(error) => error,
            };
            let Some(why) = self.not_executed(&error, &next.node) else {
                if is_of_replica(&error) {
                    self.topology.hint();
                }
                if let Some(now) = too_late(&error) {
                    link.time.heard(now, asked);
                }
                let is_lost = !is_answer(&error);
                let failure = store_error(operation, self.deadline, error);
                // A connection that was lost is neither an answer nor silence.
                let failure =
                    if is_lost && !failure.is_silence() { Err(failure) } else { turn.heed(Err(failure)) };
                if is_lost && sending == Sending::Once {
                    call.is_over().await;
                }
                return failure;
            };
            // That, too, is an answer.
            turn.heed(Ok(()))?;
            next = self.follow(&mut call, next, why, error).await?;
        }
    }

    fn not_executed(&self, error: &Error, node: &Node) -> Option<NotExecuted> {
        let why = NotExecuted::of(error, &node.address.host)?;
        // A server by itself has no business to send us elsewhere.
        (why == NotExecuted::UnknownScript || self.topology.is_divided()).then_some(why)
    }

    async fn follow(
        &self,
        call: &mut Call<'_>,
        from: Next,
        why: NotExecuted,
        error: Error,
    ) -> Result<Next, StoreError> {
        let (operation, at) = (call.operation, call.at);
        let to = |node: Option<Arc<Node>>, asking| {
            let node = node.ok_or_else(|| self.not_connected(operation))?;
            Ok(Next { node, way: Way { asking, ..Way::default() } })
        };
        match why {
            // Not executed, so even what counts may be sent again. By its text it also becomes known.
            NotExecuted::UnknownScript if !from.way.by_text => {
                Ok(Next { way: Way { by_text: true, ..from.way }, ..from })
            }
            NotExecuted::UnknownScript => Err(store_error(operation, self.deadline, error)),
            NotExecuted::Moved(address) => {
                call.moves_on(error).await?;
                to(self.topology.moved(at, &address), false)
            }
            NotExecuted::Ask(address) => {
                call.moves_on(error).await?;
                to(self.topology.named(&address), true)
            }
            NotExecuted::TryAgain => {
                call.pause(error).await?;
                to(self.topology.node_of(at), false)
            }
        }
    }

    /// A connection to a server that a call was sent to: it may have to be connected first.
    async fn connected(&self, call: &mut Call<'_>, node: &Node) -> Result<Link, StoreError> {
        loop {
            if let Some(link) = node.pick(None) {
                return Ok(link.clone());
            }
            tokio::select! {
                biased;
                () = call.is_over() => return Err(self.not_connected(call.operation)),
                () = sleep(Duration::from_millis(1)) => {}
            }
        }
    }

    /// How long a call may take, all in all.
    pub(crate) fn deadline(&self) -> Duration {
        self.deadline
    }

    /// Ends all connections.
    pub(crate) async fn close(&self) {
        self.topology.close().await;
    }

    /// That nothing was sent; whoever watches looks for a server that is there.
    fn not_connected(&self, operation: &'static str) -> StoreError {
        self.topology.hint();
        StoreError::transient(operation, NotConnected)
    }
}

/// No connection is up: nothing was sent.
#[derive(Debug, thiserror::Error)]
#[error("not connected to redis")]
struct NotConnected;
