//! Port: what is decided once for the life of the data (durable tier).

use async_trait::async_trait;

use crate::StoreError;

/// Something that is fixed for the life of the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fact {
    /// The key that seals session tokens: 32 random bytes.
    TokenKey,
    /// The prefix of every key in Redis.
    RedisPrefix,
    /// The number of partitions in Redis, in decimal.
    RedisPartitions,
}

impl Fact {
    /// The name that a store keeps it under.
    pub fn name(self) -> &'static str {
        match self {
            Self::TokenKey => "token_key",
            Self::RedisPrefix => "redis_prefix",
            Self::RedisPartitions => "redis_partitions",
        }
    }
}

/// Facts that the first start decides and every later one finds.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Installation: Send + Sync {
    /// Keeps `proposed` if the fact is not decided yet, and returns what is kept, the same to all who ask at once.
    ///
    /// # Parameters
    /// - `fact`: what to decide.
    /// - `proposed`: its value if it is not decided yet.
    ///
    /// # Errors
    /// The store failed; after a transient failure the fact may have been decided.
    async fn decide(&self, fact: Fact, proposed: &[u8]) -> Result<Vec<u8>, StoreError>;

    /// What is kept. `None`: it is not decided yet.
    ///
    /// # Parameters
    /// - `fact`: what is asked about.
    ///
    /// # Errors
    /// The store failed.
    async fn kept(&self, fact: Fact) -> Result<Option<Vec<u8>>, StoreError>;
}
