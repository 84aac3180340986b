//! The whole decision on a call: over any tiers by a trip a step, or by an engine that does it in one.

mod denials;
mod durable;
mod fast;
#[cfg(test)]
mod fixture;
mod noting;
mod plain;

pub use denials::{DenialOptions, Denials};
pub use durable::{DurableGate, LiveProcesses};
pub use fast::FastGate;
pub use noting::NotingGate;
pub use plain::PlainGate;
