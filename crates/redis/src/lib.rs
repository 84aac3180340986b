//! The live tier of Tollbar on Redis: cached sessions, exact rate limits and live counts.
#![doc = include_str!("../README.md")]

mod address;
mod arguments;
mod batch;
mod call;
mod cluster;
mod connections;
mod dialer;
mod engine;
mod failure;
mod gate;
mod keys;
mod lanes;
mod limiter;
mod live;
mod message;
mod node;
mod options;
mod pending;
mod policy_codec;
mod question;
mod redirect;
mod reply;
#[cfg(feature = "sabotage")]
mod sabotage;
mod scripts;
mod sentinel;
mod sessions;
mod set_codec;
mod target;
mod tls;
mod topology;
mod tracker;
mod watcher;

pub use live::RedisLive;
pub use options::{RedisOptions, RedisOptionsError};
pub use target::{RedisUrlError, check_url, is_tls};
pub use tls::{TlsError, TlsFileError, check_certificate_file, check_key_file};
