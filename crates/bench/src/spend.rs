//! Sends each request of a file once, so that what follows finds the limits used up.

use std::path::PathBuf;

use clap::Args;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use reqwest::Client;

use crate::{
    Failure,
    requests::{self, Request},
};

const ABREAST: usize = 64;

/// Send each ping of a file once, which must be let through
#[derive(Args)]
pub(crate) struct Spend {
    /// http://… of the service
    #[arg(long)]
    url: String,
    /// The file
    #[arg(long)]
    pings: PathBuf,
}

impl Spend {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let (client, url) = (Client::new(), format!("{}/ping", self.url));
        let send = |ping: Request| {
            let request =
                ping.header.split_once(": ").map(|(name, value)| client.get(&url).header(name, value));
            async move {
                request.ok_or("not a header")?.send().await?.error_for_status()?;
                Ok::<_, Failure>(())
            }
        };
        stream::iter(requests::read(&self.pings)?).map(send).buffered(ABREAST).try_collect().await
    }
}
