//! Keys of one test on a Redis server that it shares with others.

use std::fmt;
use std::time::Duration;

use redis::{Client, RedisResult};

use crate::error::one_line;
use crate::given::redis_url;
use crate::names::unique_name;

/// A key prefix that nobody else uses. Dropping it deletes all keys that begin with it and a colon.
#[derive(Debug)]
pub struct RedisPrefix {
    url: String,
    prefix: String,
}

impl RedisPrefix {
    /// A new prefix on the server of [`redis_url`].
    #[track_caller]
    pub fn new() -> Self {
        Self::on(&redis_url())
    }

    /// A new prefix on the given server.
    #[track_caller]
    pub fn on(url: &str) -> Self {
        Self { url: url.to_owned(), prefix: unique_name("tbtest") }
    }

    /// The prefix, without the colon that follows it in keys.
    pub fn as_str(&self) -> &str {
        &self.prefix
    }

    /// URL of the server.
    pub fn url(&self) -> &str {
        &self.url
    }

    fn clear(&self) -> RedisResult<()> {
        let limit = Duration::from_secs(5);
        let mut connection = Client::open(self.url.as_str())?.get_connection_with_timeout(limit)?;
        connection.set_read_timeout(Some(limit))?;
        let mut cursor = 0_u64;
        loop {
            let mut scan = redis::cmd("SCAN");
            scan.arg(cursor).arg("MATCH").arg(format!("{}:*", self.prefix)).arg("COUNT").arg(1000);
            let (next, keys): (u64, Vec<Vec<u8>>) = scan.query(&mut connection)?;
            if !keys.is_empty() {
                redis::cmd("UNLINK").arg(keys).exec(&mut connection)?;
            }
            if next == 0 {
                return Ok(());
            }
            cursor = next;
        }
    }
}

impl Default for RedisPrefix {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for RedisPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.prefix)
    }
}

impl Drop for RedisPrefix {
    fn drop(&mut self) {
        match self.clear() {
            // A server that a test has killed holds no keys to delete.
            Err(error) if !error.is_io_error() && !std::thread::panicking() => {
                panic!("cannot delete the keys of {}: {}", self.prefix, one_line(&error))
            }
            _ => {}
        }
    }
}
