//! A bounded number of connections that work on blocking threads, and the callers that wait for their turn.

use std::{
    future::Future,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use diesel::{QueryResult, SqliteConnection};
use metrics::gauge;
use tokio::sync::{Semaphore, TryAcquireError};
use tokio_util::task::AbortOnDropHandle;
use tollbar_core::{Breaker, StoreError, ports::SystemClock};

use crate::{
    connection::connect,
    failure::{connection_error, store_error},
};

/// Connections to one file. Turns are taken in the order of arrival, without holding a thread meanwhile.
#[derive(Clone)]
pub(crate) struct Lane(Arc<Inner>);

struct Inner {
    path: PathBuf,
    busy: Duration,
    /// Connections that are open and at rest.
    idle: Mutex<Vec<SqliteConnection>>,
    /// One permit for each connection.
    turns: Arc<Semaphore>,
    /// One permit for each caller that works or waits.
    places: Semaphore,
    /// While another process holds the file, callers need not each wait to learn it.
    breaker: Breaker,
}

impl Lane {
    /// A lane of so many connections, opened when they are needed first; metrics know it by this name.
    pub(crate) fn new(
        name: &'static str,
        path: PathBuf,
        busy: Duration,
        connections: usize,
        queue: usize,
    ) -> Self {
        let most = u32::try_from(connections).unwrap_or(u32::MAX);
        gauge!("tollbar_pool_connections", "engine" => "sqlite", "server" => name).set(most);
        let places = connections.saturating_add(queue).min(Semaphore::MAX_PERMITS);
        Self(Arc::new(Inner {
            path,
            busy,
            idle: Mutex::default(),
            turns: Arc::new(Semaphore::new(connections)),
            places: Semaphore::new(places),
            breaker: Breaker::new(Arc::new(SystemClock), "sqlite", name),
        }))
    }

    /// Does `work` on a connection. A caller that gives up, at its deadline or before, blocks nothing: work that has begun runs
    /// on to its end, and work that has not never does.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        operation: &'static str,
        deadline: Duration,
        work: impl FnOnce(&mut SqliteConnection) -> QueryResult<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let _place = self.0.places.try_acquire().map_err(|refusal| match refusal {
            TryAcquireError::NoPermits => StoreError::overloaded(operation),
            closed @ TryAcquireError::Closed => StoreError::permanent(operation, closed),
        })?;
        self.run_vital(operation, deadline, work).await
    }

    /// The same for what the process lives by, which has a place however many wait. Of each such operation one is under way at a time.
    pub(crate) async fn run_vital<T: Send + 'static>(
        &self,
        operation: &'static str,
        deadline: Duration,
        work: impl FnOnce(&mut SqliteConnection) -> QueryResult<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let call = self.0.breaker.enter(operation)?;
        let done = tokio::time::timeout(deadline, self.take_turn(operation, work)).await;
        call.heed(done.unwrap_or_else(|_| Err(StoreError::deadline(operation, deadline))))
    }

    fn take_turn<T: Send + 'static>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&mut SqliteConnection) -> QueryResult<T> + Send + 'static,
    ) -> impl Future<Output = Result<T, StoreError>> + Send {
        let inner = Arc::clone(&self.0);
        async move {
            let turn = Arc::clone(&inner.turns).acquire_owned().await;
            let turn = turn.map_err(|closed| StoreError::permanent(operation, closed))?;
            let task = tokio::task::spawn_blocking(move || {
                let done = inner.work(operation, work);
                drop(turn);
                done
            });
            let ended = AbortOnDropHandle::new(task).await;
            ended.unwrap_or_else(|panic| Err(StoreError::permanent(operation, panic)))
        }
    }
}

impl Inner {
    fn work<T>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&mut SqliteConnection) -> QueryResult<T>,
    ) -> Result<T, StoreError> {
        let idle = self.idle().pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => connect(&self.path, self.busy).map_err(|error| connection_error(operation, error))?,
        };
        let done = work(&mut connection).map_err(|error| store_error(operation, error))?;
        // Only here: a connection whose work failed or panicked is closed, whatever state it is in.
        self.idle().push(connection);
        Ok(done)
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<SqliteConnection>> {
        // A vector that is only pushed to and popped from is whole after any panic.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
