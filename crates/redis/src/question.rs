//! Questions to servers about the deployment itself, each with a deadline, over connections beside those of calls.

use std::time::Duration;

use fred::{
    clients::Client,
    error::Error,
    interfaces::ClientLike,
    types::{ClusterHash, CustomCommand, Value, config::Options},
};
use futures_util::future::join_all;

use crate::{
    address::Address,
    connections::{Connections, Upkeep},
    dialer::Dialer,
};

/// How long an answer is waited for.
pub(crate) const PATIENCE: Duration = Duration::from_millis(300);

/// How many servers are kept to be asked, however many are named.
const MOST: usize = 16;

/// Asks a server something that it knows by heart.
pub(crate) async fn ask(client: &Client, name: &'static str, words: &[&str]) -> Result<Value, Error> {
    let options =
        Options { max_attempts: Some(1), fail_fast: true, timeout: Some(PATIENCE), ..Options::default() };
    let words: Vec<Value> = words.iter().map(|word| Value::from(*word)).collect();
    let command = CustomCommand::new_static(name, ClusterHash::FirstKey, false);
    client.with_options(&options).custom(command, words).await
}

/// Servers that are there to be asked, with a connection each.
#[derive(Debug)]
pub(crate) struct Askers {
    dialer: Dialer,
    all: Vec<(Address, Connections)>,
}

impl Askers {
    pub(crate) fn new(dialer: Dialer) -> Self {
        Self { dialer, all: Vec::new() }
    }

    /// Starts to connect to one more, unless it is known or there are enough.
    pub(crate) fn add(&mut self, address: Address) {
        if self.all.len() < MOST && !self.all.iter().any(|(known, _)| *known == address) {
            let connections = Connections::start(&self.dialer.config(&address), 1, Upkeep::None);
            self.all.push((address, connections));
        }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// One of them, if it is connected.
    pub(crate) fn get(&self, index: usize) -> Option<(&Address, &Client)> {
        let (address, connections) = self.all.get(index)?;
        Some((address, &connections.pick()?.client))
    }

    /// All that are connected.
    pub(crate) fn connected(&self) -> impl Iterator<Item = (&Address, &Client)> {
        (0..self.len()).filter_map(|index| self.get(index))
    }

    /// Ends all connections in order.
    pub(crate) async fn close(&mut self) {
        join_all(self.all.iter().map(|(_, connections)| connections.close())).await;
        self.all.clear();
    }
}

/// What is wrong with the answers: told once for each time that it changes, and not for each question.
#[derive(Debug, Default)]
pub(crate) struct Complaint(Option<String>);

impl Complaint {
    /// Nobody gave the answer that was wanted.
    pub(crate) fn tell(&mut self, server: &Address, what: &str) {
        let complaint = format!("{server}: {what}");
        if self.0.as_ref() != Some(&complaint) {
            tracing::warn!(%server, what, "redis does not say which server is responsible");
            self.0 = Some(complaint);
        }
    }

    /// All is well again.
    pub(crate) fn settle(&mut self) {
        self.0 = None;
    }
}
