//! Where the server is, and how long and how many callers may wait for it.

use std::{fmt, num::NonZeroUsize, path::PathBuf, time::Duration};

/// How a [`PgStore`](crate::PgStore) is opened.
#[derive(Clone, PartialEq, Eq)]
pub struct PgOptions {
    /// `postgres://USER:PASSWORD@HOST:PORT/DATABASE`, with `?sslmode=` one of `disable`, `prefer` (the default: TLS where the
    /// server has it), `require`, `verify-ca`, `verify-full`. They mean what they mean to libpq; only the last one keeps
    /// everybody out who is not the server.
    pub url: String,
    /// PEM file of the authorities that `verify-ca` and `verify-full` believe (and `require`, which then verifies as `verify-ca`
    /// does). `None`: those of the system.
    pub ca_file: Option<PathBuf>,
    /// PEM file of a certificate for the server to know us by, with those between it and the authority.
    pub cert_file: Option<PathBuf>,
    /// PEM file of its key.
    pub key_file: Option<PathBuf>,
    /// Whether a pooler that lends out connections by transaction, such as PgBouncer, stands before the server. Each call is then
    /// one transaction that leaves nothing on its connection, which takes about three round trips more.
    pub pooler: bool,
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
            ca_file: None,
            cert_file: None,
            key_file: None,
            pooler: false,
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
            .field("ca_file", &self.ca_file)
            .field("cert_file", &self.cert_file)
            .field("pooler", &self.pooler)
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
