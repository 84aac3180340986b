//! The schema, brought up to date at start, once however many processes start together.

use std::{error::Error, time::Duration};

use diesel::{Connection, RunQueryDsl, connection::SimpleConnection};
use diesel_async::{AsyncPgConnection, async_connection_wrapper::AsyncConnectionWrapper};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::connect::milliseconds;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations");

/// What all who migrate lock first: a number that nothing else in the database is likely to lock.
const LOCK: i64 = 0x746f_6c6c_6261_7201;

/// Why the transaction of the migrations was rolled back.
type Cause = Box<dyn Error + Send + Sync>;

/// Runs what has not run on this database yet, all or nothing, on a thread that may block.
pub(crate) async fn run(connection: AsyncPgConnection, deadline: Duration) -> Result<(), Cause> {
    tokio::task::spawn_blocking(move || {
        let mut connection = AsyncConnectionWrapper::<AsyncPgConnection>::from(connection);
        connection.transaction(|connection| {
            // A start that was given up leaves a thread behind, which ends by this.
            connection.batch_execute(&format!("SET LOCAL statement_timeout = {}", milliseconds(deadline)))?;
            // Held until the transaction ends, which also works behind a pooler that lends out transactions.
            diesel::sql_query(format!("SELECT pg_advisory_xact_lock({LOCK})")).execute(connection)?;
            let ran = connection.run_pending_migrations(MIGRATIONS)?;
            if !ran.is_empty() {
                tracing::info!(migrations = ran.len(), "the PostgreSQL database was migrated");
            }
            Ok(())
        })
    })
    .await?
}
