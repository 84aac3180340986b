//! How a private Redis is to run, and the file that tells it so.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::certificates::{CertificateFiles, Certificates};
use crate::error::{EngineError, OrPanic as _};
use crate::folder::Folder;
use crate::names::random_hex;
use crate::ports::free_port;
use crate::programs::find_redis;
use crate::redis_server::PrivateRedis;

/// How a [`PrivateRedis`] is to run. By default it keeps everything in memory only.
#[derive(Debug, Clone, Default)]
pub struct RedisOptions {
    lines: Vec<(String, String)>,
    password: Option<String>,
    tls: Option<(Certificates, CertificateFiles)>,
    role: Role,
}

/// What a `redis-server` is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Role {
    /// On its own, or a replica.
    #[default]
    Server,
    /// Of a cluster, with a port for its bus.
    ClusterNode,
    /// A sentinel, which keeps no data.
    Sentinel,
}

/// Where a server listens.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ports {
    pub(crate) plain: u16,
    pub(crate) tls: Option<u16>,
    pub(crate) bus: Option<u16>,
}

impl RedisOptions {
    /// Sets one directive of `redis.conf`; a later one of the same name wins.
    #[must_use]
    pub fn config(mut self, name: &str, value: &str) -> Self {
        self.lines.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Keeps an append-only file; an acknowledged write then survives [`PrivateRedis::kill9`].
    #[must_use]
    pub fn append_only(self) -> Self {
        self.config("appendonly", "yes")
    }

    /// Saves snapshots by the given rule, for example `"1 1"`: after one second with one change.
    #[must_use]
    pub fn save(self, rule: &str) -> Self {
        self.config("save", rule)
    }

    /// Refuses writes above this much memory, for example `"2mb"`.
    #[must_use]
    pub fn max_memory(self, limit: &str) -> Self {
        self.config("maxmemory", limit)
    }

    /// Follows another private server as its replica.
    #[must_use]
    pub fn replica_of(self, primary: &PrivateRedis) -> Self {
        let port = primary.port();
        self.config("masterauth", primary.password()).config("replicaof", &format!("127.0.0.1 {port}"))
    }

    /// Listens on a second port with TLS ([`PrivateRedis::tls_url`]), as `127.0.0.1` and `localhost`. Clients need
    /// no certificate unless [`Self::config`] sets `tls-auth-clients yes`.
    #[must_use]
    pub fn tls(self, certificates: &Certificates) -> Self {
        let server = certificates.server();
        self.tls_as(certificates, server)
    }

    /// The same with another of the certificates, for example that of another name.
    #[must_use]
    pub fn tls_as(mut self, certificates: &Certificates, server: CertificateFiles) -> Self {
        self.tls = Some((certificates.clone(), server));
        self
    }

    /// Starts the server; panics where that fails.
    #[track_caller]
    pub fn start(self) -> PrivateRedis {
        self.try_start().or_panic()
    }

    /// Starts the server.
    pub fn try_start(self) -> Result<PrivateRedis, EngineError> {
        let password = self.password.clone().map_or_else(|| random_hex(16), Ok)?;
        let dir = Folder::new(None)?;
        fs::create_dir(dir.path().join("data")).map_err(EngineError::io("make a data folder"))?;
        PrivateRedis::first_start(self, password, find_redis()?, dir)
    }

    /// With the password that others know already.
    pub(crate) fn password(mut self, password: &str) -> Self {
        self.password = Some(password.to_owned());
        self
    }

    pub(crate) fn role(mut self, role: Role) -> Self {
        self.role = role;
        self
    }

    pub(crate) fn is_sentinel(&self) -> bool {
        self.role == Role::Sentinel
    }

    pub(crate) fn appends_only(&self) -> bool {
        let found = self.lines.iter().rev().find(|(name, _)| name == "appendonly");
        found.is_some_and(|(_, value)| value == "yes")
    }

    /// As many free ports as such a server listens on.
    pub(crate) fn ports(&self) -> Result<Ports, EngineError> {
        let tls = self.tls.is_some().then(free_port).transpose()?;
        let bus = (self.role == Role::ClusterNode).then(free_port).transpose()?;
        Ok(Ports { plain: free_port()?, tls, bus })
    }

    /// The text of `redis.conf`.
    pub(crate) fn file(&self, ports: Ports, password: &str, data: &Path) -> String {
        let line = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let mut lines = vec![
            line("port", &ports.plain.to_string()),
            line("bind", "127.0.0.1"),
            line("daemonize", "no"),
            // A password keeps other users of the machine out, whom a server that runs as root would obey.
            line("requirepass", password),
            line("dir", &quoted(data)),
            line("save", "\"\""),
            line("appendonly", "no"),
            // A replica need not wait for a second one to share the first copy with.
            line("repl-diskless-sync-delay", "0"),
        ];
        if let (Some(port), Some((certificates, server))) = (ports.tls, &self.tls) {
            lines.extend([
                line("tls-port", &port.to_string()),
                line("tls-cert-file", &quoted(&server.certificate)),
                line("tls-key-file", &quoted(&server.key)),
                line("tls-ca-cert-file", &quoted(&certificates.ca())),
                line("tls-auth-clients", "no"),
            ]);
        }
        if let Some(port) = ports.bus {
            // The default, 10000 above the other port, may be taken.
            lines.extend([line("cluster-enabled", "yes"), line("cluster-port", &port.to_string())]);
        }
        lines.iter().chain(&self.lines).fold(String::new(), |mut text, (name, value)| {
            writeln!(text, "{name} {value}").expect("a String takes every write");
            text
        })
    }
}

fn quoted(path: &Path) -> String {
    format!("\"{}\"", path.display())
}
