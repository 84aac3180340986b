//! The store itself: a pool of connections, and the one way to make a call on it.

use std::{fmt, sync::Arc, time::Duration};

use diesel::{ConnectionError, QueryResult};
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection, pooled_connection::deadpool::Pool};
use metrics::gauge;
use tokio::{runtime::Handle, sync::Semaphore};
use tokio_util::task::AbortOnDropHandle;
use tollbar_core::{Breaker, StoreError, ports::SystemClock};

use crate::{
    OpenError, PgOptions, address,
    connect::{self, Route},
    failure::{pool_error, store_error},
    lent::Lent,
    migrations, pooled, tls,
};

/// The durable tier on a PostgreSQL database. Cheap to clone; a clone is the same store.
#[derive(Clone)]
pub struct PgStore {
    pub(crate) options: Arc<PgOptions>,
    pool: Pool<AsyncPgConnection>,
    /// Host, port and database.
    place: Arc<str>,
    /// One permit for each caller that works or waits.
    places: Arc<Semaphore>,
    breaker: Arc<Breaker>,
    /// Looks for a server that was away; it ends with the last clone.
    _prober: Arc<AbortOnDropHandle<()>>,
}

impl PgStore {
    /// Connects to the database and brings its schema up to date.
    ///
    /// Connections live on the runtime that this is called on, for as long as it runs; calls may come from any other that has its
    /// timer on.
    ///
    /// # Errors
    /// The URL is not one that can be used, or the database does not answer or cannot be migrated.
    pub async fn open(options: PgOptions) -> Result<Self, OpenError> {
        let target = Target::of(&options)?;
        target
            .prepare(&options, |connection, deadline| migrations::run(connection, deadline, |_, _, _| {}))
            .await?;
        Self::opened(options, target)
    }

    /// The same beside those who use the database: its schema must be up to date already.
    ///
    /// # Errors
    /// [`OpenError::Behind`] where it is not; else as [`open`](Self::open).
    pub async fn open_beside(options: PgOptions) -> Result<Self, OpenError> {
        let target = Target::of(&options)?;
        match target.prepare(&options, migrations::pending).await?.len() {
            0 => Self::opened(options, target),
            pending => Err(OpenError::Behind { address: target.address, pending }),
        }
    }

    /// Brings the schema of a database up to date, and names what has run for it.
    ///
    /// # Parameters
    /// - `options`: which database, and how long all of it may take.
    /// - `told`: hears before each migration how many are done, of how many, and which is next.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn migrate(
        options: PgOptions,
        told: impl Fn(usize, usize, &str) + Send + 'static,
    ) -> Result<Vec<String>, OpenError> {
        let run = |connection, deadline| migrations::run(connection, deadline, told);
        Target::of(&options)?.prepare(&options, run).await
    }

    /// The names of the migrations that have not run on the database yet. Nothing is written.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn pending(options: PgOptions) -> Result<Vec<String>, OpenError> {
        Target::of(&options)?.prepare(&options, migrations::pending).await
    }

    fn opened(options: PgOptions, Target { address, route }: Target) -> Result<Self, OpenError> {
        let way = route.clone();
        let pool = connect::pool(route, &options, Handle::current())
            .map_err(|error| OpenError::Unreachable { address: address.clone(), source: error.into() })?;
        let places = options.pool_size.get().saturating_add(options.queue).min(Semaphore::MAX_PERMITS);
        let connections = u32::try_from(options.pool_size.get()).unwrap_or(u32::MAX);
        gauge!("tollbar_pool_connections", "engine" => "postgres", "server" => address.clone())
            .set(connections);
        let (place, places): (Arc<str>, _) = (address.into(), Arc::new(Semaphore::new(places)));
        let breaker = Arc::new(Breaker::new(Arc::new(SystemClock), "postgres", &*place));
        let prober = tokio::spawn(look_out(way, pool.clone(), Arc::clone(&breaker), options.deadline));
        let prober = Arc::new(AbortOnDropHandle::new(prober));
        Ok(Self { options: Arc::new(options), pool, place, places, breaker, _prober: prober })
    }

    /// That these options can be used: address, TLS and its files. Nobody is connected to.
    ///
    /// # Errors
    /// They cannot.
    pub fn check(options: &PgOptions) -> Result<(), OpenError> {
        Target::of(options).map(drop)
    }

    /// Host, port and database, for people.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Makes a call: everything between taking a connection and giving it back, within one deadline.
    pub(crate) async fn call<T>(
        &self,
        operation: &'static str,
        deadline: Duration,
        work: impl AsyncFnOnce(&mut AsyncPgConnection) -> QueryResult<T>,
    ) -> Result<T, StoreError> {
        let _place = self.places.try_acquire().map_err(|_| StoreError::overloaded(operation))?;
        self.call_vital(operation, deadline, work).await
    }

    /// The same for what the process lives by: its claim, its counts, and whether it is well. It has a place however many callers wait; of
    /// each such operation one is under way at a time.
    pub(crate) async fn call_vital<T>(
        &self,
        operation: &'static str,
        deadline: Duration,
        work: impl AsyncFnOnce(&mut AsyncPgConnection) -> QueryResult<T>,
    ) -> Result<T, StoreError> {
        let call = async {
            let lent = self.pool.get().await.map_err(|refusal| pool_error(operation, refusal))?;
            let mut lent = Lent::new(lent);
            let done = if self.options.pooler {
                pooled::transaction(lent.connection(), self.options.deadline, work).await
            } else {
                work(lent.connection()).await
            };
            lent.give_back();
            done.map_err(|error| store_error(operation, error))
        };
        let turn = self.breaker.pass(operation)?;
        let done = tokio::time::timeout(deadline, call).await;
        turn.heed(done.unwrap_or_else(|_| Err(StoreError::deadline(operation, deadline))))
    }
}

/// Where a database is, and how it is reached.
struct Target {
    /// Host, port and database.
    address: String,
    route: Route,
}

impl Target {
    fn of(options: &PgOptions) -> Result<Self, OpenError> {
        let (config, mode) = address::config(options)?;
        let address = address::shown(&config);
        let route = Route { config, tls: tls::connector(mode, options)?, pooler: options.pooler };
        Ok(Self { address, route })
    }

    /// Does something about the schema, on a connection of its own.
    async fn prepare<T, F>(
        &self,
        options: &PgOptions,
        work: impl FnOnce(AsyncPgConnection, Duration) -> F,
    ) -> Result<T, OpenError>
    where
        F: Future<Output = Result<T, Box<dyn std::error::Error + Send + Sync>>>,
    {
        let (address, deadline) = (&self.address, options.start_deadline);
        // In a box: a handshake is a large future, and nobody's caller should be.
        let opening = Box::pin(async {
            let unreachable = |source| OpenError::Unreachable { address: address.clone(), source };
            let connection =
                connect::connect(&self.route).await.map_err(|error| unreachable(error.into()))?;
            let prepared = work(connection, deadline).await;
            prepared.map_err(|source| OpenError::Migration { address: address.clone(), source })
        });
        let late = |_| OpenError::Deadline { address: address.clone(), deadline };
        tokio::time::timeout(deadline, opening).await.map_err(late)?
    }
}

/// Asks a server that was silent for an answer, by a deadline that is not that of the call which met the silence, until it gives one.
async fn look_out(route: Route, pool: Pool<AsyncPgConnection>, breaker: Arc<Breaker>, deadline: Duration) {
    breaker.probe_by(|| look(&route, &pool, deadline)).await;
}

/// By a connection of its own: those of the pool may all be in use, and a link that has lost packets may bring them after many seconds.
async fn look(route: &Route, pool: &Pool<AsyncPgConnection>, deadline: Duration) -> Result<(), StoreError> {
    const OPERATION: &str = "look for the server";
    let asked = tokio::time::timeout(deadline, async {
        let mut connection = connect::connect(route).await?;
        connection.batch_execute("SELECT 1").await.map_err(ConnectionError::CouldntSetupConfiguration)
    });
    match asked.await {
        Ok(Ok(())) => {
            let _ = pool.retain(|_, _| false);
            Ok(())
        }
        Ok(Err(error)) => Err(StoreError::transient(OPERATION, error)),
        Err(_) => Err(StoreError::deadline(OPERATION, deadline)),
    }
}

impl fmt::Debug for PgStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PgStore").field("options", &self.options).finish_non_exhaustive()
    }
}
