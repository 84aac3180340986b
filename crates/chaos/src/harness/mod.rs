//! The run: real processes on real engines, clients that note every answer, and a nemesis that breaks one thing at a time.

mod base;
mod bug;
mod client;
mod clock;
mod drill;
mod error;
mod fault;
mod ledger;
mod log;
mod nemesis;
mod options;
mod people;
mod plan;
mod process;
mod pulse;
mod recorder;
mod run;
mod settings;
mod settle;
mod stage;
mod traffic;
mod world;

pub use bug::Bug;
pub use drill::{Drill, drill};
pub use error::ChaosError;
pub use options::{Options, Pace};
pub use run::{Outcome, run};
