//! How one connection to the database file is opened and set up.

use std::{path::Path, thread, time::Duration};

use diesel::{
    Connection, ConnectionError, QueryResult, RunQueryDsl, SqliteConnection, connection::SimpleConnection,
};

use crate::failure::is_transient;

/// How long to sleep, in milliseconds, before asking again for what SQLite does not wait for itself.
const PAUSE: u32 = 10;

#[derive(diesel::QueryableByName)]
struct JournalMode {
    #[diesel(sql_type = diesel::sql_types::Text)]
    journal_mode: String,
}

/// Opens a connection that waits up to `busy` for a lock that another process holds.
///
/// The path is absolute: SQLite takes it as a path then, never as a URI or as the name of a database in memory.
pub(crate) fn connect(path: &Path, busy: Duration) -> Result<SqliteConnection, ConnectionError> {
    let text = path.to_str().ok_or_else(|| ConnectionError::BadConnection("the path is not UTF-8".into()))?;
    let mut connection = SqliteConnection::establish(text)?;
    set_up(&mut connection, busy).map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(connection)
}

fn set_up(connection: &mut SqliteConnection, busy: Duration) -> QueryResult<()> {
    // First, for the statements after it can meet a lock already.
    let busy = u32::try_from(busy.as_millis()).unwrap_or(u32::MAX).min(i32::MAX.cast_unsigned());
    connection.batch_execute(&format!("PRAGMA busy_timeout = {busy}"))?;
    let journal = write_ahead(connection, busy)?;
    if journal != "wal" {
        // Without a write-ahead log a reader blocks the writer, and deadlines would be missed.
        return Err(diesel::result::Error::QueryBuilderError(
            "the file system does not bear WAL mode".into(),
        ));
    }
    // FULL: what was acknowledged also survives a loss of power, at the price of a sync for each commit.
    connection.batch_execute("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON")
}

/// Switches to a write-ahead log and returns the mode that the file is in then.
///
/// SQLite may not wait for a lock here, whatever its time-out: where several processes open a new file at once, some are
/// told that it is locked.
fn write_ahead(connection: &mut SqliteConnection, busy: u32) -> QueryResult<String> {
    let mut left = busy;
    loop {
        let switched = diesel::sql_query("PRAGMA journal_mode = WAL").get_result::<JournalMode>(connection);
        match switched {
            Err(error) if left > 0 && is_transient(&error) => {
                let pause = left.min(PAUSE);
                thread::sleep(Duration::from_millis(pause.into()));
                left -= pause;
            }
            other => return other.map(|row| row.journal_mode),
        }
    }
}
