//! What a run is asked to do.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How a run is to go.
#[derive(Clone)]
pub struct Options {
    /// The server's binary.
    pub tollbar: PathBuf,
    /// Chooses everything: which faults, when, for how long, and what clients do.
    pub seed: u64,
    /// How long faults are injected, in all.
    pub length: Duration,
    /// How fast clients go, and how patient everybody is.
    pub pace: Pace,
    /// Where logs and histories go; those of a stage that kept every promise are removed.
    pub folder: PathBuf,
    /// Takes a line for people.
    pub say: Arc<dyn Fn(&str) + Send + Sync>,
}

/// How fast clients go, and how patient everybody is.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Clients of each process.
    pub clients: usize,
    /// How long a client thinks between two requests, on average.
    pub thinks: Duration,
    /// `redis.deadline`.
    pub redis_deadline: Duration,
    /// `database.deadline`.
    pub postgres_deadline: Duration,
    /// What every bound in time is exceeded by before that counts: the noise of a machine that others use, too.
    pub slack: Duration,
}

impl Pace {
    /// For a build as it is released: the deadlines of the default configuration.
    pub fn release() -> Self {
        Self {
            clients: 16,
            thinks: Duration::from_millis(40),
            redis_deadline: Duration::from_millis(100),
            postgres_deadline: Duration::from_secs(1),
            slack: Duration::from_millis(400),
        }
    }

    /// For a build for tests, which is several times slower, on a machine that does other work, too.
    pub fn debug() -> Self {
        Self {
            clients: 10,
            thinks: Duration::from_millis(80),
            redis_deadline: Duration::from_millis(400),
            postgres_deadline: Duration::from_secs(2),
            slack: Duration::from_secs(1),
        }
    }
}
