//! Where the database file lies, and how long and how many callers may wait for it.

use std::{num::NonZeroUsize, path::PathBuf, time::Duration};

use crate::OpenError;

/// How a [`SqliteStore`](crate::SqliteStore) is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqliteOptions {
    /// The database file; it and its folder are created where they do not exist.
    pub path: PathBuf,
    /// How long a call may take, waiting for its turn included.
    pub deadline: Duration,
    /// The same for adding an epoch to the ledger and reading it, which is more work.
    pub ledger_deadline: Duration,
    /// How long opening waits for a lock of another process, one that migrates for example.
    pub start_deadline: Duration,
    /// How many connections read at the same time. Beside them, there is one that writes.
    pub readers: NonZeroUsize,
    /// How many callers may wait for a connection of either kind; the next one is refused at once.
    pub queue: usize,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            path: "data/tollbar.db".into(),
            deadline: Duration::from_secs(1),
            ledger_deadline: Duration::from_secs(10),
            start_deadline: Duration::from_secs(30),
            readers: NonZeroUsize::new(4).expect("four is not zero"),
            queue: 256,
        }
    }
}

impl SqliteOptions {
    /// The default options for `sqlite://PATH`; everything behind the second slash is the path, relative or absolute.
    pub fn from_url(url: &str) -> Result<Self, OpenError> {
        let path = url.strip_prefix("sqlite://").ok_or(OpenError::Url)?;
        if path.is_empty() || path == ":memory:" {
            return Err(OpenError::Url);
        }
        Ok(Self { path: path.into(), ..Self::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_a_relative_or_an_absolute_path() {
        let path = |url| SqliteOptions::from_url(url).map(|options| options.path);
        assert_eq!(path("sqlite://data/tollbar.db").unwrap(), PathBuf::from("data/tollbar.db"));
        assert_eq!(path("sqlite:///var/lib/tollbar.db").unwrap(), PathBuf::from("/var/lib/tollbar.db"));
        for refused in ["sqlite://", "sqlite://:memory:", "sqlite:x.db", "postgres://host/db", "x.db"] {
            assert!(matches!(path(refused), Err(OpenError::Url)), "{refused}");
        }
    }
}
