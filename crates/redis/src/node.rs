//! One server of a deployment, as calls see it.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use fred::types::config::Config;
use futures_util::future::join_all;
use metrics::gauge;
use tokio::runtime::{Handle, RuntimeFlavor};
use tollbar_core::{Breaker, ports::SystemClock};

use crate::{
    address::Address,
    connections::{Connections, Link, Upkeep},
    dialer::Dialer,
};

/// A server with all that is kept for it, so that nothing of it stands in the way to the others.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) address: Address,
    /// Of this server alone.
    pub(crate) breaker: Breaker,
    connections: Connections,
    /// For each lane that keeps to a thread whose runtime is the thread's own: connections on that runtime.
    near: Box<[OnceLock<Connections>]>,
    config: Config,
    /// Whether anybody has been sent here since that was last asked.
    named: AtomicBool,
}

/// Makes nodes, whoever asks for them, on the runtime that it was made on.
#[derive(Debug)]
pub(crate) struct Maker {
    pub(crate) dialer: Dialer,
    pub(crate) runtime: Handle,
    /// How many connections a node has.
    pub(crate) pool_size: usize,
    /// How many lanes there are that may have connections of their own.
    pub(crate) lanes: usize,
}

impl Maker {
    /// Starts to connect to a server.
    pub(crate) fn node(&self, address: &Address) -> Arc<Node> {
        let _here = self.runtime.enter();
        let connections = u32::try_from(self.pool_size).unwrap_or(u32::MAX);
        gauge!("tollbar_pool_connections", "engine" => "redis", "server" => address.to_string())
            .set(connections);
        let config = self.dialer.config(address);
        Arc::new(Node {
            address: address.clone(),
            breaker: Breaker::new(Arc::new(SystemClock), "redis", address.to_string()),
            connections: Connections::start(&config, self.pool_size, Upkeep::Time),
            near: (0..self.lanes).map(|_| OnceLock::new()).collect(),
            config,
            named: AtomicBool::new(true),
        })
    }
}

impl Node {
    /// A connection that is up, for a call of this lane if of any; without one a call must fail at once.
    pub(crate) fn pick(&self, lane: Option<usize>) -> Option<&Link> {
        let near = lane.and_then(|lane| self.near(lane));
        near.and_then(Connections::pick).or_else(|| self.connections.pick())
    }

    /// Connections that spare a batch the way to another thread and back: a lane opens one where it is first driven on a runtime
    /// of one thread. While it is not up, the batch takes the others.
    fn near(&self, lane: usize) -> Option<&Connections> {
        let near = self.near.get(lane)?;
        if Handle::current().runtime_flavor() != RuntimeFlavor::CurrentThread {
            return near.get();
        }
        Some(near.get_or_init(|| Connections::start(&self.config, 1, Upkeep::Time)))
    }

    /// Whether all its connections are up.
    pub(crate) fn is_up(&self) -> bool {
        self.connections.are_up()
    }

    /// Notes that somebody is sent here.
    pub(crate) fn name(&self) {
        self.named.store(true, Relaxed);
    }

    /// Whether anybody was, since the last time that this was asked.
    pub(crate) fn was_named(&self) -> bool {
        self.named.swap(false, Relaxed)
    }

    /// Says good-bye and ends all its connections.
    pub(crate) async fn close(&self) {
        let near = self.near.iter().filter_map(OnceLock::get);
        join_all(near.chain([&self.connections]).map(Connections::close)).await;
    }
}
