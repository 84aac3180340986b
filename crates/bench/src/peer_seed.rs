//! Logs users in at the peer, and writes what they will send.

use std::path::PathBuf;

use clap::Args;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use reqwest::{Client, header::SET_COOKIE};

use crate::{
    Failure,
    requests::{self, Request},
};

const ABREAST: usize = 64;

/// Log users in at the peer
#[derive(Args)]
pub(crate) struct SeedPeer {
    /// http://… of the peer
    #[arg(long)]
    url: String,
    /// How many users to log in
    #[arg(long)]
    callers: u64,
    /// Where to write their pings
    #[arg(long)]
    pings: PathBuf,
}

impl SeedPeer {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let (client, url) = (Client::new(), self.url.as_str());
        let login = |user| {
            let request = client.post(format!("{url}/login/{user}"));
            async move {
                let answer = request.send().await?.error_for_status()?;
                let cookie = answer.headers().get(SET_COOKIE).ok_or("a login without a cookie")?.to_str()?;
                let pair = cookie.split(';').next().unwrap_or_default();
                Ok::<_, Failure>(Request::ping_with(format!("Cookie: {pair}")))
            }
        };
        let pings: Vec<_> = stream::iter(1..=self.callers).map(login).buffered(ABREAST).try_collect().await?;
        requests::write(&self.pings, pings)
    }
}
