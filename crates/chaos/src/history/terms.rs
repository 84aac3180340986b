//! By which settings a run went, as far as the promises depend on them.

use super::{Api, Micros};

/// One window of a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// How many calls.
    pub quota: usize,
    /// In how long.
    pub period: Micros,
}

/// The settings that promises depend on, and how much the machine's own noise is forgiven.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Terms {
    /// How many processes there are.
    pub processes: u8,
    /// `session.cache_ttl`.
    pub cache_ttl: Micros,
    /// `session.ttl`.
    pub session_ttl: Micros,
    /// `counts.flush`.
    pub flush: Micros,
    /// `redis.deadline`.
    pub redis_deadline: Micros,
    /// `database.deadline`.
    pub postgres_deadline: Micros,
    /// Whether denials are remembered: a process may then repeat one to a session that ended elsewhere.
    pub deny_cache: bool,
    /// The windows of each policy, in the order of [`Api::ALL`].
    pub windows: [Vec<Window>; 4],
    /// What is added to every bound in time before a breach of it counts.
    pub slack: Micros,
}

impl Terms {
    /// The windows of this policy.
    pub fn windows(&self, api: Api) -> &[Window] {
        &self.windows[api as usize]
    }
}
