//! Paths of requests in one form, so that no other spelling leads past a policy; and the patterns that match them.

use std::borrow::Cow;

use super::RuleError;

/// A path without query, in the form that policies are compared with: escapes of unreserved characters are undone and others are in
/// upper case (RFC 3986, section 6.2.2), and empty segments are left out, a last one included.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestPath<'a>(Cow<'a, str>);

/// A path that one program takes for this and another for that: with dot segments or backslashes, escaped or not, with two slashes
/// at its beginning, or with a number sign, which no target has (RFC 9112, section 3.2). Whoever decides by it decides about something else than what is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a path with dot segments, backslashes, \"#\" or two slashes at its beginning has no one meaning")]
pub struct AmbiguousPath;

impl<'a> RequestPath<'a> {
    /// Brings a request's target, with or without a query, into that form.
    ///
    /// # Errors
    /// It has no one meaning.
    pub fn of(target: &'a [u8]) -> Result<Self, AmbiguousPath> {
        let end = target.iter().position(|byte| *byte == b'?').unwrap_or(target.len());
        let path = &target[..end];
        match std::str::from_utf8(path) {
            Ok(path) if is_plain(path) => Ok(Self(Cow::Borrowed(path))),
            _ => resolve(path).map(|path| Self(Cow::Owned(path))),
        }
    }

    /// The path.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether a path is in the form already: nearly every one is.
fn is_plain(path: &str) -> bool {
    let bytes = path.as_bytes();
    let bad_pair = |pair: &[u8]| pair[0] == b'/' && matches!(pair[1], b'/' | b'.');
    bytes.first() == Some(&b'/')
        && (bytes.len() == 1 || bytes.last() != Some(&b'/'))
        && bytes.iter().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'%' | b'\\' | b'#'))
        && !bytes.windows(2).any(bad_pair)
}

fn resolve(path: &[u8]) -> Result<String, AmbiguousPath> {
    // Taken for a relative reference, what follows is a host (RFC 3986, section 4.2).
    if path.starts_with(b"//") || path.contains(&b'#') {
        return Err(AmbiguousPath);
    }
    let mut resolved = String::with_capacity(path.len() + 1);
    for segment in path.split(|byte| *byte == b'/').filter(|segment| !segment.is_empty()) {
        let segment = unescape(segment);
        if matches!(segment.as_str(), "." | "..") || segment.contains("%5C") {
            return Err(AmbiguousPath);
        }
        resolved.push('/');
        resolved.push_str(&segment);
    }
    if resolved.is_empty() {
        resolved.push('/');
    }
    Ok(resolved)
}

fn is_in_form(segment: &str) -> bool {
    let path = format!("/{segment}");
    RequestPath::of(path.as_bytes()).is_ok_and(|found| found.as_str() == path)
}

/// A segment without the escapes that it does not need, and with those that it does.
fn unescape(segment: &[u8]) -> String {
    let mut text = String::with_capacity(segment.len());
    let mut at = 0;
    while at < segment.len() {
        let escaped = (segment[at] == b'%').then(|| hex(segment.get(at + 1..at + 3)?)).flatten();
        let byte = escaped.unwrap_or(segment[at]);
        at += if escaped.is_some() { 3 } else { 1 };
        let unreserved = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        if unreserved || (escaped.is_none() && byte.is_ascii_graphic() && !matches!(byte, b'%' | b'\\')) {
            text.push(char::from(byte));
        } else {
            const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
            text.push('%');
            text.push(char::from(DIGITS[usize::from(byte >> 4)]));
            text.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
    text
}

fn hex(pair: &[u8]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let (high, low) = (digit(pair[0])?, digit(pair[1])?);
    u8::try_from(high << 4 | low).ok()
}

/// The most segments of a pattern.
pub const MAX_SEGMENTS: usize = 64;

/// `/orders`, `/orders/{id}/items` (one segment of any text), `/files/*` (`/files` and all below), `/*` (every path).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathPattern {
    text: String,
    segments: Vec<Segment>,
    is_prefix: bool,
}

/// What may stand between two slashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Segment {
    /// This text.
    Exactly(String),
    /// Any text.
    Any,
}

impl PathPattern {
    /// Reads a pattern.
    pub fn new(text: &str) -> Result<Self, RuleError> {
        let mut segments = text.strip_prefix('/').ok_or(RuleError::Path)?.split('/').peekable();
        if text.bytes().filter(|byte| *byte == b'/').count() > MAX_SEGMENTS {
            return Err(RuleError::PathLength);
        }
        let (mut parsed, mut is_prefix) = (Vec::new(), false);
        while let Some(segment) = segments.next() {
            let is_last = segments.peek().is_none();
            let name = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
            let is_name = |name: &str| {
                !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            };
            match (segment, name) {
                ("*", _) if is_last => is_prefix = true,
                ("", _) if is_last && parsed.is_empty() => {}
                (_, Some(name)) if is_name(name) => parsed.push(Segment::Any),
                _ if !segment.is_ascii() || segment.contains(['{', '}', '*', '?', '#', ' ']) => {
                    return Err(RuleError::Path);
                }
                ("", _) => return Err(RuleError::PathForm),
                // A segment that is not in its form would match nothing.
                _ if !is_in_form(segment) => return Err(RuleError::PathForm),
                _ => parsed.push(Segment::Exactly(segment.to_owned())),
            }
        }
        Ok(Self { text: text.to_owned(), segments: parsed, is_prefix })
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether a path matches.
    pub fn matches(&self, path: &RequestPath<'_>) -> bool {
        let mut given = path.as_str().split('/').filter(|segment| !segment.is_empty());
        let each = self.segments.iter().all(|wanted| match (wanted, given.next()) {
            (Segment::Exactly(wanted), Some(given)) => wanted == given,
            (Segment::Any, Some(_)) => true,
            (_, None) => false,
        });
        each && (self.is_prefix || given.next().is_none())
    }

    /// Its segments.
    pub(super) fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Whether it is for all below, too.
    pub(super) fn is_prefix(&self) -> bool {
        self.is_prefix
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_path_is_the_same_path() {
        for (target, path) in [
            ("/orders/7", "/orders/7"),
            ("/orders/7?a=/b", "/orders/7"),
            ("/orders/7?x#y", "/orders/7"),
            ("/orders///7/", "/orders/7"),
            ("/%6Frders/%37", "/orders/7"),
            ("/...", "/..."),
            ("/a..b/.c", "/a..b/.c"),
            ("/orders%2f7", "/orders%2F7"),
            ("/orders%2", "/orders%252"),
            ("/%zz", "/%25zz"),
            ("/a b", "/a%20b"),
            ("/%c3%bc", "/%C3%BC"),
            ("/\u{fc}", "/%C3%BC"),
            ("/a\u{7f}", "/a%7F"),
            ("/.well-known/x", "/.well-known/x"),
            ("", "/"),
            ("/", "/"),
            ("?x", "/"),
            ("orders", "/orders"),
        ] {
            let found = RequestPath::of(target.as_bytes()).unwrap();
            assert_eq!(found.as_str(), path, "{target}");
            assert_eq!(RequestPath::of(found.as_str().as_bytes()).unwrap(), found, "{target}");
        }
        assert_eq!(RequestPath::of(b"/\xff").unwrap().as_str(), "/%FF");
    }

    #[test]
    fn a_path_of_two_meanings_is_none() {
        for target in [
            "/admin/../public",
            "/admin//../users",
            "/./a",
            "/a/.",
            "/a/..",
            "/%2e%2E/a",
            "/a/.%2e",
            "..",
            "/a\\..\\b",
            "/a%5cb",
            "/a%5C..",
            "//admin",
            "//evil/admin",
            "/public#/../admin",
            "/a#",
            "//",
        ] {
            assert_eq!(RequestPath::of(target.as_bytes()), Err(AmbiguousPath), "{target}");
        }
    }

    fn matches(pattern: &str, path: &str) -> bool {
        PathPattern::new(pattern).unwrap().matches(&RequestPath::of(path.as_bytes()).unwrap())
    }

    #[test]
    fn patterns_match_whole_segments() {
        for (pattern, path, expected) in [
            ("/orders", "/orders", true),
            ("/orders", "/orders/", true),
            ("/orders", "/Orders", false),
            ("/orders", "/orders/7", false),
            ("/orders", "/order", false),
            ("/orders/{id}", "/orders/7", true),
            ("/orders/{id}", "/orders", false),
            ("/orders/{id}", "/orders/7/items", false),
            ("/orders/{id}/items", "/orders/a%2Fb/items", true),
            ("/files/*", "/files", true),
            ("/files/*", "/files/a/b", true),
            ("/files/*", "/filesystem", false),
            ("/{a}/b/*", "/x/b/c", true),
            ("/*", "/", true),
            ("/*", "/x/y", true),
            ("/", "/", true),
            ("/", "/x", false),
            ("/a.b", "/axb", false),
        ] {
            assert_eq!(matches(pattern, path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn what_could_not_match_is_no_pattern() {
        for bad in
            ["", "orders", "/a*", "/*/a", "/{}", "/{a}b", "/{a b}", "/a?b", "/a#b", "/a b", "/\u{fc}", "/{a"]
        {
            assert_eq!(PathPattern::new(bad), Err(RuleError::Path), "{bad}");
        }
        assert!(PathPattern::new(&"/a".repeat(MAX_SEGMENTS)).is_ok());
        assert_eq!(PathPattern::new(&"/a".repeat(MAX_SEGMENTS + 1)), Err(RuleError::PathLength));
        for bad in ["/a/", "/a//b", "/a/../b", "/./a", "/%61", "/%2f", "//"] {
            assert_eq!(PathPattern::new(bad), Err(RuleError::PathForm), "{bad}");
        }
    }
}
