//! `[redis]`: the live tier of many processes.

use std::{
    fmt,
    num::{NonZeroU16, NonZeroUsize},
    time::Duration,
};

use tollbar_redis::RedisOptions;

use super::{SettingsError, keys::Keys};

/// `[redis]`, where its URL is not empty. Its `Debug` shows no password.
#[derive(Clone)]
pub struct RedisSettings {
    /// `redis://…`
    pub url: String,
    /// What every key begins with.
    pub prefix: String,
    /// Among how many hash tags users are divided.
    pub partitions: NonZeroU16,
    /// Connections.
    pub pool_size: NonZeroUsize,
    /// Calls under way at once.
    pub max_in_flight: NonZeroUsize,
    /// How long a call may take.
    pub deadline: Duration,
}

impl RedisSettings {
    /// Every key is checked, also where the URL is empty.
    pub(super) fn read(keys: &Keys) -> Result<Option<Self>, SettingsError> {
        let size = |number| NonZeroUsize::new(number).expect("a constant that is not zero");
        let settings = Self {
            url: keys.parse("redis.url", url)?,
            prefix: keys.parse("redis.prefix", prefix)?,
            partitions: keys.number("redis.partitions", NonZeroU16::MIN..=NonZeroU16::MAX)?,
            pool_size: keys.number("redis.pool_size", size(1)..=size(100))?,
            max_in_flight: keys.number("redis.max_in_flight", size(1)..=size(1_000_000))?,
            deadline: keys.duration("redis.deadline", Duration::from_millis(1)..=Duration::from_secs(60))?,
        };
        Ok((!settings.url.is_empty()).then_some(settings))
    }
}

fn url(text: &str) -> Result<String, String> {
    if !text.is_empty() {
        let must_be = "empty, or redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE]";
        tollbar_redis::check_url(text).map_err(|refusal| format!("{must_be}: {refusal}"))?;
    }
    Ok(text.to_owned())
}

fn prefix(text: &str) -> Result<String, String> {
    if RedisOptions::is_prefix(text) {
        Ok(text.to_owned())
    } else {
        Err("1 to 64 visible ASCII characters without braces".to_owned())
    }
}

impl fmt::Debug for RedisSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisSettings")
            .field("prefix", &self.prefix)
            .field("partitions", &self.partitions)
            .field("pool_size", &self.pool_size)
            .field("max_in_flight", &self.max_in_flight)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}
