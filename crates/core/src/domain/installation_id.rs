//! What tells one installation from another, and is no secret.

use std::fmt;

use sha2::{Digest, Sha256};

/// Stands for all that is kept in one database: whoever asks a process by this can tell whether it is the one that is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InstallationId([u8; 8]);

impl InstallationId {
    /// Of the installation whose tokens are sealed with this key. There is no way back to the key, which is 256 random bits.
    pub fn of_key(key: &[u8]) -> Self {
        let digest = Sha256::new().chain_update(b"tollbar installation\0").chain_update(key).finalize();
        Self(std::array::from_fn(|at| digest[at]))
    }
}

impl fmt::Display for InstallationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", u64::from_be_bytes(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_told_apart_and_not_shown() {
        let [one, other] = [[1; 32], [2; 32]].map(|key| InstallationId::of_key(&key));
        assert_eq!(one, InstallationId::of_key(&[1; 32]));
        assert!(one != other && one.to_string().len() == 16 && !one.to_string().contains("0101"));
    }
}
