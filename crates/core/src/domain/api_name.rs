//! The name that calls of one API are counted under.

use std::{fmt, sync::Arc};

/// 1 to 64 of `a`-`z`, digits, `.`, `_` and `-`. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApiName(Arc<str>);

/// The text is no API name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a name here has 1 to 64 characters of a-z, 0-9, '.', '_' and '-'")]
pub struct ApiNameError;

/// The rule that names which become part of a key share.
pub(super) fn is_key_part(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-'))
}

impl ApiName {
    /// Takes a name that came from outside.
    pub fn new(name: &str) -> Result<Self, ApiNameError> {
        if is_key_part(name) { Ok(Self(name.into())) } else { Err(ApiNameError) }
    }

    /// The name itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ApiName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_nothing_that_could_bend_a_key() {
        assert!(ApiName::new("orders.v1_list-all").is_ok());
        for refused in ["", "Ping", "a b", "a:b", "a{b}", "ü"] {
            assert_eq!(ApiName::new(refused), Err(ApiNameError), "{refused:?}");
        }
        assert_eq!(ApiName::new(&"a".repeat(65)), Err(ApiNameError));
    }
}
