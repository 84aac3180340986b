//! Why a SQLite database could not be opened.

use std::{error::Error, path::PathBuf};

/// The store could not be opened. The message is one line; the causes are its sources.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL does not name a file.
    #[error("a SQLite database is named as sqlite://PATH, where PATH is a file")]
    Url,
    /// The folder of the database file is not there and could not be created.
    #[error("the folder {} of the SQLite database could not be created", .folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The database file could not be opened, or is none of SQLite's.
    #[error("the SQLite database {} could not be opened", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The schema could not be brought up to date.
    #[error("the SQLite database {} could not be migrated", .path.display())]
    Migration {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: Box<dyn Error + Send + Sync>,
    },
    /// There is no database yet, and it was not to be made.
    #[error("there is no SQLite database {} yet", .path.display())]
    Absent {
        /// The file.
        path: PathBuf,
    },
    /// The schema is not up to date, and was not to be changed.
    #[error("the SQLite database {} is not migrated: {pending} migrations are pending", .path.display())]
    Behind {
        /// The file.
        path: PathBuf,
        /// How many migrations have not run.
        pending: usize,
    },
}
