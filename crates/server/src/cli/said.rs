//! What a command answers: for people and for programs.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::Value;

/// Both forms of an answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Said {
    /// Lines, each with its end.
    pub(crate) text: String,
    /// One document.
    pub(crate) json: Value,
}

impl Said {
    pub(crate) fn new(text: String, answer: &impl Serialize) -> Self {
        Self {
            text,
            json: serde_json::to_value(answer).expect("an answer is text and numbers, which are JSON"),
        }
    }

    /// As it is written.
    pub(crate) fn written(self, as_json: bool) -> String {
        if as_json { format!("{}\n", self.json) } else { plain(&self.text) }
    }
}

/// Without what a terminal would take for a command: a process that was asked may have said anything.
pub(super) fn plain(text: &str) -> String {
    let is_plain = |letter: char| !letter.is_control() || matches!(letter, '\n' | '\t');
    text.chars().map(|letter| if is_plain(letter) { letter } else { char::REPLACEMENT_CHARACTER }).collect()
}

/// Adds a line.
pub(crate) fn line(said: &mut String, words: std::fmt::Arguments<'_>) {
    writeln!(said, "{words}").expect("a text takes more text");
}
