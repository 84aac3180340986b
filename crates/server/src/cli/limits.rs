//! `tollbar limits`: the whole quota back.

use std::{net::IpAddr, time::Duration};

use clap::{ArgGroup, Args, Subcommand};
use serde::Serialize;
use tollbar_core::domain::{AccountName, PolicyName};

use super::{CommandError, Said, line};
use crate::{
    explain::header,
    operations::{AdminUrl, Need, ResetAnswer, ResetQuestion, Whose, find},
    settings::Settings,
};

/// What is done.
#[derive(Debug, Subcommand)]
pub enum LimitsCommand {
    /// Forget what was charged to somebody
    Reset(Reset),
}

/// Whose, and of which policy.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("whose").required(true).args(["user", "client", "header"]))]
pub struct Reset {
    /// A username, or id:7
    user: Option<AccountName>,
    /// A client's address
    #[arg(long, value_name = "ADDRESS")]
    client: Option<IpAddr>,
    /// What a header says
    #[arg(long, value_name = "NAME=VALUE", value_parser = header)]
    header: Option<(String, String)>,
    /// Of one policy; else of all
    #[arg(long, value_name = "NAME", value_parser = PolicyName::new)]
    policy: Option<PolicyName>,
}

/// The answer, and who gave it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Done<'a> {
    #[serde(flatten)]
    answer: &'a ResetAnswer,
    process: Option<String>,
}

impl LimitsCommand {
    pub(super) async fn run(
        &self,
        settings: &Settings,
        admin: Option<&AdminUrl>,
    ) -> Result<Said, CommandError> {
        let Self::Reset(reset) = self;
        let whose = reset.whose();
        let question = ResetQuestion { whose, policy: reset.policy.as_ref().map(ToString::to_string) };
        let operator = find(settings, admin, Need::Limits).await?;
        let answer = operator.reset(&question).await;
        let process = operator.process().map(ToString::to_string);
        operator.end().await;
        let answer = answer?;
        let done = Done { answer: &answer, process };
        Ok(Said::new(text(&done), &done))
    }
}

impl Reset {
    fn whose(&self) -> Whose {
        match (&self.user, self.client, &self.header) {
            (Some(name), ..) => Whose::User(name.to_string()),
            (None, Some(address), _) => Whose::Address(address),
            (None, None, Some((name, value))) => {
                Whose::Header { name: name.clone(), value: Some(value.clone()) }
            }
            (None, None, None) => unreachable!("the group of these arguments is required"),
        }
    }
}

fn text(done: &Done<'_>) -> String {
    let mut said = String::new();
    match done.answer.reset {
        0 => line(&mut said, format_args!("there was nothing to reset")),
        1 => line(&mut said, format_args!("1 limit was reset")),
        many => line(&mut said, format_args!("{many} limits were reset")),
    }
    if let Some(seconds) = done.answer.others_deny_for {
        let span = humantime::format_duration(Duration::try_from_secs_f64(seconds).unwrap_or_default());
        let who = match &done.process {
            Some(process) => format!("processes other than {process}"),
            None => "processes that serve".to_owned(),
        };
        line(
            &mut said,
            format_args!("{who} may deny again from memory for up to {span}; --admin URL asks one of them"),
        );
    }
    said
}
