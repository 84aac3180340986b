//! Whether the leaderboard answers as fast with a million users as with a thousand.

use std::time::Duration;

use clap::Args;
use tollbar_core::{
    domain::{ApiName, Caller, UserId},
    ports::CallTracker as _,
};
use tollbar_redis::{RedisLive, RedisOptions};

use crate::{Failure, median::median, stopwatch::Stopwatch};

const CHUNK: u64 = 10_000;
const LIMIT: usize = 10;

/// Compare the leaderboard at few users and at many
#[derive(Args)]
pub(crate) struct Top {
    /// redis://…
    #[arg(long)]
    redis: String,
    /// Few
    #[arg(long)]
    few: u64,
    /// Many
    #[arg(long)]
    many: u64,
    /// How often to ask for each
    #[arg(long)]
    asks: usize,
}

impl Top {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let deadline = Duration::from_secs(30);
        let live = RedisLive::connect(RedisOptions { deadline, ..RedisOptions::new(self.redis) }).await?;
        let boards = [(ApiName::new("few")?, self.few), (ApiName::new("many")?, self.many)];
        for (api, users) in &boards {
            raise(&live, api, *users).await?;
        }
        let mut times = [Vec::new(), Vec::new()];
        for _ in 0..self.asks {
            for ((api, _), times) in boards.iter().zip(&mut times) {
                let watch = Stopwatch::start();
                let top = live.top(api, LIMIT).await?;
                times.push(watch.elapsed());
                if top.len() != LIMIT {
                    return Err(format!("the board has {} places instead of {LIMIT}", top.len()).into());
                }
            }
        }
        let [few, many] = times.map(|times| median(times).as_secs_f64() * 1e6);
        println!("few_micros={few}\nmany_micros={many}");
        Ok(())
    }
}

async fn raise(live: &RedisLive, api: &ApiName, users: u64) -> Result<(), Failure> {
    for first in (1..=users).step_by(usize::try_from(CHUNK)?) {
        let chunk = first..=users.min(first + CHUNK - 1);
        // Calls in no order of the numbers, as in life.
        let caller = |id: u64| Ok(Caller { user: UserId::new(id)?, calls: 1 + id * 7_919 % 1_000_003 });
        live.raise(api, &chunk.map(caller).collect::<Result<Vec<_>, Failure>>()?).await?;
    }
    Ok(())
}
