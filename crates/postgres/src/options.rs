//! Where the server is, and how long and how many callers may wait for it.

use std::{fmt, num::NonZeroUsize, time::Duration};

/// How a [`PgStore`](crate::PgStore) is opened.
#[derive(Clone, PartialEq, Eq)]
pub struct PgOptions {
    /// `postgres://USER:PASSWORD@HOST:PORT/DATABASE`. There is no TLS yet, so a URL that asks for it is refused.
    pub url: String,
    /// How long a call may take, waiting for a connection included.
    pub deadline: Duration,
    /// The same for adding an epoch to the ledger and reading it, which is more work.
    pub ledger_deadline: Duration,
    /// How long opening may take, migrations included.
    pub start_deadline: Duration,
    /// How many connections there are at most.
    pub pool_size: NonZeroUsize,
    /// How many callers may wait for a connection; the next one is refused at once.
    pub queue: usize,
    /// How old a connection may become, so that a moved server is found again.
    pub max_age: Duration,
}

impl PgOptions {
    /// The default options for a server.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            deadline: Duration::from_secs(1),
            ledger_deadline: Duration::from_secs(10),
            start_deadline: Duration::from_secs(30),
            pool_size: NonZeroUsize::new(10).expect("ten is not zero"),
            queue: 256,
            max_age: Duration::from_secs(30 * 60),
        }
    }
}

impl fmt::Debug for PgOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PgOptions")
            .field("deadline", &self.deadline)
            .field("ledger_deadline", &self.ledger_deadline)
            .field("start_deadline", &self.start_deadline)
            .field("pool_size", &self.pool_size)
            .field("queue", &self.queue)
            .field("max_age", &self.max_age)
            // The URL holds a password, perhaps in a form that no parser finds.
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_shows_the_password() {
        let shown = format!("{:?}", PgOptions::new("postgres://tollbar:hunter22@db/tollbar"));
        assert!(!shown.contains("hunter22") && shown.contains("deadline: 1s"), "{shown}");
    }
}
