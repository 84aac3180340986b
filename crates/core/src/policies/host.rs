//! Which host a request is for.

use super::RuleError;

/// `api.example.com`, or `*.example.com` for all names below. Case and port do not matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPattern {
    text: String,
}

impl HostPattern {
    /// Reads a pattern.
    pub fn new(text: &str) -> Result<Self, RuleError> {
        let name = text.strip_prefix("*.").unwrap_or(text);
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let is_name = name.split('.').all(|part| !part.is_empty() && part.bytes().all(is_part));
        let is_address = text.starts_with('[') && name_of(text) == text;
        if is_name || is_address {
            Ok(Self { text: text.to_ascii_lowercase() })
        } else {
            Err(RuleError::Host)
        }
    }

    /// The pattern as it was written, in lower case.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The one name that matches, where there is only one.
    pub(super) fn only(&self) -> Option<&str> {
        (!self.text.starts_with('*')).then_some(&self.text)
    }

    /// Whether a `Host` header names such a host.
    pub fn matches(&self, host: &str) -> bool {
        let host = name_of(host);
        match self.text.strip_prefix('*') {
            // At least one character stands for the star.
            Some(end) => host.len().checked_sub(end.len()).is_some_and(|at| {
                at > 0 && host.is_char_boundary(at) && host[at..].eq_ignore_ascii_case(end)
            }),
            None => host.eq_ignore_ascii_case(&self.text),
        }
    }
}

/// A host without its port, and without the dot that may end it.
pub(super) fn name_of(host: &str) -> &str {
    if host.starts_with('[') {
        return host.find(']').map_or(host, |end| &host[..=end]);
    }
    let name = host.split_once(':').map_or(host, |(name, _)| name);
    name.strip_suffix('.').unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_without_case_port_and_last_dot() {
        for (pattern, host, expected) in [
            ("api.example.com", "api.example.com", true),
            ("api.example.com", "API.Example.com:8443", true),
            ("API.example.com", "api.example.com.", true),
            ("api.example.com", "xapi.example.com", false),
            ("*.example.com", "a.b.example.com:1", true),
            ("*.example.com", "example.com", false),
            ("*.example.com", ".example.com", false),
            ("*.example.com", "\u{fc}example.com", false),
            ("localhost", "localhost:80", true),
            ("[::1]", "[::1]:80", true),
            ("127.0.0.1", "127.0.0.1:8080", true),
        ] {
            assert_eq!(HostPattern::new(pattern).unwrap().matches(host), expected, "{pattern} {host}");
        }
        for bad in ["", "*", "a..b", "a:80", "http://a", "*.", "a.*.b", "[::1]:80", "a b"] {
            assert_eq!(HostPattern::new(bad), Err(RuleError::Host), "{bad}");
        }
    }
}
