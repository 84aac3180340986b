//! The end of a stage: all is healed, every account is asked once more, and what was counted is read.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::sleep;

use super::client::Client;
use super::error::ChaosError;
use super::ledger::{ledger, live};
use super::people::Account;
use crate::checker::is_counted;
use crate::history::{Api, Final, History};

/// How long it is quiet before the last questions.
const QUIET: Duration = Duration::from_secs(2);
/// How many accounts are asked at once.
const ABREAST: usize = 16;
/// How many sessions of each.
const SESSIONS: usize = 3;
/// How long the counts are given to be complete: an epoch of a process that is gone has to be adopted first.
const PATIENCE: Duration = Duration::from_secs(12);
const STEP: Duration = Duration::from_millis(100);

/// Asks every process about the last sessions of every account, and opens one more of each.
pub(super) async fn ask_everybody(clients: &[Client]) -> Result<(), ChaosError> {
    sleep(QUIET).await;
    let mut people = clients[0].shared.people.all();
    let mut tasks = JoinSet::new();
    loop {
        while tasks.len() < ABREAST
            && let Some(account) = people.pop()
        {
            tasks.spawn(ask(clients.to_vec(), account));
        }
        let Some(ended) = tasks.join_next().await else { break };
        ended?;
    }
    Ok(())
}

async fn ask(clients: Vec<Client>, account: Arc<Account>) {
    for token in account.latest(SESSIONS) {
        for client in &clients {
            client.call(&account, &token, Api::Wide).await;
        }
    }
    let Some(client) = clients.get(account.user as usize % clients.len()) else { return };
    client.log_in(&account).await;
    // The last call that there is, so that a loss is found that nobody has called after.
    if let Some(token) = account.live() {
        client.call(&account, &token, Api::Closed).await;
    }
}

/// Reads until what was counted is what was called, or for as long as that is waited for. The history has everything else.
pub(super) async fn read(
    clients: &[Client],
    redis: &str,
    postgres: &str,
    mut history: History,
) -> Result<History, ChaosError> {
    let clock = clients[0].shared.clock;
    let last = clock.now();
    let steps = PATIENCE.as_millis() / STEP.as_millis();
    for _ in 0..steps {
        sleep(STEP).await;
        let read_at = clock.now();
        let redis = redis.to_owned();
        let (ledger, live) = (ledger(postgres).await?, spawn_blocking(move || live(&redis)).await??);
        let (mut boards, mut counts) = (Vec::new(), Vec::new());
        for client in clients {
            boards.push(client.top().await.unwrap_or_default());
            counts.push(client.count().await.unwrap_or_default());
        }
        let settled_after = read_at - last;
        history.end = Final { ledger, live, boards, counts, settled_after, complaints: Vec::new() };
        if is_counted(&history) {
            break;
        }
    }
    Ok(history)
}
