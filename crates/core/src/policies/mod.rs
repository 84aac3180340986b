//! Which policy a request goes by: an ordered list, compiled into one matcher, that can be exchanged while calls go on.

mod current;
mod host;
mod path;
mod rule;
mod table;
mod tally;
mod tree;

pub use current::Policies;
pub use host::HostPattern;
pub use path::{AmbiguousPath, MAX_SEGMENTS, PathPattern, RequestPath};
pub use rule::{Mismatch, Mode, OnOutage, Rule, RuleError, RuleOptions, Whom};
pub use table::{PolicyTable, TableError, Unmatched};

/// Whether programs disagree on what a method is: methods are told apart by case (RFC 9110, section 9.1), and some applications do not.
pub fn is_ambiguous_method(method: &str) -> bool {
    method.bytes().any(|byte| byte.is_ascii_lowercase())
}
