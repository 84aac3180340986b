//! The store itself: one file, one connection that writes and a few that read.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use diesel::{QueryResult, SqliteConnection};
use tollbar_core::StoreError;

use crate::{OpenError, SqliteOptions, connection::connect, lane::Lane, migrations, process_lease::LockFile};

/// The durable tier on a SQLite file. Cheap to clone; a clone is the same store.
#[derive(Clone)]
pub struct SqliteStore {
    pub(crate) options: Arc<SqliteOptions>,
    pub(crate) lock: Arc<LockFile>,
    readers: Lane,
    writer: Lane,
}

impl SqliteStore {
    /// Opens the database, creating it and its folder where they do not exist, and brings its schema up to date.
    ///
    /// Calls need a tokio runtime with its timer on, any one at any time.
    ///
    /// # Errors
    /// The folder, the file or the schema could not be made.
    pub async fn open(options: SqliteOptions) -> Result<Self, OpenError> {
        Self::opened(options, |path, start| prepare(path, start, &|_, _, _| {}).map(drop)).await
    }

    /// Opens a database beside those who use it: one that is there, with its schema up to date.
    ///
    /// # Errors
    /// [`OpenError::Absent`] and [`OpenError::Behind`] where it is not so; the file could not be opened.
    pub async fn open_beside(options: SqliteOptions) -> Result<Self, OpenError> {
        Self::opened(options, |path, start| {
            if !path.exists() {
                return Err(OpenError::Absent { path: path.to_owned() });
            }
            match pending(path, start)?.len() {
                0 => Ok(()),
                pending => Err(OpenError::Behind { path: path.to_owned(), pending }),
            }
        })
        .await
    }

    /// Creates the database where there is none, brings its schema up to date, and names what has run for it.
    ///
    /// # Parameters
    /// - `options`: which database, and how long a lock of another process is waited for.
    /// - `told`: hears before each migration how many are done, of how many, and which is next.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn migrate(
        options: SqliteOptions,
        told: impl Fn(usize, usize, &str) + Send + 'static,
    ) -> Result<Vec<String>, OpenError> {
        blocking(options, move |path, start| prepare(path, start, &told)).await
    }

    /// The names of the migrations that have not run on the database yet. Nothing is created or written.
    ///
    /// # Errors
    /// The file could not be opened.
    pub async fn pending(options: SqliteOptions) -> Result<Vec<String>, OpenError> {
        blocking(options, pending).await
    }

    async fn opened(
        mut options: SqliteOptions,
        prepare: impl FnOnce(&Path, Duration) -> Result<(), OpenError> + Send + 'static,
    ) -> Result<Self, OpenError> {
        options.path = blocking(options.clone(), |path, start| {
            prepare(path, start)?;
            only_name(path).map_err(|error| OpenError::File { path: path.to_owned(), source: error.into() })
        })
        .await?;
        let lane = |name, connections| {
            Lane::new(name, options.path.clone(), options.deadline, connections, options.queue)
        };
        Ok(Self {
            readers: lane("readers", options.readers.get()),
            // SQLite lets one connection write at a time; waiting here is fair, waiting there is a lottery.
            writer: lane("writer", 1),
            lock: Arc::new(LockFile::beside(&options.path)),
            options: Arc::new(options),
        })
    }

    /// Reads, beside other readers and the writer.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        operation: &'static str,
        deadline: Duration,
        work: impl FnOnce(&mut SqliteConnection) -> QueryResult<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.readers.run(operation, deadline, work).await
    }

    /// Writes, in one transaction that holds the file's write lock from its beginning.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        operation: &'static str,
        deadline: Duration,
        work: impl FnOnce(&mut SqliteConnection) -> QueryResult<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.writer.run(operation, deadline, move |connection| connection.immediate_transaction(work)).await
    }

    /// The same for what the process lives by: its claim, its counts, and whether it is well. Callers in a crowd do not keep it out.
    pub(crate) async fn write_vital<T: Send + 'static>(
        &self,
        operation: &'static str,
        deadline: Duration,
        work: impl FnOnce(&mut SqliteConnection) -> QueryResult<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let work = move |connection: &mut SqliteConnection| connection.immediate_transaction(work);
        self.writer.run_vital(operation, deadline, work).await
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").field("options", &self.options).finish_non_exhaustive()
    }
}

/// The one name of a file, all links followed: by another name a second process would find another lock beside it.
fn only_name(path: &Path) -> io::Result<PathBuf> {
    let path = path.canonicalize()?;
    #[cfg(unix)]
    if std::os::unix::fs::MetadataExt::nlink(&path.metadata()?) > 1 {
        return Err(io::Error::other("the file has a second name (a hard link)"));
    }
    Ok(path)
}

/// Works on the file, by its absolute path, where waiting is allowed.
async fn blocking<T: Send + 'static>(
    options: SqliteOptions,
    work: impl FnOnce(&Path, Duration) -> Result<T, OpenError> + Send + 'static,
) -> Result<T, OpenError> {
    let path = std::path::absolute(&options.path)
        .map_err(|error| OpenError::File { path: options.path.clone(), source: error.into() })?;
    let failed = path.clone();
    let done = tokio::task::spawn_blocking(move || work(&path, options.start_deadline)).await;
    done.unwrap_or_else(|panic| Err(OpenError::File { path: failed, source: panic.into() }))
}

/// What has not run on the file yet: everything, where there is none.
fn pending(path: &Path, start: Duration) -> Result<Vec<String>, OpenError> {
    let failed = |source| OpenError::Migration { path: path.to_owned(), source };
    if !path.exists() {
        return migrations::all().map_err(failed);
    }
    let connection = connect(path, start);
    let mut connection =
        connection.map_err(|error| OpenError::File { path: path.to_owned(), source: error.into() })?;
    migrations::pending(&mut connection).map_err(failed)
}

fn prepare(
    path: &Path,
    start: Duration,
    told: &dyn Fn(usize, usize, &str),
) -> Result<Vec<String>, OpenError> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)
            .map_err(|source| OpenError::Folder { folder: folder.to_owned(), source })?;
    }
    let file = |source| OpenError::File { path: path.to_owned(), source };
    create(path).map_err(|error| file(error.into()))?;
    let mut connection = connect(path, start).map_err(|error| file(error.into()))?;
    let ran = migrations::run(&mut connection, told);
    ran.map_err(|source| OpenError::Migration { path: path.to_owned(), source })
}

/// Creates the file for its owner alone: it keeps password hashes and the key of the tokens. SQLite's own files follow it.
fn create(path: &Path) -> io::Result<()> {
    let mut file = fs::OpenOptions::new();
    file.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut file, 0o600);
    file.open(path).map(drop)
}
