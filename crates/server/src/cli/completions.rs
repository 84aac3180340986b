//! `tollbar completions`: what a shell needs to complete the words of the command line.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;
use serde_json::json;

use super::{Arguments, Said};

/// For which shell.
#[derive(Debug, Args)]
pub struct Completions {
    /// bash, elvish, fish, powershell or zsh
    shell: Shell,
}

impl Completions {
    pub(super) fn run(&self) -> Said {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Arguments::command(), "tollbar", &mut script);
        let script = String::from_utf8_lossy(&script).into_owned();
        let json = json!({ "shell": self.shell.to_string(), "script": script });
        Said { text: script, json }
    }
}
