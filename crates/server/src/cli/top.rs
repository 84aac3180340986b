//! `tollbar top`: who called, or was limited, most.

use clap::{Args, builder::PossibleValuesParser, value_parser};
use tollbar_core::usecases::{TOP_LIMIT, TOP_MOST};

use super::{CommandError, Said, line, table::table};
use crate::{
    operations::{AdminUrl, Need, TopAnswer, TopQuestion, find},
    settings::Settings,
};

/// What is asked.
#[derive(Debug, Args)]
pub struct Top {
    /// Calls to what; that of /ping where it is not said
    #[arg(long)]
    api: Option<String>,
    /// Within which time, in UTC
    #[arg(long, default_value = "all", value_parser = PossibleValuesParser::new(["today", "24h", "7d", "30d", "all"]))]
    window: String,
    /// What is counted: calls that were admitted, or those over a limit
    #[arg(long, default_value = "calls", value_parser = PossibleValuesParser::new(["calls", "limited"]))]
    by: String,
    /// How many places
    #[arg(long, default_value_t = TOP_LIMIT as u64, value_parser = value_parser!(u64).range(1..=TOP_MOST as u64))]
    limit: u64,
}

impl Top {
    pub(super) async fn run(
        &self,
        settings: &Settings,
        admin: Option<&AdminUrl>,
    ) -> Result<Said, CommandError> {
        let question = TopQuestion {
            api: self.api.clone(),
            window: self.window.clone(),
            by: self.by.clone(),
            limit: usize::try_from(self.limit).unwrap_or(TOP_MOST),
        };
        let operator = find(settings, admin, Need::Counts).await?;
        let answer = operator.top(&question).await;
        operator.end().await;
        let answer = answer?;
        Ok(Said::new(text(&answer), &answer))
    }
}

fn text(answer: &TopAnswer) -> String {
    let mut said = String::new();
    let window = match (answer.window.as_str(), &answer.from) {
        ("all", _) => "of all time".to_owned(),
        (window, Some(from)) => format!("{window}, since {from}"),
        (window, None) => window.to_owned(),
    };
    let by = if answer.by == "limited" { "calls over a limit" } else { "calls" };
    line(&mut said, format_args!("{}: {by}, {window}", answer.api));
    if answer.top.is_empty() {
        line(&mut said, format_args!("nobody"));
    } else {
        let row = |(at, place): (usize, &crate::operations::Place)| {
            [(at + 1).to_string(), place.user_id.to_string(), place.calls.to_string()]
        };
        let rows: Vec<_> = answer.top.iter().enumerate().map(row).collect();
        table(["PLACE", "USER", "CALLS"], &rows, &mut said);
    }
    if answer.max_error > 0 {
        line(&mut said, format_args!("each number may be too low by {}", answer.max_error));
    }
    if answer.stale {
        line(&mut said, format_args!("by the ledger: the last calls may be missing"));
    }
    said
}
