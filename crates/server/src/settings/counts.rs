//! `[counts]`: how counts reach the database.

use std::time::Duration;

use super::{SettingsError, keys::Keys};

/// `[counts]`
#[derive(Debug, Clone)]
pub struct CountSettings {
    /// How often counts are written; zero: before each call is answered.
    pub flush: Duration,
    /// Users that may be counted between two flushes.
    pub book_limit: usize,
}

impl CountSettings {
    pub(super) fn read(keys: &Keys) -> Result<Self, SettingsError> {
        let flush = match keys.duration("counts.flush", Duration::ZERO..=Duration::from_secs(60))? {
            Duration::ZERO => Duration::ZERO,
            _ => keys.duration("counts.flush", Duration::from_millis(10)..=Duration::from_secs(60))?,
        };
        Ok(Self { flush, book_limit: keys.number("counts.book_limit", 1..=100_000_000)? })
    }
}
