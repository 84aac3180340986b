//! The command line.

use std::path::PathBuf;

use clap::Parser;

/// Sessions, exact rate limits and call counts in front of any API.
///
/// Settings come from the environment (`TOLLBAR__SECTION__KEY`, `DATABASE_URL`, `REDIS_URL`), then from the file that
/// --config names, then from defaults that need no server at all: SQLite under data/, and memory.
#[derive(Debug, Parser)]
#[command(name = "tollbar", version, verbatim_doc_comment)]
pub struct Arguments {
    /// A TOML file of settings; config/default.toml in the sources documents every key.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

impl Arguments {
    /// Those of this process; prints and exits where they ask for help or make no sense.
    pub fn of_process() -> Self {
        Self::parse()
    }
}
