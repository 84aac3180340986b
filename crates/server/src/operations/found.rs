//! Who does what an operator asks for: the process that has the live state in its memory, or this one.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tollbar_core::{
    domain::{AccountName, InstallationId},
    ports::Fact,
};

use super::{
    AccountAnswer, AccountQuestion, AdminClient, AdminError, AdminUrl, Beside, LogoutAnswer, ResetAnswer,
    ResetQuestion, SessionsAnswer, TopAnswer, TopQuestion,
};
use crate::{cli::CommandError, durable::Durable, settings::Settings};

/// What a command needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// To read what is in the database.
    Durable,
    /// To read live counts.
    Counts,
    /// To change sessions.
    Sessions,
    /// To change limits, of which a process may remember denials.
    Limits,
}

/// Who does it.
pub(crate) enum Operator {
    /// This process, on the tiers.
    Beside(Box<Beside>),
    /// A process that serves.
    Process(Box<AdminClient>),
}

/// Finds who can do it. `admin`: the process that is to be asked, whatever the settings say.
pub(crate) async fn find(
    settings: &Settings,
    admin: Option<&AdminUrl>,
    need: Need,
) -> Result<Operator, CommandError> {
    if let Some(place) = admin {
        return Ok(Operator::Process(Box::new(AdminClient::reach(place).await?)));
    }
    let mut beside = Beside::open(settings).await?;
    let is_shared = settings.redis.is_some();
    if need == Need::Durable || (is_shared && need != Need::Limits) {
        return Ok(Operator::Beside(Box::new(beside)));
    }
    let absence = match ours(settings, &beside.here.installation()).await {
        Ok(process) => {
            beside.end().await;
            return Ok(Operator::Process(Box::new(process)));
        }
        Err(absence) => absence,
    };
    // Where live things are shared, they are at hand; of counts, the ledger tells, too.
    if is_shared || need == Need::Counts {
        return Ok(Operator::Beside(Box::new(beside)));
    }
    if beside.claim().await? {
        return Ok(Operator::Beside(Box::new(beside)));
    }
    beside.end().await;
    Err(CommandError::Elsewhere(absence))
}

/// The process that serves from this database, if one is found where the settings say.
///
/// # Errors
/// The process that `admin` names is not there.
pub(crate) async fn process_of(
    settings: &Settings,
    admin: Option<&AdminUrl>,
) -> Result<Option<AdminClient>, CommandError> {
    if let Some(place) = admin {
        return Ok(Some(AdminClient::reach(place).await?));
    }
    let Ok(durable) = Durable::open_beside(&settings.database).await else { return Ok(None) };
    let Ok(Some(key)) = durable.tier.installation.kept(Fact::TokenKey).await else { return Ok(None) };
    Ok(ours(settings, &InstallationId::of_key(&key).to_string()).await.ok())
}

/// Why the process was not found that has the live state.
#[derive(Debug, thiserror::Error)]
pub enum Absence {
    /// The settings do not say where it listens.
    #[error("admin.bind does not say where")]
    Unsaid,
    /// Another installation's process listens there.
    #[error("the process at {0} serves from another database")]
    Foreign(AdminUrl),
    /// It could not be asked.
    #[error(transparent)]
    Admin(#[from] AdminError),
}

async fn ours(settings: &Settings, installation: &str) -> Result<AdminClient, Absence> {
    let bound = settings.admin.filter(|bound| bound.port() != 0).ok_or(Absence::Unsaid)?;
    let place = format!("http://{}", reachable(bound)).parse().map_err(|_| Absence::Unsaid)?;
    let process = AdminClient::reach(&place).await?;
    if process.about().installation == installation { Ok(process) } else { Err(Absence::Foreign(place)) }
}

/// An address of this machine, where the listener is at all of them.
fn reachable(bound: SocketAddr) -> SocketAddr {
    let address = match bound.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        address => address,
    };
    SocketAddr::new(address, bound.port())
}

impl Operator {
    pub(crate) async fn top(&self, question: &TopQuestion) -> Result<TopAnswer, CommandError> {
        Ok(match self {
            Self::Beside(beside) => beside.here.top(question).await?,
            Self::Process(process) => process.top(question).await?,
        })
    }

    pub(crate) async fn account(&self, name: &AccountName) -> Result<AccountAnswer, CommandError> {
        Ok(match self {
            Self::Beside(beside) => beside.here.account(name).await?,
            Self::Process(process) => process.account(&question(name)).await?,
        })
    }

    pub(crate) async fn sessions(&self, name: &AccountName) -> Result<SessionsAnswer, CommandError> {
        Ok(match self {
            Self::Beside(beside) => beside.here.sessions(name).await?,
            Self::Process(process) => process.sessions(&question(name)).await?,
        })
    }

    pub(crate) async fn logout(&self, name: &AccountName) -> Result<LogoutAnswer, CommandError> {
        Ok(match self {
            Self::Beside(beside) => beside.here.logout(name).await?,
            Self::Process(process) => process.logout(&question(name)).await?,
        })
    }

    pub(crate) async fn reset(&self, question: &ResetQuestion) -> Result<ResetAnswer, CommandError> {
        Ok(match self {
            Self::Beside(beside) => beside.here.reset(question).await?,
            Self::Process(process) => process.reset(question).await?,
        })
    }

    /// Which process did it, if not this one.
    pub(crate) fn process(&self) -> Option<&AdminUrl> {
        match self {
            Self::Beside(_) => None,
            Self::Process(process) => Some(process.place()),
        }
    }

    /// Gives back what it holds.
    pub(crate) async fn end(self) {
        if let Self::Beside(beside) = self {
            beside.end().await;
        }
    }
}

fn question(name: &AccountName) -> AccountQuestion {
    AccountQuestion { user: name.to_string() }
}
