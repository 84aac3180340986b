//! `[session]`: how long sessions live, and how they are looked up.

use std::{num::NonZeroUsize, time::Duration};

use tollbar_core::sessions::{LoadLimits, OnCacheOutage, SessionOptions};

use super::{SettingsError, keys::Keys};

/// `[session]`
#[derive(Debug, Clone)]
pub struct SessionSettings {
    /// What the core asks.
    pub options: SessionOptions,
    /// How long the live tier may believe a session.
    pub cache_ttl: Duration,
}

impl SessionSettings {
    pub(super) fn read(keys: &Keys) -> Result<Self, SettingsError> {
        let (second, year) = (Duration::from_secs(1), Duration::from_secs(366 * 86_400));
        let most = NonZeroUsize::new(100).expect("a hundred is not zero");
        let outage = [("serve", OnCacheOutage::Serve), ("refuse", OnCacheOutage::Refuse)];
        let options = SessionOptions {
            ttl: keys.duration("session.ttl", second..=year)?,
            max_per_user: keys.number("session.max_per_user", NonZeroUsize::MIN..=most)?,
            on_cache_outage: keys.choice("session.on_cache_outage", &outage)?,
            loads: LoadLimits {
                concurrent: keys.number("session.loads", 1..=1_000)?,
                waiting: keys.number("session.load_queue", 1..=1_000_000)?,
                ..LoadLimits::default()
            },
        };
        let hour = Duration::from_secs(3600);
        Ok(Self { options, cache_ttl: keys.duration("session.cache_ttl", second..=hour)? })
    }
}
