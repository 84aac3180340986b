//! Tollbar, the service: settings, composition, telemetry and shutdown around the crates that do the work.

mod admin;
mod application;
mod claim;
pub mod cli;
mod compose;
mod docs;
mod durable;
mod explain;
mod listener;
mod live;
pub mod metrics;
mod operations;
mod operator;
mod paced;
mod reload;
pub mod settings;
pub mod signals;
mod span_fields;
mod start_error;
pub mod telemetry;
mod traces;

pub use application::Application;
pub use settings::Settings;
pub use start_error::{RunError, StartError};
pub use traces::{Traces, TracesError};

// The code of the README is compiled where every crate that it shows is at hand.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
