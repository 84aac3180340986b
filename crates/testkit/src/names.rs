//! Names and passwords that nobody else has.

use std::fmt::Write as _;

use crate::error::{EngineError, OrPanic as _};

/// A name that no other test, process or run uses: `label` and 80 random bits, in lower case letters, digits and `_`.
pub fn unique_name(label: &str) -> String {
    format!("{label}_{}", random_hex(10).or_panic())
}

/// As many random bytes, in hexadecimal digits.
pub(crate) fn random_hex(bytes: usize) -> Result<String, EngineError> {
    let mut random = vec![0; bytes];
    getrandom::fill(&mut random)?;
    Ok(random.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes every write");
        text
    }))
}
