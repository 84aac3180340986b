//! What clients do, over and over: which accounts, which sessions, which calls, by the seed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fastrand::Rng;
use tokio::task::JoinSet;

use super::client::Client;
use super::error::ChaosError;
use super::people::Account;
use crate::history::Api;

/// Clients that go on until they are told to stop.
#[derive(Debug)]
pub(super) struct Traffic {
    tasks: JoinSet<()>,
    stop: Arc<AtomicBool>,
}

impl Traffic {
    /// Signs the first accounts up, and lets this many clients of each process go on.
    pub(super) async fn start(
        clients: &[Client],
        each: usize,
        thinks: Duration,
        seed: u64,
    ) -> Result<Self, ChaosError> {
        let mut rng = Rng::with_seed(seed);
        for client in clients.iter().cycle() {
            let (answer, account) = client.sign_up(&mut rng).await;
            let Some(account) = account else { return Err(ChaosError::NoAccounts(answer.to_string())) };
            let answer = client.log_in(&account).await;
            if answer.code() != Some(200) {
                return Err(ChaosError::NoAccounts(answer.to_string()));
            }
            if client.shared.people.are_enough() {
                break;
            }
        }
        let (mut tasks, stop) = (JoinSet::new(), Arc::new(AtomicBool::new(false)));
        for client in clients.iter().flat_map(|client| std::iter::repeat_n(client, each)) {
            let (client, stop, mut rng) = (client.clone(), Arc::clone(&stop), rng.fork());
            tasks.spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    act(&client, &mut rng).await;
                    tokio::time::sleep(thinks.mul_f64(rng.f64() * 2.0)).await;
                }
            });
        }
        Ok(Self { tasks, stop })
    }

    /// Stops all clients, once each has its answer.
    pub(super) async fn stop(mut self) -> Result<(), ChaosError> {
        self.stop.store(true, Ordering::Relaxed);
        while let Some(ended) = self.tasks.join_next().await {
            ended?;
        }
        Ok(())
    }
}

async fn act(client: &Client, rng: &mut Rng) {
    match rng.u32(..1000) {
        0..8 => drop(client.sign_up(rng).await),
        8..38 => drop(client.top().await),
        38..50 => drop(client.count().await),
        50..60 => client.ready().await,
        _ => {
            if let Some(account) = client.shared.people.any(rng) {
                act_for(client, &account, rng).await;
            }
        }
    }
}

async fn act_for(client: &Client, account: &Account, rng: &mut Rng) {
    let (login, logout) = if account.is_steady { (5, 8) } else { (120, 200) };
    let dice = rng.u32(..1000);
    let (live, old) = (account.live(), account.old(rng));
    match (live, old) {
        _ if dice < login => drop(client.log_in(account).await),
        (Some(live), _) if dice < logout => client.log_out(account, &live).await,
        // One that has ended already.
        (_, Some(old)) if dice < logout + 10 => client.log_out(account, &old).await,
        (_, Some(old)) if dice < logout + 130 => client.call(account, &old, api(rng)).await,
        (Some(live), _) => client.call(account, &live, api(rng)).await,
        (None, _) => drop(client.log_in(account).await),
    }
}

fn api(rng: &mut Rng) -> Api {
    match rng.u32(..100) {
        0..40 => Api::Closed,
        40..65 => Api::Wide,
        65..85 => Api::Open,
        _ => Api::Local,
    }
}
