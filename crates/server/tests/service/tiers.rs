//! The four pairs of tiers, each as the environment variables that choose it.

use tempfile::TempDir;
use tollbar_testkit::{RedisPrefix, TestDatabase};

/// What a service under test stores, kept until the test ends.
pub(crate) struct Tiers {
    pub(crate) folder: TempDir,
    pub(crate) database: Option<TestDatabase>,
    pub(crate) redis: Option<RedisPrefix>,
}

impl Tiers {
    pub(crate) fn new(postgres: bool, redis: bool) -> Self {
        Self {
            folder: TempDir::new().unwrap(),
            database: postgres.then(TestDatabase::create),
            redis: redis.then(RedisPrefix::new),
        }
    }

    /// SQLite and memory.
    pub(crate) fn embedded() -> Self {
        Self::new(false, false)
    }

    /// The variables that choose these tiers, and small costs.
    pub(crate) fn variables(&self) -> Vec<(String, String)> {
        let sqlite = || format!("sqlite://{}", self.folder.path().join("tollbar.db").display());
        let mut variables = vec![
            ("TOLLBAR__SERVER__BIND", "127.0.0.1:0".to_owned()),
            ("TOLLBAR__SERVER__WORKERS", "2".to_owned()),
            ("TOLLBAR__ADMIN__BIND", "off".to_owned()),
            ("TOLLBAR__DATABASE__URL", self.database.as_ref().map_or_else(sqlite, TestDatabase::url)),
            ("TOLLBAR__DATABASE__POOL_SIZE", "4".to_owned()),
            // Tests of the whole workspace share the machine's cores.
            ("TOLLBAR__DATABASE__DEADLINE", "5s".to_owned()),
            ("TOLLBAR__DATABASE__CLAIM", "2s".to_owned()),
            ("TOLLBAR__PASSWORD__BCRYPT_COST", "4".to_owned()),
            ("TOLLBAR__PING__DELAY", "1ms".to_owned()),
        ];
        if let Some(redis) = &self.redis {
            variables.push(("TOLLBAR__REDIS__URL", redis.url().to_owned()));
            variables.push(("TOLLBAR__REDIS__PREFIX", redis.as_str().to_owned()));
            variables.push(("TOLLBAR__REDIS__DEADLINE", "2s".to_owned()));
        }
        variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}
