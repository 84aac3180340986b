//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

pub use crate::explain::Explain;

/// Sessions, exact rate limits and call counts in front of any API.
///
/// Settings come from the environment (`TOLLBAR__SECTION__KEY`, `DATABASE_URL`, `REDIS_URL`), then from the file that
/// --config names, then from defaults that need no server at all: SQLite under data/, and memory.
///
/// While it serves, the policies of a changed file hold within two seconds, or at once at a SIGHUP; a file that is not good
/// changes nothing.
#[derive(Debug, Parser)]
#[command(name = "tollbar", version, verbatim_doc_comment)]
pub struct Arguments {
    /// A TOML file of settings; config/default.toml in the sources documents every key.
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
    /// What to do; without it, serve.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What to do instead of serving.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Say whether the settings are good: the first mistake with its line, or how many policies there are.
    Check,
    /// Say which policy is for a request, why, and how its windows stand. Nothing is spent.
    Explain(Explain),
}

impl Arguments {
    /// Those of this process; prints and exits where they ask for help or make no sense.
    pub fn of_process() -> Self {
        Self::parse()
    }
}
