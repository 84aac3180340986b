//! The schema, brought up to date at start, once however many processes start together.

use std::error::Error;

use diesel::{RunQueryDsl, SqliteConnection, migration::MigrationSource, sql_types::Bool, sqlite::Sqlite};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations");

/// Why the transaction of the migrations was rolled back.
type Cause = Box<dyn Error + Send + Sync>;

#[derive(diesel::QueryableByName)]
struct Known {
    #[diesel(sql_type = Bool)]
    known: bool,
}

/// Runs what has not run on this file yet, all or nothing, and names it. Before each, `told` hears how many are done, of how many, and which
/// is next.
pub(crate) fn run(
    connection: &mut SqliteConnection,
    told: &dyn Fn(usize, usize, &str),
) -> Result<Vec<String>, Cause> {
    // The write lock comes first, so that another process that starts now waits and then finds nothing to do.
    connection.immediate_transaction(|connection| {
        let pending = connection.pending_migrations(MIGRATIONS)?;
        let mut ran = Vec::with_capacity(pending.len());
        for migration in &pending {
            let name = migration.name().to_string();
            told(ran.len(), pending.len(), &name);
            connection.run_migration(migration)?;
            ran.push(name);
        }
        if !ran.is_empty() {
            tracing::info!(migrations = ran.len(), "the SQLite database was migrated");
        }
        Ok(ran)
    })
}

/// The names of all that there are, in their order.
pub(crate) fn all() -> Result<Vec<String>, Cause> {
    let all = MigrationSource::<Sqlite>::migrations(&MIGRATIONS)?;
    let mut names: Vec<_> = all.iter().map(|migration| migration.name().to_string()).collect();
    names.sort_unstable();
    Ok(names)
}

/// The names of those that have not run on this file yet. Nothing is written.
pub(crate) fn pending(connection: &mut SqliteConnection) -> Result<Vec<String>, Cause> {
    let known = diesel::sql_query(
        "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE name = '__diesel_schema_migrations') AS known",
    );
    if !known.get_result::<Known>(connection)?.known {
        return all();
    }
    let pending = connection.pending_migrations(MIGRATIONS)?;
    Ok(pending.iter().map(|migration| migration.name().to_string()).collect())
}
