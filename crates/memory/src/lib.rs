//! The live tier of Tollbar inside one process: cached sessions, exact rate limits and live counts.
#![doc = include_str!("../README.md")]

mod board;
mod limits;
mod live;
mod ports;
mod sessions;
mod shards;
mod swept;

pub use live::{MemoryLive, MemoryOptions};
