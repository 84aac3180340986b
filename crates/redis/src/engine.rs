//! Calls to an engine: bounded in number and in time, and sent again only where that cannot count twice.

use std::{sync::Arc, time::Duration};

use fred::{
    clients::{Client, WithOptions},
    error::Error,
    interfaces::ClientLike,
    types::{ClusterHash, CustomCommand, Value, config::Options},
};
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::timeout,
};
use tollbar_core::{Breaker, StoreError, ports::SystemClock};

use crate::{
    arguments::Arguments,
    connections::Connections,
    failure::{is_unknown_script, store_error},
    scripts::Script,
};

/// Whether a command may be sent again where its answer was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sending {
    /// It counts or charges: a lost answer is an unknown outcome.
    Once,
    /// It does no harm twice.
    Repeatable,
}

/// One engine, as the adapters call it.
#[derive(Debug)]
pub(crate) struct Engine {
    connections: Connections,
    in_flight: Semaphore,
    breaker: Breaker,
    deadline: Duration,
    once: Options,
    repeatable: Options,
}

impl Engine {
    pub(crate) fn new(connections: Connections, deadline: Duration, max_in_flight: usize) -> Self {
        let options = |attempts| Options {
            max_attempts: Some(attempts),
            // The driver must give up first: it then does not send what still waits in its queue.
            timeout: Some(deadline.saturating_sub((deadline / 20).min(Duration::from_millis(5)))),
            // Or else the driver would not send again, whatever the number of attempts.
            fail_fast: attempts == 1,
            ..Options::default()
        };
        Self {
            connections,
            breaker: Breaker::new(Arc::new(SystemClock)),
            in_flight: Semaphore::new(max_in_flight.min(Semaphore::MAX_PERMITS)),
            deadline,
            once: options(1),
            repeatable: options(3),
        }
    }

    /// Runs a script on the keys of one partition, by its name, or by its text where the engine does not know it yet.
    pub(crate) async fn run(
        &self,
        operation: &'static str,
        sending: Sending,
        script: &Script,
        arguments: Arguments,
    ) -> Result<Value, StoreError> {
        self.run_near(None, operation, sending, script, arguments).await
    }

    /// The same over connections that are closer to the caller, where they are up.
    pub(crate) async fn run_near(
        &self,
        near: Option<&Connections>,
        operation: &'static str,
        sending: Sending,
        script: &Script,
        arguments: Arguments,
    ) -> Result<Value, StoreError> {
        let (client, _permit) = self.enter(near, operation, sending)?;
        let exchange = async {
            match send(&client, "EVALSHA", FIRST_KEY, arguments.after(&script.name)).await {
                // Not executed, so even what counts may be sent again. EVAL also makes the script known.
                Err(error) if is_unknown_script(&error) => {
                    send(&client, "EVAL", FIRST_KEY, arguments.after(&script.text)).await
                }
                answer => answer,
            }
        };
        self.within_deadline(operation, exchange).await
    }

    /// Runs a command whose first argument is its key.
    pub(crate) async fn command(
        &self,
        operation: &'static str,
        sending: Sending,
        name: &'static str,
        arguments: Arguments,
    ) -> Result<Value, StoreError> {
        let (client, _permit) = self.enter(None, operation, sending)?;
        self.within_deadline(operation, send(&client, name, 0, arguments.all())).await
    }

    /// Several calls that together answer one question: the deadline is for all of them.
    pub(crate) async fn together<T>(
        &self,
        operation: &'static str,
        calls: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let all = timeout(self.deadline, calls).await;
        all.unwrap_or_else(|_| Err(StoreError::deadline(operation, self.deadline)))
    }

    /// A connected client and a place among the calls under way; without either nothing is sent.
    fn enter(
        &self,
        near: Option<&Connections>,
        operation: &'static str,
        sending: Sending,
    ) -> Result<(WithOptions<Client>, SemaphorePermit<'_>), StoreError> {
        let permit = self.in_flight.try_acquire().map_err(|_| StoreError::overloaded(operation))?;
        let client = near.and_then(Connections::pick).or_else(|| self.connections.pick());
        let client = client.ok_or_else(|| StoreError::transient(operation, NotConnected))?;
        let options = match sending {
            Sending::Once => &self.once,
            Sending::Repeatable => &self.repeatable,
        };
        Ok((client.with_options(options), permit))
    }

    async fn within_deadline(
        &self,
        operation: &'static str,
        exchange: impl Future<Output = Result<Value, Error>>,
    ) -> Result<Value, StoreError> {
        let turn = self.breaker.enter(operation)?;
        turn.heed(match timeout(self.deadline, exchange).await {
            Ok(answer) => answer.map_err(|error| store_error(operation, self.deadline, error)),
            Err(_) => Err(StoreError::deadline(operation, self.deadline)),
        })
    }

    /// How long a call may take, all in all.
    pub(crate) fn deadline(&self) -> Duration {
        self.deadline
    }

    /// Ends all connections.
    pub(crate) async fn close(&self) {
        self.connections.close().await;
    }
}

/// Where `EVALSHA` and `EVAL` have their first key: after the script and the number of keys.
const FIRST_KEY: usize = 2;

async fn send(
    client: &WithOptions<Client>,
    name: &'static str,
    key_at: usize,
    arguments: Vec<Value>,
) -> Result<Value, Error> {
    // As a custom command, since the driver's own script calls do not heed the options.
    let command = CustomCommand::new_static(name, ClusterHash::Offset(key_at), false);
    client.custom(command, arguments).await
}

/// No connection is up: nothing was sent.
#[derive(Debug, thiserror::Error)]
#[error("not connected to redis")]
struct NotConnected;
