//! Makes users directly in PostgreSQL and Redis, and writes what they will send.

use std::{path::PathBuf, sync::Arc, time::Duration};

use clap::Args;
use tollbar_core::{domain::PasswordHash, ports::UserRepo};

use crate::{
    Failure,
    requests::{self, Request},
    tiers::{self, Engines},
    users,
};

const PASSWORD: &str = "correct horse battery staple";

/// Make users who are logged in, and others who will log in
#[derive(Args)]
pub(crate) struct Seed {
    #[command(flatten)]
    engines: Engines,
    /// How many users to log in
    #[arg(long)]
    callers: u64,
    /// Where to write their pings
    #[arg(long)]
    pings: PathBuf,
    /// How many users to make with a real hash
    #[arg(long)]
    members: u64,
    /// The cost of that hash, which they share
    #[arg(long)]
    cost: u32,
    /// Where to write their logins
    #[arg(long)]
    logins: PathBuf,
}

impl Seed {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let tiers = self.engines.open_within(Duration::from_secs(5)).await?;
        let repo: Arc<dyn UserRepo> = tiers.store.clone();

        let callers = users::create(&repo, "caller", self.callers, &users::cheap_hash()?).await?;
        let sessions = tiers::sessions(tiers.store, tiers.live).await?;
        let tokens = users::open(&sessions, &callers).await?;
        requests::write(&self.pings, tokens.iter().map(|token| Request::ping(token)))?;

        let hash = PasswordHash::new(bcrypt::non_truncating_hash(PASSWORD, self.cost)?);
        users::create(&repo, "member", self.members, &hash).await?;
        let login = |number| Request::login(&users::name("member", number), PASSWORD);
        requests::write(&self.logins, (1..=self.members).map(login))
    }
}
