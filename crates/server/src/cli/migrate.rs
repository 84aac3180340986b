//! `tollbar migrate`: the schema of the database.

use clap::Args;
use serde_json::json;

use super::{CommandError, Progress, Said, line};
use crate::{durable::Durable, settings::Settings};

/// What is done about it.
#[derive(Debug, Args)]
pub struct Migrate {
    /// Say what has not run yet, and run nothing
    #[arg(long, visible_alias = "dry-run")]
    check: bool,
}

impl Migrate {
    /// Runs what is pending, or names it. The second answer is an error that is told after the first.
    pub(super) async fn run(
        &self,
        settings: &Settings,
        as_json: bool,
    ) -> Result<(Said, Option<CommandError>), CommandError> {
        let mut text = String::new();
        if self.check {
            let pending = Durable::pending(&settings.database).await?;
            list("is pending", &pending, "nothing is pending: the schema is up to date", &mut text);
            let no = (!pending.is_empty()).then_some(CommandError::Pending(pending.len()));
            return Ok((Said { text, json: json!({ "pending": pending }) }, no));
        }
        let progress = Progress::bar(!as_json);
        let shown = progress.clone();
        let ran =
            Durable::migrate(&settings.database, move |done, of, next| shown.step(done, of, next)).await;
        progress.end();
        let ran = ran?;
        list("has run", &ran, "nothing to do: the schema is up to date", &mut text);
        Ok((Said { text, json: json!({ "ran": ran }) }, None))
    }
}

fn list(what: &str, names: &[String], nothing: &str, text: &mut String) {
    for name in names {
        line(text, format_args!("{name} {what}"));
    }
    if names.is_empty() {
        line(text, format_args!("{nothing}"));
    }
}
