//! The schema, brought up to date at start, once however many processes start together.

use std::error::Error;

use diesel::SqliteConnection;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations");

/// Why the transaction of the migrations was rolled back.
type Cause = Box<dyn Error + Send + Sync>;

/// Runs what has not run on this file yet, all or nothing.
pub(crate) fn run(connection: &mut SqliteConnection) -> Result<(), Cause> {
    // The write lock comes first, so that another process that starts now waits and then finds nothing to do.
    connection.immediate_transaction(|connection| {
        let ran = connection.run_pending_migrations(MIGRATIONS)?;
        if !ran.is_empty() {
            tracing::info!(migrations = ran.len(), "the SQLite database was migrated");
        }
        Ok(())
    })
}
