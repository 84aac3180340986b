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

/// What clients do for an account, of a thousand times.
#[derive(Debug, Clone, Copy)]
pub(super) struct Habits {
    /// How many accounts act at a time.
    pub(super) accounts: usize,
    /// Log in, log out, log out of an older session, call with an older session. What remains are calls with the latest session.
    busy: [u32; 4],
    /// The same of steady accounts.
    steady: [u32; 4],
    /// Log in where there is no session; else the older ones are called with some more.
    returns: u32,
    /// Whether process 0 has callers only.
    spares_first: bool,
}

impl Habits {
    /// Some of everything.
    pub(super) const USUAL: Self = Self {
        accounts: 48,
        busy: [120, 80, 10, 120],
        steady: [5, 3, 5, 100],
        returns: 1000,
        spares_first: false,
    };
    /// Few accounts, whose sessions end soon and are tried long after.
    pub(super) const HASTY: Self = Self {
        accounts: 24,
        busy: [20, 100, 10, 200],
        steady: [20, 100, 10, 200],
        returns: 150,
        spares_first: true,
    };
}

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
        habits: Habits,
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
            if client.shared.people.active() >= habits.accounts {
                break;
            }
        }
        let (mut tasks, stop) = (JoinSet::new(), Arc::new(AtomicBool::new(false)));
        for client in clients.iter().flat_map(|client| std::iter::repeat_n(client, each)) {
            let (client, stop, mut rng) = (client.clone(), Arc::clone(&stop), rng.fork());
            tasks.spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    act(&client, habits, &mut rng).await;
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

async fn act(client: &Client, habits: Habits, rng: &mut Rng) {
    match rng.u32(..1000) {
        0..8 => drop(client.sign_up(rng).await),
        8..38 => drop(client.top().await),
        38..50 => drop(client.count().await),
        50..60 => client.ready().await,
        _ => {
            if let Some(account) = client.shared.people.any(rng) {
                act_for(client, &account, habits, rng).await;
            }
        }
    }
}

async fn act_for(client: &Client, account: &Account, habits: Habits, rng: &mut Rng) {
    let [login, logout, old_logout, old_call] = if account.is_steady { habits.steady } else { habits.busy };
    let mut dice = rng.u32(..1000);
    let mut falls = |share| {
        let falls = dice < share;
        dice = dice.wrapping_sub(share);
        falls
    };
    let (live, old) = (account.live(), account.old(rng));
    if habits.spares_first && client.process == 0 {
        let token = if rng.bool() { live.or(old) } else { old };
        if let Some(token) = token {
            client.call(account, &token, api(rng)).await;
        }
        return;
    }
    match (live, old) {
        _ if falls(login) => drop(client.log_in(account).await),
        (Some(live), _) if falls(logout) => client.log_out(account, &live).await,
        // One that has ended already.
        (_, Some(old)) if falls(old_logout) => client.log_out(account, &old).await,
        (_, Some(old)) if falls(old_call) => client.call(account, &old, api(rng)).await,
        (Some(live), _) => client.call(account, &live, api(rng)).await,
        (None, Some(old)) if rng.u32(..1000) >= habits.returns => client.call(account, &old, api(rng)).await,
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
