//! The engines, the users and the configuration that subjects share.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use tollbar_testkit::{PrivatePostgres, PrivateRedis, TestDatabase};

use super::part::Plan;
use super::process::{Process, free_address};
use super::subject::Subject;
use super::tools::Tools;
use crate::error::XtaskError;

/// Windows so wide that every call is admitted; the subjects of the bench crate have the same.
const WIDE: &str = r#"[{ quota = 100, period = "1s" }, { quota = 150, period = "2s" }]"#;
/// The shape of the default, over times that outlast every run: after one call each, all is denied.
const SPENT: &str = r#"[{ quota = 1, period = "1h" }, { quota = 2, period = "24h" }]"#;
/// The default; the raw measure has the same.
pub(crate) const BCRYPT_COST: u32 = 12;
/// Who log in, with one hash that they share.
const MEMBERS: u32 = 200;

/// All that a run of loads needs. Dropping it ends the engines.
pub(crate) struct Stage<'a> {
    pub(crate) tools: &'a Tools,
    users: u32,
    folder: TempDir,
    // Before its server.
    database: TestDatabase,
    _postgres: PrivatePostgres,
    pub(crate) redis: PrivateRedis,
}

impl<'a> Stage<'a> {
    /// Starts the engines and makes the users.
    pub(crate) fn set(plan: &Plan, tools: &'a Tools) -> Result<Self, XtaskError> {
        let (postgres, redis) = (start_postgres()?, start_redis()?);
        let database = TestDatabase::on(&postgres.url());
        let folder = temporary_folder()?;
        let stage = Self { tools, users: plan.users, folder, database, _postgres: postgres, redis };
        eprintln!("making {} users", plan.users);
        let mut arguments = stage.engines(&stage.redis.url());
        arguments.extend(["--callers".into(), plan.users.to_string()]);
        arguments.extend(["--pings".into(), stage.text("pings")]);
        arguments.extend(["--members".into(), MEMBERS.to_string(), "--cost".into(), BCRYPT_COST.to_string()]);
        arguments.extend(["--logins".into(), stage.text("logins")]);
        tools.run("seed", arguments)?;
        Ok(stage)
    }

    /// Starts a subject; what it needs of its own is made before.
    pub(crate) fn start(&self, subject: Subject) -> Result<(Process, PathBuf), XtaskError> {
        self.start_on(subject, subject.name(), &self.redis.url())
    }

    /// The same under another name, with another way to Redis. Also the file of what to send to it.
    pub(crate) fn start_on(
        &self,
        subject: Subject,
        name: &str,
        redis: &str,
    ) -> Result<(Process, PathBuf), XtaskError> {
        let address = free_address()?;
        let own_pings = self.path(&format!("pings-{name}"));
        let mut command = match subject {
            _ if subject.is_binary() => {
                let windows = if subject == Subject::Denied { SPENT } else { WIDE };
                let config = self.path(&format!("{name}.toml"));
                let mut text = configuration(&self.database.url(), redis, address);
                if subject == Subject::Listed {
                    text += &others();
                }
                text += &policy(name, "/ping", windows);
                write(&config, &text)?;
                let mut tollbar = Command::new(&self.tools.tollbar);
                tollbar.env_clear().arg("--config").arg(config);
                tollbar
            }
            _ => {
                let mut bench = Command::new(&self.tools.bench);
                bench.arg(if subject == Subject::PeerKept { "peer" } else { subject.name() });
                bench.arg("--address").arg(address.to_string());
                bench
            }
        };
        match subject {
            Subject::Hello | Subject::Admitted | Subject::Listed | Subject::Authz | Subject::Denied => {}
            Subject::Steps => {
                command.args(self.engines(redis));
            }
            Subject::Embedded => {
                command.arg("--database").arg(self.path("embedded.db"));
                command.arg("--callers").arg(self.users.to_string()).arg("--pings").arg(&own_pings);
            }
            Subject::Peer | Subject::PeerKept => {
                command.arg("--redis").arg(redis);
                command.args((subject == Subject::PeerKept).then_some("--keep"));
            }
        }
        let process = Process::start(name, &mut command, address, self.folder.path())?.healthy()?;
        let url = process.url();
        match subject {
            Subject::Peer | Subject::PeerKept => {
                let (callers, pings) = (self.users.to_string(), own_pings.display().to_string());
                let arguments = ["--url", &url, "--callers", &callers, "--pings", &pings];
                self.tools.run("seed-peer", arguments)?;
                Ok((process, own_pings))
            }
            Subject::Embedded => Ok((process, own_pings)),
            Subject::Denied => {
                self.tools.run("spend", ["--url", &url, "--pings", &self.text("pings")])?;
                Ok((process, self.path("pings")))
            }
            Subject::Authz => {
                self.ask_as_nginx(&own_pings)?;
                Ok((process, own_pings))
            }
            Subject::Hello | Subject::Steps | Subject::Admitted | Subject::Listed => {
                Ok((process, self.path("pings")))
            }
        }
    }

    /// Writes what nginx asks where it gets these pings.
    fn ask_as_nginx(&self, file: &Path) -> Result<(), XtaskError> {
        const QUESTION: &str = "|X-Original-Method: GET|X-Original-URI: /ping|X-Forwarded-Host: bench\
            |X-Forwarded-Proto: https|X-Forwarded-For: 192.0.2.1|Connection: keep-alive";
        let pings = self.path("pings");
        let text = fs::read_to_string(&pings).map_err(|error| XtaskError::File(pings, error))?;
        let ask = |line: &str| {
            let (call, rest) = (line.replacen("GET /ping", "GET /authz/nginx", 1), QUESTION);
            let end = call.rfind('\t').unwrap_or(call.len());
            format!("{}{rest}{}\n", &call[..end], &call[end..])
        };
        write(file, &text.lines().map(ask).collect::<String>())
    }

    /// The requests of those who log in.
    pub(crate) fn logins(&self) -> PathBuf {
        self.path("logins")
    }

    /// A folder for logs.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn engines(&self, redis: &str) -> Vec<String> {
        vec!["--database".into(), self.database.url(), "--redis".into(), redis.to_owned()]
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }
}

/// A configuration of the binary but for its policies: config/production.toml with what a benchmark must set.
pub(crate) fn configuration(database: &str, redis: &str, address: SocketAddr) -> String {
    format!(
        r#"server = {{ bind = "{address}" }}
admin = {{ bind = "127.0.0.1:0" }}
database = {{ url = "{database}", deadline = "5s" }}
redis = {{ url = "{redis}", deadline = "1s" }}
session = {{ ttl = "24h", cache_ttl = "1h" }}
password = {{ min_length = 15 }}
ping = {{ delay = "0s" }}
log = {{ format = "json" }}
"#
    )
}

/// A policy of a configuration.
pub(crate) fn policy(name: &str, path: &str, windows: &str) -> String {
    format!("\n[[policies]]\nname = \"{name}\"\npath = \"{path}\"\nwindows = {windows}\n")
}

/// Those that stand before the one that holds: of each kind of path, and some that are for it but for their method.
fn others() -> String {
    let path = |at: u32| match at % 4 {
        0 => format!("/v1/service-{at}"),
        1 => format!("/v1/service-{at}/{{id}}"),
        2 => format!("/v1/{{tenant}}/service-{at}/*"),
        _ => format!("/{{version}}/service-{at}"),
    };
    let rest = (1..=990).map(|at| policy(&format!("other-{at}"), &path(at), WIDE));
    let near = (991_u32..=999).map(|at| {
        let path = ["/ping", "/{any}", "/*"][(at % 3) as usize];
        policy(&format!("other-{at}"), path, WIDE) + "methods = [\"PURGE\"]\n"
    });
    rest.chain(near).collect()
}

/// A Redis of ours; a peer that connects for each call needs many clients.
pub(crate) fn start_redis() -> Result<PrivateRedis, XtaskError> {
    Ok(PrivateRedis::options().config("maxclients", "4000").try_start()?)
}

/// A PostgreSQL of ours.
pub(crate) fn start_postgres() -> Result<PrivatePostgres, XtaskError> {
    Ok(PrivatePostgres::options().try_start()?)
}

/// A folder that goes when it is dropped.
pub(crate) fn temporary_folder() -> Result<TempDir, XtaskError> {
    TempDir::new().map_err(|error| XtaskError::File("a temporary folder".into(), error))
}

/// Writes a whole file.
pub(crate) fn write(file: &Path, text: &str) -> Result<(), XtaskError> {
    fs::write(file, text).map_err(|error| XtaskError::File(file.to_owned(), error))
}
