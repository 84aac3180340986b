//! What happened in a run: every request with its answer, every fault, and what was found at the end.

mod dump;
mod event;
mod fault;
mod record;
mod terms;

pub use dump::dump;
pub use event::{Answer, Api, Event, Micros, Op, ProcessId, User};
pub use fault::{Engine, Fault, FaultKind, LinkFault, Reach};
pub use record::{Board, Final, History, Place, Stall, Totals, Unconfirmed};
pub use terms::{Terms, Window};
