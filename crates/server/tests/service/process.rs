//! The real binary as a process of its own, with nothing of this one's environment.

use std::{
    net::SocketAddr,
    process::{Output, Stdio},
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    process::{Child, Command},
    sync::oneshot,
    task::JoinHandle,
    time::timeout,
};

use crate::{support::Client, tiers::Tiers};

const LIMIT: Duration = Duration::from_secs(30);

/// A running binary. Dropping it kills it.
pub(crate) struct Process {
    child: Child,
    /// Reads what it logs, lest it wait for a reader.
    log: JoinHandle<Vec<String>>,
    pub(crate) address: SocketAddr,
    /// Where operators are listened to, if anywhere.
    pub(crate) operators: Option<SocketAddr>,
    pub(crate) client: Client,
}

pub(crate) fn command(arguments: &[&str], variables: Vec<(String, String)>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tollbar"));
    command.env_clear().envs(variables).args(arguments).kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs it to its end.
pub(crate) async fn output(arguments: &[&str], variables: Vec<(String, String)>) -> Output {
    timeout(LIMIT, command(arguments, variables).output()).await.unwrap().unwrap()
}

impl Process {
    /// Starts it and waits until it listens.
    pub(crate) async fn start(tiers: &Tiers, more: &[(&str, &str)]) -> Self {
        Self::start_with(tiers, &[], more).await
    }

    /// The same, with arguments.
    pub(crate) async fn start_with(tiers: &Tiers, arguments: &[&str], more: &[(&str, &str)]) -> Self {
        let mut variables = tiers.variables();
        variables.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        Self::of(command(arguments, variables)).await
    }

    /// Starts this command and waits until it listens.
    pub(crate) async fn of(mut command: Command) -> Self {
        let mut child = command.env("TOLLBAR__LOG__FORMAT", "json").spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (tell, address) = oneshot::channel();
        let log = tokio::spawn(async move {
            let (mut log, mut tell, mut operators) = (Vec::new(), Some(tell), None);
            while let Some(line) = lines.next_line().await.unwrap() {
                let event: Value = serde_json::from_str(&line).unwrap();
                let address = || -> SocketAddr { event["address"].as_str().unwrap().parse().unwrap() };
                match event["message"].as_str() {
                    Some("listening for operators") => operators = Some(address()),
                    Some("listening") => tell.take().unwrap().send((address(), operators)).unwrap(),
                    _ => {}
                }
                log.push(line);
            }
            log
        });
        let Ok((address, operators)) = timeout(LIMIT, address).await.unwrap() else {
            panic!("it ended: {}", stderr(&mut child).await)
        };
        Self { child, log, address, operators, client: Client::of(address) }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id().unwrap()).unwrap();
        kill(Pid::from_raw(id), signal).unwrap();
    }

    /// Waits for its end; its exit code, or `None` where a signal ended it, with its log and what it said besides.
    pub(crate) async fn end(mut self) -> (Option<i32>, Vec<String>, String) {
        let status = timeout(LIMIT, self.child.wait()).await.unwrap().unwrap();
        let said = stderr(&mut self.child).await;
        (status.code(), self.log.await.unwrap(), said)
    }
}

/// What it said where that was not led elsewhere.
async fn stderr(child: &mut Child) -> String {
    let mut said = String::new();
    if let Some(mut stderr) = child.stderr.take() {
        stderr.read_to_string(&mut said).await.unwrap();
    }
    said
}
