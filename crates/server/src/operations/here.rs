//! What operators ask for, done on the tiers.

use std::{sync::Arc, time::Duration};

use tollbar_core::{
    Operations, StoreError,
    domain::{AccountName, ApiName, PolicyName, Subject},
    ports::{Account, SessionFacts},
    usecases::{AccountReport, CallWindow, RankedBy, ResetError, TOP_MOST},
};

use super::{
    AccountAnswer, ApiCalls, LogoutAnswer, PeekAnswer, PeekQuestion, ResetAnswer, ResetQuestion,
    SessionAnswer, SessionsAnswer, TopAnswer, TopQuestion, Whose, answers::rfc3339,
};

/// Why something was not done.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Refusal {
    /// There is no such user.
    #[error("there is no such user")]
    UnknownUser,
    /// No policy counts under this name, and nobody called it within 400 days.
    #[error("no calls are counted under this name")]
    UnknownApi,
    /// There is no policy of this name.
    #[error("there is no policy of this name")]
    UnknownPolicy,
    /// The question breaks a rule.
    #[error("{0}")]
    Bad(String),
    /// A tier failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[expect(clippy::needless_pass_by_value, reason = "what `map_err` has to give")]
fn bad(error: impl ToString) -> Refusal {
    Refusal::Bad(error.to_string())
}

/// Does it on the tiers. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Here {
    operations: Arc<Operations>,
    /// For how long processes may deny from memory that share the live tier; `None`: there are none.
    others_deny_for: Option<Duration>,
}

impl Here {
    pub(crate) fn new(operations: Arc<Operations>, others_deny_for: Option<Duration>) -> Self {
        Self { operations, others_deny_for }
    }

    /// Which installation it is of.
    pub(crate) fn installation(&self) -> String {
        self.operations.installation.to_string()
    }

    pub(crate) async fn top(&self, question: &TopQuestion) -> Result<TopAnswer, Refusal> {
        let window = CallWindow::ALL.into_iter().find(|window| window.name() == question.window);
        let window = window.ok_or_else(|| bad("window is one of today, 24h, 7d, 30d, all"))?;
        let by = match question.by.as_str() {
            "calls" => RankedBy::Calls,
            "limited" => RankedBy::Limited,
            _ => return Err(bad("by is calls or limited")),
        };
        if !(1..=TOP_MOST).contains(&question.limit) {
            return Err(bad(format!("limit is a whole number from 1 to {TOP_MOST}")));
        }
        let analytics = &self.operations.analytics;
        let api = match &question.api {
            None => analytics
                .counts()
                .api_of_ping()
                .ok_or_else(|| bad("api must be given, since no policy is for /ping"))?,
            Some(name) => {
                let api = ApiName::new(name).map_err(bad)?;
                if !analytics.knows(&api).await? {
                    return Err(Refusal::UnknownApi);
                }
                api
            }
        };
        let found = analytics.top(&api, window, by, question.limit).await?;
        Ok(TopAnswer {
            api: api.as_str().to_owned(),
            window: window.name().to_owned(),
            from: found.from.map(rfc3339),
            by: question.by.clone(),
            top: found.reading.value.callers.iter().map(Into::into).collect(),
            max_error: found.reading.value.error,
            stale: found.reading.stale,
        })
    }

    pub(crate) async fn account(&self, name: &AccountName) -> Result<AccountAnswer, Refusal> {
        let AccountReport { account, sessions, calls } = self.report(name).await?;
        Ok(AccountAnswer {
            id: account.user.get(),
            username: account.username.to_string(),
            created_at: rfc3339(account.created_at),
            live_sessions: sessions.len(),
            calls: calls
                .into_iter()
                .map(|sum| ApiCalls { api: sum.api.as_str().to_owned(), calls: sum.calls })
                .collect(),
        })
    }

    pub(crate) async fn sessions(&self, name: &AccountName) -> Result<SessionsAnswer, Refusal> {
        let AccountReport { account, sessions, .. } = self.report(name).await?;
        let session = |facts: SessionFacts| SessionAnswer {
            session: facts.version.get(),
            opened_at: facts.opened_at.map(rfc3339),
            expires_at: rfc3339(facts.expires_at),
        };
        let sessions = sessions.into_iter().map(session).collect();
        Ok(SessionsAnswer { id: account.user.get(), username: account.username.to_string(), sessions })
    }

    pub(crate) async fn logout(&self, name: &AccountName) -> Result<LogoutAnswer, Refusal> {
        let ended = self.operations.accounts.logout(name).await?;
        let (Account { user, username, .. }, ended) = ended.ok_or(Refusal::UnknownUser)?;
        let (id, username) = (user.get(), username.to_string());
        Ok(LogoutAnswer { id, username, ended: ended.sessions, confirmed: ended.confirmed })
    }

    pub(crate) async fn reset(&self, question: &ResetQuestion) -> Result<ResetAnswer, Refusal> {
        let policy = question.policy.as_deref().map(PolicyName::new).transpose().map_err(bad)?;
        let subject = match &question.whose {
            // Whoever resets the limits of nobody has most likely misspelt somebody.
            Whose::User(name) => {
                let account =
                    self.operations.accounts.find(&name.parse::<AccountName>().map_err(bad)?).await?;
                account.ok_or(Refusal::UnknownUser)?.user.into()
            }
            other => subject(other)?,
        };
        let reset = self.operations.limits.reset(subject, policy).await.map_err(|error| match error {
            ResetError::UnknownPolicy => Refusal::UnknownPolicy,
            ResetError::Store(error) => error.into(),
        })?;
        Ok(ResetAnswer { reset, others_deny_for: self.others_deny_for.map(|span| span.as_secs_f64()) })
    }

    pub(crate) async fn peek(&self, question: &PeekQuestion) -> Result<PeekAnswer, Refusal> {
        let policy = question.policy.policy().map_err(bad)?;
        let decision = self.operations.limits.peek(&policy, subject(&question.whose)?).await?;
        Ok(PeekAnswer::new(&decision))
    }

    async fn report(&self, name: &AccountName) -> Result<AccountReport, Refusal> {
        self.operations.accounts.report(name).await?.ok_or(Refusal::UnknownUser)
    }
}

/// Who is charged; a user by number, so that nothing has to be looked up.
pub(crate) fn subject(whose: &Whose) -> Result<Subject, Refusal> {
    match whose {
        Whose::User(name) => match name.parse::<AccountName>().map_err(bad)? {
            AccountName::Number(user) => Ok(user.into()),
            AccountName::Name(_) => Err(bad("a user is named by number here, such as id:7")),
        },
        Whose::Address(address) => Ok(Subject::address(*address)),
        Whose::Header { name, value } => Ok(Subject::header(name, value.as_deref().map(str::as_bytes))),
    }
}
