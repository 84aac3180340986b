//! A primary, its replicas and the sentinels that watch them.

use std::collections::HashMap;
use std::time::Duration;

use crate::certificates::Certificates;
use crate::error::{EngineError, OrPanic as _};
use crate::names::random_hex;
use crate::redis_options::{RedisOptions, Role};
use crate::redis_server::PrivateRedis;
use crate::waiting::wait_for;

/// The name of the primary among the sentinels.
const SERVICE: &str = "tollbar-test";
const SENTINELS: usize = 3;
const LIMIT: Duration = Duration::from_secs(30);

/// How [`PrivateSentinels`] are to run.
#[derive(Debug, Clone)]
pub struct SentinelOptions {
    server: RedisOptions,
    sentinel: RedisOptions,
    replicas: usize,
    tls: bool,
}

impl SentinelOptions {
    /// Sets one directive of every server's `redis.conf`, not of the sentinels'.
    #[must_use]
    pub fn config(mut self, name: &str, value: &str) -> Self {
        self.server = self.server.config(name, value);
        self
    }

    /// With so many replicas; by default it is one.
    #[must_use]
    pub fn replicas(mut self, count: usize) -> Self {
        self.replicas = count;
        self
    }

    /// Lets servers and sentinels talk to each other by TLS, and clients to all of them.
    #[must_use]
    pub fn tls(mut self, certificates: &Certificates) -> Self {
        let tls = |options: RedisOptions| options.tls(certificates).config("tls-replication", "yes");
        (self.server, self.sentinel) = (tls(self.server), tls(self.sentinel));
        self.tls = true;
        self
    }

    /// Starts all of them and waits until the sentinels know each other; panics where that fails.
    #[track_caller]
    pub fn start(self) -> PrivateSentinels {
        self.try_start().or_panic()
    }

    /// Starts all of them and waits until the sentinels know each other.
    pub fn try_start(self) -> Result<PrivateSentinels, EngineError> {
        let password = random_hex(16)?;
        let server = self.server.password(&password).config("masterauth", &password);
        let mut servers = vec![server.clone().try_start()?];
        let port = if self.tls { servers[0].tls_port() } else { servers[0].port() };
        for _ in 0..self.replicas {
            servers.push(server.clone().config("replicaof", &format!("127.0.0.1 {port}")).try_start()?);
        }
        let sentinel = [
            format!("monitor {SERVICE} 127.0.0.1 {port} 2"),
            format!("auth-pass {SERVICE} {password}"),
            format!("down-after-milliseconds {SERVICE} 1000"),
            format!("failover-timeout {SERVICE} 5000"),
            // They share a password, so that clients need one only.
            format!("sentinel-pass {password}"),
        ]
        .iter()
        .fold(self.sentinel.role(Role::Sentinel).password(&password), |all, line| {
            all.config("sentinel", line)
        });
        let mut all = PrivateSentinels { servers, sentinels: Vec::new(), password, tls: self.tls };
        all.wait("follow", |all| (1..all.servers.len()).all(|replica| all.follows(replica)))?;
        for _ in 0..SENTINELS {
            all.sentinels.push(sentinel.clone().try_start()?);
        }
        for sentinel in &all.sentinels {
            // They look more often than a service in earnest would have them do. Before 7.0 they cannot.
            let _ = sentinel.query(&["SENTINEL", "DEBUG", "INFO-PERIOD", "200", "PUBLISH-PERIOD", "200"]);
        }
        all.wait("find each other", |all| all.sentinels.iter().all(|sentinel| all.knows_all(sentinel)))?;
        Ok(all)
    }
}

/// A Redis primary, a replica or more, and three sentinels that fail over within a few seconds, all on loopback ports.
/// Servers are named by their place in [`Self::servers`]; the first one begins as the primary. Dropping it kills them
/// all and removes their files.
#[derive(Debug)]
pub struct PrivateSentinels {
    servers: Vec<PrivateRedis>,
    sentinels: Vec<PrivateRedis>,
    password: String,
    tls: bool,
}

impl PrivateSentinels {
    /// Starts a primary, a replica and three sentinels; panics where that fails.
    #[track_caller]
    pub fn start() -> Self {
        Self::options().start()
    }

    /// How to start them, to be adjusted.
    pub fn options() -> SentinelOptions {
        let (server, sentinel) = (RedisOptions::default(), RedisOptions::default());
        SentinelOptions { server, sentinel, replicas: 1, tls: false }
    }

    /// The URL for clients, which names the sentinels and the service:
    /// `redis-sentinel://:PASSWORD@127.0.0.1:PORT?service=NAME&node=…&node=…`, or `rediss-sentinel://…` with the ports
    /// for TLS. The password is that of the servers and that of the sentinels.
    pub fn url(&self) -> String {
        let scheme = if self.tls { "rediss-sentinel" } else { "redis-sentinel" };
        let ports: Vec<_> = self.sentinels.iter().map(|sentinel| self.port_of(sentinel)).collect();
        let others: Vec<_> = ports[1..].iter().map(|port| format!("node=127.0.0.1:{port}")).collect();
        format!("{scheme}://:{}@127.0.0.1:{}?service={SERVICE}&{}", self.password, ports[0], others.join("&"))
    }

    /// The servers that keep data.
    pub fn servers(&self) -> &[PrivateRedis] {
        &self.servers
    }

    /// The sentinels.
    pub fn sentinels(&self) -> &[PrivateRedis] {
        &self.sentinels
    }

    /// The primary, once all sentinels that run name the same one.
    #[track_caller]
    pub fn primary(&self) -> usize {
        let found = wait_for(LIMIT, || self.named());
        found.expect("the sentinels do not agree on a primary")
    }

    /// Kills the primary as `kill -9` does, and tells which one it was. A replica takes over within a few seconds.
    #[track_caller]
    pub fn kill_primary(&mut self) -> usize {
        let primary = self.primary();
        self.servers[primary].kill9();
        primary
    }

    /// Kills one of the sentinels.
    pub fn kill_sentinel(&mut self, sentinel: usize) {
        self.sentinels[sentinel].kill9();
    }

    /// Starts a killed server again; the sentinels then have it follow the primary of that time.
    #[track_caller]
    pub fn start_again(&mut self, server: usize) {
        self.servers[server].start_again();
    }

    /// Waits until another server than this one is the primary, and tells which.
    #[track_caller]
    pub fn wait_for_another(&self, than: usize) -> usize {
        let another = || {
            let now = self.named().filter(|now| *now != than)?;
            self.replication(now)?.contains("role:master").then_some(now)
        };
        wait_for(LIMIT, another).expect("no other server became the primary")
    }

    /// Waits until a server follows the primary.
    #[track_caller]
    pub fn wait_until_follows(&self, server: usize) {
        self.wait("follow", |all| all.follows(server)).or_panic();
    }

    /// Has a replica take over from a primary that runs, and tells which one is the primary then.
    #[track_caller]
    pub fn fail_over(&self) -> usize {
        let before = self.primary();
        let sentinel = self.running().next().expect("a sentinel runs");
        sentinel.run(&["SENTINEL", "FAILOVER", SERVICE]);
        self.wait_for_another(before)
    }

    fn running(&self) -> impl Iterator<Item = &PrivateRedis> {
        self.sentinels.iter().filter(|sentinel| sentinel.process_id().is_some())
    }

    fn named(&self) -> Option<usize> {
        let mut named = self.running().map(|sentinel| {
            let mut ask = redis::cmd("SENTINEL");
            let address: (String, u16) =
                sentinel.ask(ask.arg("GET-MASTER-ADDR-BY-NAME").arg(SERVICE)).ok()?;
            self.servers.iter().position(|server| self.port_of(server) == address.1)
        });
        let first = named.next()??;
        named.all(|other| other == Some(first)).then_some(first)
    }

    fn follows(&self, replica: usize) -> bool {
        self.replication(replica).is_some_and(|info| info.contains("master_link_status:up"))
    }

    fn replication(&self, server: usize) -> Option<String> {
        self.servers[server].ask(redis::cmd("INFO").arg("replication")).ok()
    }

    fn knows_all(&self, sentinel: &PrivateRedis) -> bool {
        let ask = sentinel.ask(redis::cmd("SENTINEL").arg("MASTER").arg(SERVICE));
        let state: HashMap<String, String> = ask.unwrap_or_default();
        let is = |name: &str, value: &str| state.get(name).is_some_and(|found| found == value);
        is("flags", "master")
            && is("num-slaves", &(self.servers.len() - 1).to_string())
            && is("num-other-sentinels", &(SENTINELS - 1).to_string())
    }

    fn port_of(&self, server: &PrivateRedis) -> u16 {
        if self.tls { server.tls_port() } else { server.port() }
    }

    fn wait(&self, what: &str, holds: impl Fn(&Self) -> bool) -> Result<(), EngineError> {
        wait_for(LIMIT, || holds(self).then_some(())).ok_or_else(|| EngineError::Failed {
            program: "redis-server",
            what: format!("servers or sentinels do not {what}"),
            log: self.sentinels.iter().map(PrivateRedis::last_words).collect::<Vec<_>>().join(" | "),
        })
    }
}
