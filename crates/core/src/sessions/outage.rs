//! What a change of sessions does when the live tier cannot be told of it.

/// The durable change stands either way; this chooses what its caller hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnCacheOutage {
    /// Serve the caller. Another process may believe a cached session that has ended for at most `session.cache_ttl`.
    #[default]
    Serve,
    /// Fail the call, so that nobody relies on an end that is not everywhere yet.
    Refuse,
}
