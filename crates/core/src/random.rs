//! Randomness for secrets, from the operating system.

use crate::StoreError;

/// `N` random bytes that nobody can guess.
///
/// # Errors
/// The operating system has no randomness to give.
pub fn random_bytes<const N: usize>() -> Result<[u8; N], StoreError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| StoreError::transient("draw randomness", error))?;
    Ok(bytes)
}

/// A random number that nobody can guess.
///
/// # Errors
/// The operating system has no randomness to give.
pub fn random_u64() -> Result<u64, StoreError> {
    random_bytes().map(u64::from_be_bytes)
}
