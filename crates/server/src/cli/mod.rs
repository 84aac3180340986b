//! The command line.

mod arguments;
mod command_error;
mod completions;
mod help;
mod limits;
mod migrate;
mod progress;
mod run;
mod said;
mod table;
mod top;
mod user;

pub use arguments::{Arguments, Command};
pub use command_error::{CommandError, report};
pub(crate) use progress::Progress;
pub use run::run;
pub(crate) use said::{Said, line};
