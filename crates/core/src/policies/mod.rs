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
