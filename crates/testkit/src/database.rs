//! A database of one test on a PostgreSQL server that it shares with others.

use std::error::Error;
use std::thread;
use std::time::Duration;

use tokio::time::{sleep, timeout};
use tokio_postgres::NoTls;
use tokio_postgres::error::SqlState;

use crate::address::with_database;
use crate::error::one_line;
use crate::given::postgres_url;
use crate::names::unique_name;

const LIMIT: Duration = Duration::from_secs(60);
const DROP_LIMIT: Duration = Duration::from_secs(10);

/// A fresh, empty database. Dropping it drops the database, whoever is still connected to it.
#[derive(Debug)]
pub struct TestDatabase {
    server: String,
    name: String,
}

impl TestDatabase {
    /// A new database on the server of [`postgres_url`].
    #[track_caller]
    pub fn create() -> Self {
        Self::on(&postgres_url())
    }

    /// A new database on the given server.
    #[track_caller]
    pub fn on(server: &str) -> Self {
        let name = unique_name("tollbar_test");
        // template0 takes no connections, so that nobody's session is in the way of the copy.
        match execute(server, &format!("CREATE DATABASE {name} TEMPLATE template0"), LIMIT) {
            Ok(()) => Self { server: server.to_owned(), name },
            Err(error) => panic!("cannot create a database for a test: {}", one_line(&*error)),
        }
    }

    /// URL of the database.
    pub fn url(&self) -> String {
        with_database(&self.server, &self.name)
    }

    /// Name of the database.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let statement = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        match execute(&self.server, &statement, DROP_LIMIT) {
            // A server that does not answer any more is one that the test has stopped.
            Err(error) if sql_state(&*error).is_some() && !thread::panicking() => {
                panic!("cannot drop the database {}: {}", self.name, one_line(&*error))
            }
            _ => {}
        }
    }
}

type Failure = Box<dyn Error + Send + Sync>;

/// Runs one statement on a thread of its own, since the caller may be inside of a runtime, or be unwinding.
fn execute(server: &str, statement: &str, limit: Duration) -> Result<(), Failure> {
    let (server, statement) = (server.to_owned(), statement.to_owned());
    let outcome = thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async { timeout(limit, persist(&server, &statement)).await? })
    });
    outcome.join().map_err(|_| "the thread that talks to PostgreSQL panicked")?
}

/// Tries again what fails only because others do the same at the same time.
async fn persist(server: &str, statement: &str) -> Result<(), Failure> {
    loop {
        match execute_once(server, statement).await {
            Err(error) if crowded(&error) => sleep(Duration::from_millis(50)).await,
            outcome => return Ok(outcome?),
        }
    }
}

async fn execute_once(server: &str, statement: &str) -> Result<(), tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(server, NoTls).await?;
    let talk = tokio::spawn(connection);
    let outcome = client.batch_execute(statement).await;
    drop(client);
    // The statement's outcome is what counts; an error of the goodbye does not.
    let _ = talk.await;
    outcome
}

fn crowded(error: &tokio_postgres::Error) -> bool {
    [SqlState::OBJECT_IN_USE, SqlState::TOO_MANY_CONNECTIONS].iter().any(|state| error.code() == Some(state))
}

fn sql_state<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a SqlState> {
    error.downcast_ref::<tokio_postgres::Error>()?.code()
}
