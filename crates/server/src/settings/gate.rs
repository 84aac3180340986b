//! `[gate]`: what is remembered of those who are over a limit.

use super::{SettingsError, keys::Keys};

/// `[gate]`
#[derive(Debug, Clone)]
pub struct GateSettings {
    /// Denials that are remembered at once; 0: none.
    pub deny_cache: usize,
}

impl GateSettings {
    pub(super) fn read(keys: &Keys) -> Result<Self, SettingsError> {
        Ok(Self { deny_cache: keys.number("gate.deny_cache", 0..=10_000_000)? })
    }
}
