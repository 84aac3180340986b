//! How a process authors its counts: an open epoch in memory, a flush that adds each closed one to the ledger once, and what others do for
//! a process that died. The protocol and why it holds: `README.md` beside this file.

mod adopter;
mod aftermath;
mod announcer;
mod book;
mod epoch;
mod flusher;
mod live_counts;
mod owed;
mod pruner;
mod raiser;
mod sums;
mod wishes;

pub use book::{BookOptions, CallBook};
pub use epoch::{ClosedEpoch, Counted, Passage};
pub use flusher::{CountFlusher, FlusherOptions};
pub use live_counts::LiveCounts;
