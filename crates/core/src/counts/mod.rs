//! How a process authors its counts: an open epoch in memory, and a flush that adds each closed one to the ledger once.

mod book;
mod flusher;

pub use book::{CallBook, ClosedEpoch, Passage};
pub use flusher::{CountFlusher, FlusherOptions};
