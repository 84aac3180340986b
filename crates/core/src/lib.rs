//! Sessions, exact rate limits and call counts: the domain of Tollbar, the ports it asks for, and its use cases.
#![doc = include_str!("../README.md")]

mod assembly;
mod breaker;
pub mod counts;
pub mod domain;
mod error;
pub mod gate;
pub mod hashing;
mod operations;
pub mod policies;
pub mod ports;
mod random;
#[cfg(feature = "sabotage")]
pub mod sabotage;
pub mod sessions;
mod spans;
pub mod usecases;

pub use assembly::{Assembly, AssemblyError, AssemblyOptions, DurableTier, LiveTier};
pub use breaker::Breaker;
pub use error::StoreError;
pub use operations::{BesideError, Operations};
pub use random::{random_bytes, random_u64};
pub use spans::{SPANS, Trip};
