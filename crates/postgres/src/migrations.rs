//! The schema, brought up to date at start, once however many processes start together.

use std::{error::Error, time::Duration};

use diesel::{
    Connection, RunQueryDsl, connection::SimpleConnection, migration::MigrationSource, pg::Pg,
    sql_types::Bool,
};
use diesel_async::{AsyncPgConnection, async_connection_wrapper::AsyncConnectionWrapper};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::connect::milliseconds;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations");

/// What all who migrate lock first: a number that nothing else in the database is likely to lock.
const LOCK: i64 = 0x746f_6c6c_6261_7201;

/// Why the transaction of the migrations was rolled back.
type Cause = Box<dyn Error + Send + Sync>;

/// A connection on a thread that may block.
type Blocking = AsyncConnectionWrapper<AsyncPgConnection>;

#[derive(diesel::QueryableByName)]
struct Known {
    #[diesel(sql_type = Bool)]
    known: bool,
}

/// Runs what has not run on this database yet, all or nothing, on a thread that may block, and names it. Before each, `told` hears how many
/// are done, of how many, and which is next.
pub(crate) async fn run(
    connection: AsyncPgConnection,
    deadline: Duration,
    told: impl Fn(usize, usize, &str) + Send + 'static,
) -> Result<Vec<String>, Cause> {
    in_transaction(connection, deadline, move |connection| {
        // Held until the transaction ends, which also works behind a pooler that lends out transactions.
        diesel::sql_query(format!("SELECT pg_advisory_xact_lock({LOCK})")).execute(connection)?;
        let pending = connection.pending_migrations(MIGRATIONS)?;
        let mut ran = Vec::with_capacity(pending.len());
        for migration in &pending {
            let name = migration.name().to_string();
            told(ran.len(), pending.len(), &name);
            connection.run_migration(migration)?;
            ran.push(name);
        }
        if !ran.is_empty() {
            tracing::info!(migrations = ran.len(), "the PostgreSQL database was migrated");
        }
        Ok(ran)
    })
    .await
}

/// The names of those that have not run on this database yet. Nothing is written.
pub(crate) async fn pending(connection: AsyncPgConnection, deadline: Duration) -> Result<Vec<String>, Cause> {
    in_transaction(connection, deadline, |connection| {
        let known =
            diesel::sql_query("SELECT to_regclass('__diesel_schema_migrations') IS NOT NULL AS known");
        if known.get_result::<Known>(connection)?.known {
            let pending = connection.pending_migrations(MIGRATIONS)?;
            return Ok(pending.iter().map(|migration| migration.name().to_string()).collect());
        }
        let all = MigrationSource::<Pg>::migrations(&MIGRATIONS)?;
        let mut names: Vec<_> = all.iter().map(|migration| migration.name().to_string()).collect();
        names.sort_unstable();
        Ok(names)
    })
    .await
}

async fn in_transaction<T: Send + 'static>(
    connection: AsyncPgConnection,
    deadline: Duration,
    work: impl FnOnce(&mut Blocking) -> Result<T, Cause> + Send + 'static,
) -> Result<T, Cause> {
    tokio::task::spawn_blocking(move || {
        let mut connection = Blocking::from(connection);
        connection.transaction(|connection| {
            // A start that was given up leaves a thread behind, which ends by this.
            connection.batch_execute(&format!("SET LOCAL statement_timeout = {}", milliseconds(deadline)))?;
            work(connection)
        })
    })
    .await?
}
