//! kill -9 in mid-traffic: what a restart finds.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

use nix::sys::signal::Signal;
use tokio::time::sleep;

use crate::{process::Process, tiers::Tiers};

const USERS: usize = 8;

/// Policies cannot come from the environment, so the limit is lifted by a file.
const MANY: &str =
    "[[policies]]\nname = \"ping\"\npath = \"/ping\"\nwindows = [{ quota = 10000, period = \"1s\" }]\n";

/// Whether `safe`: what is acknowledged is not in the killed process alone.
async fn restart_finds_it_all(tiers: Tiers, settings: &[(&str, &str)], safe: bool) {
    let file = tiers.folder.path().join("many.toml");
    std::fs::write(&file, MANY).unwrap();
    let file = file.display().to_string();
    let process = Process::start_with(&tiers, &["--config", &file], settings).await;
    let mut tokens = Vec::new();
    for user in 0..USERS {
        process.client.signup(&format!("user{user}")).await;
        tokens.push(process.client.login(&format!("user{user}")).await);
    }
    // Sent, and acknowledged so far; and acknowledged when the process was well alive, more than a flush before its end.
    let (sent, acknowledged) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let traffic: Vec<_> = tokens
        .iter()
        .map(|token| {
            let (client, token) = (process.client.clone(), token.clone());
            let (sent, acknowledged) = (Arc::clone(&sent), Arc::clone(&acknowledged));
            tokio::spawn(async move {
                loop {
                    sent.fetch_add(1, SeqCst);
                    let (200, _) = client.ping(&token).await else { panic!("not admitted") };
                    acknowledged.fetch_add(1, SeqCst);
                }
            })
        })
        .collect();
    sleep(Duration::from_millis(1_300)).await;
    let early = acknowledged.load(SeqCst);
    sleep(Duration::from_millis(2_500)).await;
    process.signal(Signal::SIGKILL);
    let (code, ..) = process.end().await;
    assert_eq!(code, None);
    for task in traffic {
        // Each ends with the connection.
        assert!(task.await.is_err());
    }

    let process = Process::start_with(&tiers, &["--config", &file], settings).await;
    let (_, top) = process.client.get("/top").await;
    let counted: u64 =
        top["top"].as_array().unwrap().iter().map(|place| place["calls"].as_u64().unwrap()).sum();
    let (sent, acknowledged) = (sent.load(SeqCst), acknowledged.load(SeqCst));
    let figures =
        format!("sent {sent}, acknowledged {acknowledged}, 2.5 s before the end {early}, counted {counted}");
    assert!(early > 0 && early <= counted && counted <= sent, "{figures}");
    assert!(!safe || acknowledged <= counted, "{figures}");
    #[expect(clippy::print_stderr, reason = "figures for people, with --nocapture")]
    {
        eprintln!("{figures}");
    }
    assert_eq!(process.client.get("/count").await.1["estimatedCount"], USERS);
    for (user, token) in tokens.iter().enumerate() {
        assert_eq!(process.client.ping(token).await.0, 200, "user{user}'s session");
        process.client.login(&format!("user{user}")).await;
    }
    process.signal(Signal::SIGTERM);
    process.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_finds_users_sessions_and_counts() {
    restart_finds_it_all(Tiers::embedded(), &[], false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_finds_every_call_where_each_is_written_before_its_answer() {
    restart_finds_it_all(Tiers::embedded(), &[("TOLLBAR__COUNTS__FLUSH", "0s")], true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_finds_users_sessions_and_counts_on_servers() {
    restart_finds_it_all(Tiers::new(true, true), &[], true).await;
}
