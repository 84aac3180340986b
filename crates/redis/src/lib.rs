//! The live tier of Tollbar on Redis: cached sessions, exact rate limits and live counts.
#![doc = include_str!("../README.md")]

mod arguments;
mod batch;
mod connections;
mod engine;
mod failure;
mod gate;
mod keys;
mod lanes;
mod limiter;
mod live;
mod options;
mod pending;
mod policy_codec;
mod reply;
#[cfg(feature = "sabotage")]
mod sabotage;
mod scripts;
mod sessions;
mod set_codec;
mod target;
mod tracker;

pub use live::RedisLive;
pub use options::{RedisOptions, RedisOptionsError};
pub use target::{RedisUrlError, check_url};
