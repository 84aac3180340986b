//! Policies that change while the service runs.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use nix::sys::signal::Signal;
use reqwest::{Method, Response};
use tokio::time::sleep;

use crate::{process::Process, tiers::Tiers};

fn policy(name: &str, quota: u32) -> String {
    format!(
        "[[policies]]\nname = \"ping\"\npath = \"/ping\"\n\
         windows = [{{ name = \"{name}\", quota = {quota}, period = \"1h\" }}]\n"
    )
}

struct Stage {
    process: Process,
    file: PathBuf,
    token: String,
    _tiers: Tiers,
}

impl Stage {
    async fn set(tiers: Tiers, text: &str) -> Self {
        let file = tiers.folder.path().join("policies.toml");
        std::fs::write(&file, text).unwrap();
        let process = Process::start_with(&tiers, &["--config", &file.display().to_string()], &[]).await;
        process.client.signup("user1").await;
        let token = process.client.login("user1").await;
        Self { process, file, token, _tiers: tiers }
    }

    async fn ping(&self) -> Response {
        self.process.client.send(Method::GET, "/ping", Some(&self.token)).await
    }

    /// Status, and which window is told of.
    async fn told(&self) -> (u16, String) {
        let answer = self.ping().await;
        let policy = answer.headers().get("ratelimit-policy").map_or("", |told| told.to_str().unwrap());
        (answer.status().as_u16(), policy.split('"').nth(1).unwrap_or_default().to_owned())
    }

    /// Pings until this window is told of.
    async fn until(&self, window: &str) -> u16 {
        for _ in 0..1_000 {
            let (status, told) = self.told().await;
            if told == window {
                return status;
            }
            sleep(Duration::from_millis(5)).await;
        }
        panic!("{window} never held");
    }

    async fn log(self) -> String {
        self.process.signal(Signal::SIGTERM);
        self.process.end().await.1.join("\n")
    }
}

async fn a_signal_exchanges_the_policies(tiers: Tiers) {
    let stage = Stage::set(tiers, &policy("wide", 100)).await;
    for _ in 0..3 {
        assert_eq!(stage.told().await, (200, "wide".into()));
    }
    // Lowered below what is spent: it acts at once.
    std::fs::write(&stage.file, policy("narrow", 2)).unwrap();
    stage.process.signal(Signal::SIGHUP);
    assert_eq!(stage.until("narrow").await, 429);
    assert_eq!(stage.told().await, (429, "narrow".into()));
    // Raised again: who was denied a moment ago is not denied from memory.
    std::fs::write(&stage.file, policy("wider", 1_000)).unwrap();
    stage.process.signal(Signal::SIGHUP);
    assert_eq!(stage.until("wider").await, 200);
    // A mistake changes nothing, and the log says which line.
    for bad in ["[[policies]]\nname = \"ping\"\npath = \"ping\"\nwindows = []\n", "[[polic"] {
        std::fs::write(&stage.file, bad).unwrap();
        stage.process.signal(Signal::SIGHUP);
        sleep(Duration::from_millis(300)).await;
        assert_eq!(stage.told().await, (200, "wider".into()));
    }
    // Nor does a file that is empty, gone, or a pipe at which a read would wait; and the service ends in time all the same.
    for replace in [
        |file: &Path| std::fs::write(file, "").unwrap(),
        |file: &Path| std::fs::remove_file(file).unwrap(),
        |file: &Path| {
            assert!(std::process::Command::new("mkfifo").arg(file).status().unwrap().success());
        },
    ] {
        replace(&stage.file);
        stage.process.signal(Signal::SIGHUP);
        sleep(Duration::from_millis(300)).await;
        assert_eq!(stage.told().await, (200, "wider".into()));
    }
    let log = stage.log().await;
    for said in [
        "policies[0].path",
        "line 3",
        "line 1",
        "the former policies hold",
        "cannot be read",
        "holds no [[policies]]",
        "unsupported",
    ] {
        assert!(log.contains(said), "{said} is not in {log}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signal_exchanges_the_policies_on_sqlite_and_memory() {
    a_signal_exchanges_the_policies(Tiers::embedded()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signal_exchanges_the_policies_on_postgresql_and_redis() {
    a_signal_exchanges_the_policies(Tiers::new(true, true)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_file_is_read_without_a_signal() {
    let stage = Stage::set(Tiers::embedded(), &policy("first", 100)).await;
    std::fs::write(&stage.file, policy("in-place", 101)).unwrap();
    assert_eq!(stage.until("in-place").await, 200);
    // By a rename, as editors and Kubernetes do it; a mistake in between changes nothing.
    std::fs::write(&stage.file, "[[policies]]\n").unwrap();
    sleep(Duration::from_millis(2_500)).await;
    assert_eq!(stage.told().await.1, "in-place");
    let other = stage.file.with_extension("new");
    std::fs::write(&other, policy("renamed", 102)).unwrap();
    std::fs::rename(&other, &stage.file).unwrap();
    assert_eq!(stage.until("renamed").await, 200);
    assert!(stage.log().await.contains("the former policies hold"));
}
