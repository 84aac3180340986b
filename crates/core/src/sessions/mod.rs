//! Tiered sessions: the live tier first, the durable tier behind it, and nothing revoked ever comes back.

mod changes;
mod loader;
mod outage;
mod refresher;
mod tally;
mod tiered;

pub use loader::LoadLimits;
pub use outage::OnCacheOutage;
pub use tiered::{Ended, Opened, SessionOptions, TieredSessions};
