//! The ports that the live tier implements, a file a port.

mod call_tracker;
mod one_trip;
mod rate_limiter;
mod session_cache;
