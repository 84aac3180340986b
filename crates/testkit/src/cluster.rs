//! A Redis Cluster of one's own, to kill nodes of, fail over and move slots in.

use std::time::Duration;

use crate::certificates::Certificates;
use crate::cluster_nodes::{NodeLine, parse};
use crate::error::{EngineError, OrPanic as _};
use crate::names::random_hex;
use crate::redis_options::{RedisOptions, Role};
use crate::redis_server::PrivateRedis;
use crate::waiting::wait_for;

const SLOTS: u16 = 16_384;
const PRIMARIES: u16 = 3;
const START_LIMIT: Duration = Duration::from_secs(30);
/// A node that hangs is not waited for when others can tell the same.
const VIEW_LIMIT: Duration = Duration::from_secs(1);

/// How a [`PrivateCluster`] is to run.
#[derive(Debug, Clone, Default)]
pub struct ClusterOptions {
    node: RedisOptions,
    replicas: bool,
    tls: bool,
}

impl ClusterOptions {
    /// Sets one directive of every node's `redis.conf`.
    #[must_use]
    pub fn config(mut self, name: &str, value: &str) -> Self {
        self.node = self.node.config(name, value);
        self
    }

    /// Gives each primary a replica, which takes over when it fails.
    #[must_use]
    pub fn replicas(mut self) -> Self {
        self.replicas = true;
        self
    }

    /// Listens with TLS, too, and lets the nodes talk to each other by TLS only.
    #[must_use]
    pub fn tls(mut self, certificates: &Certificates) -> Self {
        self.node = self.node.tls(certificates);
        self.tls = true;
        self.config("tls-cluster", "yes").config("tls-replication", "yes")
    }

    /// Starts the nodes and waits until they are a cluster; panics where that fails.
    #[track_caller]
    pub fn start(self) -> PrivateCluster {
        self.try_start().or_panic()
    }

    /// Starts the nodes and waits until they are a cluster.
    pub fn try_start(self) -> Result<PrivateCluster, EngineError> {
        let password = random_hex(16)?;
        let primaries = usize::from(PRIMARIES);
        let count = if self.replicas { 2 * primaries } else { primaries };
        let node = self.node.role(Role::ClusterNode).password(&password).config("masterauth", &password);
        // A primary is given up soon, and what the others have goes on.
        let node = node.config("cluster-node-timeout", "1000").config("cluster-require-full-coverage", "no");
        let nodes = (0..count).map(|_| node.clone().try_start()).collect::<Result<Vec<_>, _>>()?;
        let mut cluster = PrivateCluster { nodes, ids: Vec::new(), password, tls: self.tls };
        cluster.form()?;
        Ok(cluster)
    }
}

/// Three Redis servers that share the slots, on loopback ports, each with a replica where that was asked for. Nodes are
/// named by their place in [`Self::nodes`]: the first three begin as primaries, the next three as their replicas, in
/// the same order. Dropping it kills them all and removes their files.
#[derive(Debug)]
pub struct PrivateCluster {
    nodes: Vec<PrivateRedis>,
    pub(crate) ids: Vec<String>,
    password: String,
    pub(crate) tls: bool,
}

impl PrivateCluster {
    /// Starts three primaries; panics where that fails.
    #[track_caller]
    pub fn start() -> Self {
        Self::options().start()
    }

    /// How to start one, to be adjusted.
    pub fn options() -> ClusterOptions {
        ClusterOptions::default()
    }

    /// The URL for clients, which names all nodes: `redis-cluster://:PASSWORD@127.0.0.1:PORT?node=…&node=…`, or
    /// `rediss-cluster://…` with the ports for TLS.
    pub fn url(&self) -> String {
        let scheme = if self.tls { "rediss-cluster" } else { "redis-cluster" };
        let ports: Vec<_> = self.nodes.iter().map(|node| self.port_of(node)).collect();
        let others: Vec<_> = ports[1..].iter().map(|port| format!("node=127.0.0.1:{port}")).collect();
        format!("{scheme}://:{}@127.0.0.1:{}?{}", self.password, ports[0], others.join("&"))
    }

    /// All nodes.
    pub fn nodes(&self) -> &[PrivateRedis] {
        &self.nodes
    }

    /// The primary that has the slot, by what the primaries say of themselves. Waits up to 20 s until there is one.
    #[track_caller]
    pub fn node_of(&self, slot: u16) -> usize {
        let owner = || {
            let claims = (0..self.nodes.len()).filter_map(|node| {
                let own = self.own_line(node)?;
                (own.primary && own.owns(slot)).then_some((own.epoch, node))
            });
            claims.max().map(|(_, node)| node)
        };
        wait_for(Duration::from_secs(20), owner).unwrap_or_else(|| panic!("no node has the slot {slot}"))
    }

    /// The slot of a key.
    #[track_caller]
    pub fn slot_of(&self, key: &str) -> u16 {
        let node = self.nodes.iter().find(|node| node.process_id().is_some()).expect("a node runs");
        node.ask(redis::cmd("CLUSTER").arg("KEYSLOT").arg(key)).expect("a node knows the slot of a key")
    }

    /// Kills a node as `kill -9` does. Its replica, where it has one, takes over within a few seconds.
    pub fn kill9(&mut self, node: usize) {
        self.nodes[node].kill9();
    }

    /// Starts a killed node again, which then finds its place in the cluster.
    #[track_caller]
    pub fn start_again(&mut self, node: usize) {
        self.nodes[node].start_again();
    }

    /// Makes a replica the primary, without loss, and waits until all that run know it.
    #[track_caller]
    pub fn fail_over(&self, replica: usize) {
        let id = &self.ids[replica];
        // A primary that does not yet know its replica ignores what that asks for.
        let follows = |lines: &[NodeLine]| lines.iter().any(|line| &line.id == id && !line.primary);
        self.wait(START_LIMIT, "know their replica", |_, lines| follows(lines)).or_panic();
        self.nodes[replica].run(&["CLUSTER", "FAILOVER"]);
        let known =
            |lines: &[NodeLine]| lines.iter().any(|line| &line.id == id && line.primary && line.owns_any());
        self.wait(START_LIMIT, "have failed over", |_, lines| known(lines)).or_panic();
    }

    /// Waits until all nodes that run say that the cluster is fine.
    #[track_caller]
    pub fn wait_until_ok(&self) {
        self.wait(START_LIMIT, "say cluster_state:ok", |node, _| self.is_ok(node)).or_panic();
    }

    /// Waits until a node follows its primary.
    #[track_caller]
    pub fn wait_until_follows(&self, replica: usize) {
        let follows = wait_for(START_LIMIT, || self.follows(replica).then_some(()));
        follows.expect("a node that was to follow its primary does not");
    }

    /// Removes all keys.
    #[track_caller]
    pub fn flush_all(&self) {
        for node in self.primaries() {
            self.nodes[node].flush_all();
        }
    }

    /// The nodes that run and say that they are primaries.
    pub fn primaries(&self) -> Vec<usize> {
        let primary = |node: &usize| self.own_line(*node).is_some_and(|own| own.primary);
        (0..self.nodes.len()).filter(primary).collect()
    }

    /// The port that the nodes tell each other, and clients that came to such a port.
    pub(crate) fn port_of(&self, node: &PrivateRedis) -> u16 {
        if self.tls { node.tls_port() } else { node.port() }
    }

    /// Divides the slots, lets the nodes meet, and waits until they agree.
    fn form(&mut self) -> Result<(), EngineError> {
        let id = |node: &PrivateRedis| node.ask(redis::cmd("CLUSTER").arg("MYID"));
        let ids = self.nodes.iter().map(id).collect::<redis::RedisResult<_>>();
        self.ids = ids.map_err(|error| EngineError::Redis("CLUSTER MYID".into(), error))?;
        for (place, node) in (0..PRIMARIES).zip(&self.nodes) {
            // The last one takes what the division leaves over.
            let first = SLOTS / PRIMARIES * place;
            let last = if place + 1 == PRIMARIES { SLOTS } else { first + SLOTS / PRIMARIES } - 1;
            node.query(&["CLUSTER", "ADDSLOTSRANGE", &first.to_string(), &last.to_string()])?;
        }
        for (epoch, node) in (1..).zip(&self.nodes) {
            // Epochs that differ from the start save the nodes an argument about them.
            node.query(&["CLUSTER", "SET-CONFIG-EPOCH", &i32::to_string(&epoch)])?;
        }
        for node in &self.nodes[1..] {
            let bus = node.bus_port().expect("a node of a cluster has one").to_string();
            self.nodes[0].query(&["CLUSTER", "MEET", "127.0.0.1", &self.port_of(node).to_string(), &bus])?;
        }
        let all_known =
            |lines: &[NodeLine]| self.ids.iter().all(|id| lines.iter().any(|line| &line.id == id));
        self.wait(START_LIMIT, "know each other", |_, lines| all_known(lines))?;
        let (primaries, replicas) = self.ids.split_at(usize::from(PRIMARIES));
        for (node, primary) in self.nodes[primaries.len()..].iter().zip(primaries) {
            node.query(&["CLUSTER", "REPLICATE", primary])?;
        }
        let follow =
            |lines: &[NodeLine]| !lines.iter().any(|line| line.primary && replicas.contains(&line.id));
        self.wait(START_LIMIT, "agree", |node, lines| {
            let settled = node < primaries.len() || self.follows(node);
            settled && follow(lines) && self.is_ok(node)
        })
    }

    fn is_ok(&self, node: usize) -> bool {
        let info = self.view::<String>(node, "INFO");
        info.is_some_and(|info| info.contains("cluster_state:ok"))
    }

    fn follows(&self, node: usize) -> bool {
        let info = self.nodes[node].ask_within::<String>(VIEW_LIMIT, redis::cmd("INFO").arg("replication"));
        info.is_ok_and(|info| info.contains("master_link_status:up"))
    }

    fn view<T: redis::FromRedisValue>(&self, node: usize, what: &str) -> Option<T> {
        let node = &self.nodes[node];
        node.process_id()?;
        node.ask_within(VIEW_LIMIT, redis::cmd("CLUSTER").arg(what)).ok()
    }

    fn lines(&self, node: usize) -> Option<Vec<NodeLine>> {
        self.view::<String>(node, "NODES").map(|text| parse(&text))
    }

    fn own_line(&self, node: usize) -> Option<NodeLine> {
        self.lines(node)?.into_iter().find(|line| line.myself)
    }

    /// Waits until it holds for each node that runs, and for what that sees of all.
    fn wait(
        &self,
        limit: Duration,
        what: &str,
        holds: impl Fn(usize, &[NodeLine]) -> bool,
    ) -> Result<(), EngineError> {
        let running = |node: &usize| self.nodes[*node].process_id().is_some();
        let holds_for = |node| self.lines(node).is_some_and(|lines| holds(node, &lines));
        let all = || (0..self.nodes.len()).filter(running).all(holds_for).then_some(());
        wait_for(limit, all).ok_or_else(|| EngineError::Failed {
            program: "redis-server",
            what: format!("nodes of a cluster do not {what}"),
            log: self.nodes.iter().map(PrivateRedis::last_words).collect::<Vec<_>>().join(" | "),
        })
    }
}
