//! `[password]`: what a password must be, and what its hash costs.

use super::{SettingsError, keys::Keys};

/// `[password]`
#[derive(Debug, Clone)]
pub struct PasswordSettings {
    /// Each step doubles the time of a hash.
    pub bcrypt_cost: u32,
    /// How many may wait for a core.
    pub queue: usize,
    /// Characters of a new password, at least.
    pub min_length: usize,
}

impl PasswordSettings {
    pub(super) fn read(keys: &Keys) -> Result<Self, SettingsError> {
        Ok(Self {
            bcrypt_cost: keys.number("password.bcrypt_cost", 4..=31)?,
            queue: keys.number("password.queue", 0..=100_000)?,
            // No password has more than 71 bytes.
            min_length: keys.number("password.min_length", 1..=71)?,
        })
    }
}
