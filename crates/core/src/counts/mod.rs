//! How a process authors its counts: an open epoch in memory, and a flush that adds each closed one to the ledger once.

mod adopter;
mod book;
mod flusher;
mod raiser;
mod sums;

pub use book::{BookOptions, CallBook, ClosedEpoch, Counted, Passage};
pub use flusher::{CountFlusher, FlusherOptions};
