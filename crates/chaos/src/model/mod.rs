//! The protocols as models: every order of their atomic steps, within bounds, with every fault between them.
//!
//! `cargo xtask model` explores the large sizes and prints how each naive variant fails; the tests explore the small ones.

pub mod counting;
mod explore;
mod protocol;
pub mod sessions;

pub use explore::{Report, Violation, explore, refute};
pub use protocol::{Naive, Protocol, Scale};
