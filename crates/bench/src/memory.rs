//! What a user who is logged in and has called costs of Redis' memory.

use std::{sync::Arc, time::Duration};

use clap::Args;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tokio_util::sync::CancellationToken;
use tollbar_core::{
    Assembly, AssemblyOptions, DurableTier, LiveTier,
    domain::Incarnation,
    ports::{Admission, SystemClock, UserRepo},
    random_bytes,
};

use crate::{
    Failure,
    policy::{DEFAULT, policies, policy},
    tiers::{self, Engines, session_options},
    users,
};

const ABREAST: usize = 64;

/// Log users in, let each call once, and see what Redis took for it
#[derive(Args)]
pub(crate) struct Memory {
    #[command(flatten)]
    engines: Engines,
    /// How many users
    #[arg(long)]
    users: u64,
}

impl Memory {
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52")]
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let tiers = self.engines.open_within(Duration::from_secs(5)).await?;
        let repo: Arc<dyn UserRepo> = tiers.store.clone();
        let all = users::create(&repo, "user", self.users + 1, &users::cheap_hash()?).await?;
        let sessions = tiers::sessions(tiers.store.clone(), tiers.live.clone()).await?;
        let (durable, live) =
            (DurableTier::of(tiers.store), LiveTier::of(tiers.live.clone()).with_pending(tiers.live));
        let process = Incarnation::from_bytes(random_bytes()?);
        let options =
            AssemblyOptions { sessions: session_options(), bcrypt_cost: 4, ..AssemblyOptions::default() };
        let policies = policies("ping", &DEFAULT)?;
        // Its flusher is run at the end alone: so long, each call is noted.
        let Assembly { gate, flusher, .. } =
            Assembly::new(durable, live, Arc::new(SystemClock), process, policies, options).await?;
        let policy = policy("ping", &DEFAULT)?;
        let admit = |token: String| {
            let (gate, policy) = (gate.clone(), &policy);
            async move {
                match gate.admit(&token, policy).await? {
                    Admission::Admitted { .. } => Ok::<_, Failure>(()),
                    other => Err(format!("a first call is not admitted: {other:?}").into()),
                }
            }
        };

        // The first user brings in what all share: scripts, connections, buffers.
        let (first, rest) = all.split_first().ok_or("no users")?;
        for token in users::open(&sessions, &[*first]).await? {
            admit(token).await?;
        }
        let before = used(&self.engines.redis).await?;
        let tokens = users::open(&sessions, rest).await?;
        // In less than the time that a record is kept.
        stream::iter(tokens).map(admit).buffer_unordered(ABREAST).try_collect::<()>().await?;
        let noted = used(&self.engines.redis).await?;
        let stop = CancellationToken::new();
        stop.cancel();
        flusher.run(stop).await;
        let after = used(&self.engines.redis).await?;
        println!("bytes_per_user={}", after.saturating_sub(before) as f64 / self.users as f64);
        println!("bytes_per_noted_call={}", noted.saturating_sub(after) as f64 / self.users as f64);
        Ok(())
    }
}

/// `used_memory` of the server.
async fn used(url: &str) -> Result<u64, Failure> {
    let mut redis = redis::Client::open(url)?.get_multiplexed_async_connection().await?;
    let info: String = redis::cmd("INFO").arg("memory").query_async(&mut redis).await?;
    let used = info.lines().find_map(|line| line.strip_prefix("used_memory:"));
    Ok(used.ok_or("no used_memory in INFO")?.trim().parse()?)
}
