//! How many whole calls (look-up, decision, count) one process makes in a second:
//! `cargo run --release -p tollbar-redis --example throughput [seconds] [tasks] [connections] [prefix]`
#![expect(clippy::print_stdout, reason = "a program that prints its result")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use tollbar_core::{
    domain::{ApiName, Policy, PolicyName, Quota, SessionSet, UserId, Version, Window},
    ports::{CallTracker, Lookup, RateLimiter, SessionCache},
};
use tollbar_redis::{RedisLive, RedisOptions};

type Failure = Box<dyn std::error::Error + Send + Sync>;

const USERS: u64 = 10_000;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let url = std::env::var("TOLLBAR_TEST_REDIS_URL").unwrap_or_else(|_| "redis://127.0.0.1:6379".into());
    let number = |at, default: u64| std::env::args().nth(at).map_or(Ok(default), |given| given.parse());
    let (seconds, tasks, size) = (number(1, 5)?, number(2, 64)?, number(3, 2)?);
    let options = RedisOptions {
        prefix: std::env::args().nth(4).unwrap_or_else(|| "throughput".into()),
        pool_size: usize::try_from(size)?.try_into()?,
        deadline: Duration::from_secs(2),
        ..RedisOptions::new(url)
    };
    let live = RedisLive::connect(options).await?;
    let api = ApiName::new("ping")?;
    let windows = [(1_000, 5), (10_000, 60)].map(|(quota, secs)| {
        Quota::new(quota).and_then(|quota| Window::new(quota, Duration::from_secs(secs)))
    });
    let policy = Policy::new(PolicyName::new("ping")?, api, windows.into_iter().collect::<Result<_, _>>()?)?;
    for (name, steps) in [
        ("lookup", [true, false, false]),
        ("decide", [false, true, false]),
        ("record", [false, false, true]),
        ("all three", [true; 3]),
    ] {
        let calls = measure(&live, &policy, steps, tasks, Duration::from_secs(seconds)).await?;
        println!("{name}: {} calls/s with {tasks} tasks on {size} connections", calls / seconds);
    }
    live.shutdown().await;
    Ok(())
}

/// How many calls end within the time; a call takes those of the three steps that are asked for.
async fn measure(
    live: &RedisLive,
    policy: &Policy,
    steps: [bool; 3],
    tasks: u64,
    limit: Duration,
) -> Result<u64, Failure> {
    let calls = Arc::new(AtomicU64::new(0));
    let mut work = tokio::task::JoinSet::new();
    for task in 0..tasks {
        let (live, policy, calls) = (live.clone(), policy.clone(), calls.clone());
        work.spawn(async move {
            for step in 0.. {
                let user = UserId::new((task * 7_919 + step * 104_729) % USERS + 1)?;
                if steps[0] {
                    look_up(&live, user).await?;
                }
                if steps[1] {
                    live.decide(&policy, user).await?;
                }
                if steps[2] {
                    live.record(policy.api(), user).await?;
                }
                calls.fetch_add(1, Relaxed);
            }
            Ok::<_, Failure>(())
        });
    }
    tokio::select! {
        () = tokio::time::sleep(limit) => Ok(calls.load(Relaxed)),
        Some(ended) = work.join_next() => Err(format!("a task ended: {ended:?}").into()),
    }
}

async fn look_up(live: &RedisLive, user: UserId) -> Result<(), Failure> {
    if let Lookup::Miss { ticket } = live.lookup(user).await? {
        let set = SessionSet { version: Version::new(1), sessions: Vec::new() };
        live.publish(user, &set, ticket).await?;
    }
    Ok(())
}
