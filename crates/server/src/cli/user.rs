//! `tollbar user`: what is known of an account, and the end of its sessions.

use clap::Subcommand;
use tollbar_core::domain::AccountName;

use super::{CommandError, Said, line, table::table};
use crate::{
    operations::{AccountAnswer, AdminUrl, LogoutAnswer, Need, SessionsAnswer, find},
    settings::Settings,
};

/// What is done.
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Number, since when, how many sessions live, and calls by API
    Show {
        /// A username, or id:7
        name: AccountName,
    },
    /// Each session that lives: when it was opened, and when it ends. Neither token nor verifier
    Sessions {
        /// A username, or id:7
        name: AccountName,
    },
    /// End all sessions, everywhere
    Logout {
        /// A username, or id:7
        name: AccountName,
    },
}

impl UserCommand {
    pub(super) async fn run(
        &self,
        settings: &Settings,
        admin: Option<&AdminUrl>,
    ) -> Result<Said, CommandError> {
        let need = match self {
            Self::Show { .. } | Self::Sessions { .. } => Need::Durable,
            Self::Logout { .. } => Need::Sessions,
        };
        let operator = find(settings, admin, need).await?;
        let said = match self {
            Self::Show { name } => {
                operator.account(name).await.map(|answer| Said::new(account(&answer), &answer))
            }
            Self::Sessions { name } => {
                operator.sessions(name).await.map(|answer| Said::new(sessions(&answer), &answer))
            }
            Self::Logout { name } => {
                let answer = operator.logout(name).await;
                answer.map(|answer| Said::new(logout(&answer, settings), &answer))
            }
        };
        operator.end().await;
        said
    }
}

fn account(answer: &AccountAnswer) -> String {
    let mut said = String::new();
    line(&mut said, format_args!("{}, user {}, since {}", answer.username, answer.id, answer.created_at));
    line(&mut said, format_args!("{}", counted(answer.live_sessions, "live session")));
    if answer.calls.is_empty() {
        line(&mut said, format_args!("no calls"));
    } else {
        let rows: Vec<_> = answer.calls.iter().map(|of| [of.api.clone(), of.calls.to_string()]).collect();
        table(["API", "CALLS"], &rows, &mut said);
    }
    said
}

fn sessions(answer: &SessionsAnswer) -> String {
    let mut said = String::new();
    line(&mut said, format_args!("{}, user {}", answer.username, answer.id));
    if answer.sessions.is_empty() {
        line(&mut said, format_args!("no live session"));
        return said;
    }
    let row = |session: &crate::operations::SessionAnswer| {
        let opened = session.opened_at.clone().unwrap_or_else(|| "not known".to_owned());
        [session.session.to_string(), opened, session.expires_at.clone()]
    };
    let rows: Vec<_> = answer.sessions.iter().map(row).collect();
    table(["SESSION", "OPENED", "EXPIRES"], &rows, &mut said);
    said
}

fn logout(answer: &LogoutAnswer, settings: &Settings) -> String {
    let mut said = String::new();
    let ended = if answer.ended == 1 {
        "1 session has ended".to_owned()
    } else {
        format!("{} sessions have ended", answer.ended)
    };
    line(&mut said, format_args!("{}, user {}: {ended}", answer.username, answer.id));
    if !answer.confirmed {
        let ttl = humantime::format_duration(settings.session.cache_ttl);
        line(
            &mut said,
            format_args!(
                "the live tier could not be told: processes may believe them for up to {ttl} (session.cache_ttl)"
            ),
        );
    }
    said
}

fn counted(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}
