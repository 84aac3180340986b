//! What may stand on the command line.

use std::{ffi::OsString, path::PathBuf};

use clap::{Parser, Subcommand, error::ErrorKind};

use super::{
    completions::Completions, help, limits::LimitsCommand, migrate::Migrate, report, top::Top,
    user::UserCommand,
};
use crate::{explain::Explain, operations::AdminUrl};

/// Sessions, exact rate limits and call counts in front of any API.
///
/// Settings come from the environment (`TOLLBAR__SECTION__KEY`, `DATABASE_URL`, `REDIS_URL`), then from the file that
/// --config names, then from defaults that need no server at all: SQLite under data/, and memory.
///
/// While it serves, the policies of a changed file hold within two seconds, or at once at a SIGHUP; a file that is not good
/// changes nothing.
#[derive(Debug, Parser)]
#[command(name = "tollbar", version, after_help = help::SHORT, after_long_help = help::LONG)]
pub struct Arguments {
    /// A TOML file of settings; config/default.toml in the sources documents every key.
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
    /// Say it as one JSON document; errors, too, on standard error. Of serve: log as JSON.
    #[arg(long, global = true)]
    pub json: bool,
    /// The process to ask, by its operator listener (http://HOST:PORT); else admin.bind says it, where one is needed.
    #[arg(long, value_name = "URL", global = true)]
    pub admin: Option<AdminUrl>,
    /// What to do; without it, serve.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve, until a signal ends it. This is what is done without a command, too.
    Serve,
    /// Say whether the settings are good: the first mistake with its line, or how many policies there are.
    #[command(after_help = help::CHECK)]
    Check,
    /// Say which policy is for a request, why, and how its windows stand. Nothing is spent.
    #[command(after_help = help::EXPLAIN)]
    Explain(Explain),
    /// Bring the schema of the database up to date, as every start does, too.
    #[command(after_help = help::MIGRATE)]
    Migrate(Migrate),
    /// Say who called, or was limited, most.
    #[command(after_help = help::TOP)]
    Top(Top),
    /// Tell of an account, or end its sessions.
    #[command(subcommand, after_help = help::USER)]
    User(UserCommand),
    /// Give somebody their whole quota back.
    #[command(subcommand, after_help = help::LIMITS)]
    Limits(LimitsCommand),
    /// Print what a shell needs to complete these words.
    #[command(after_help = help::COMPLETIONS)]
    Completions(Completions),
}

impl Arguments {
    /// Those of this process; prints and exits where they ask for help or make no sense.
    pub fn of_process() -> Self {
        let words: Vec<OsString> = std::env::args_os().collect();
        let wants_json = words.iter().any(|word| word == "--json");
        Self::try_parse_from(words).unwrap_or_else(|error| match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => error.exit(),
            _ if wants_json => {
                let rendered = error.render().to_string();
                report(rendered.trim_end(), USAGE, true);
                std::process::exit(USAGE.into())
            }
            _ => error.exit(),
        })
    }
}

/// The exit code of a command line that makes no sense, by long custom and clap's.
const USAGE: u8 = 2;

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn options_of_all_stand_anywhere_and_no_command_is_serve() {
        let parsed = |words: &[&str]| Arguments::try_parse_from([&["tollbar"], words].concat()).unwrap();
        let none = parsed(&[]);
        assert!(none.command.is_none() && !none.json && none.admin.is_none());
        assert!(matches!(parsed(&["serve"]).command, Some(Command::Serve)));
        for words in [&["--json", "--admin", "h:1", "top"][..], &["top", "--admin", "http://h:1", "--json"]] {
            let arguments = parsed(words);
            assert!(arguments.json && arguments.admin.unwrap().to_string() == "http://h:1");
        }
        for refused in [
            &["top", "--limit", "0"][..],
            &["top", "--limit", "101"],
            &["top", "--window", "2d"],
            &["limits", "reset"],
            &["limits", "reset", "ada", "--client", "192.0.2.1"],
            &["user", "show", "a/b"],
            &["user"],
            &["completions", "tcsh"],
            &["--admin", "https://h", "top"],
        ] {
            assert!(Arguments::try_parse_from([&["tollbar"], refused].concat()).is_err(), "{refused:?}");
        }
    }
}
