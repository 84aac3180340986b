//! PgBouncer in front of a PostgreSQL server, lending out its connections for one transaction each.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::account::Account;
use crate::address::{address_of, credentials, through};
use crate::certificates::Certificates;
use crate::engine::Engine;
use crate::error::{EngineError, OrPanic as _};
use crate::files::{give, tail};
use crate::folder::Folder;
use crate::ports::free_port;
use crate::programs::find_pgbouncer;
use crate::waiting::wait_for;

const START_LIMIT: Duration = Duration::from_secs(30);

/// How a [`PrivatePgBouncer`] is to run.
#[derive(Debug, Clone)]
pub struct PgBouncerOptions {
    server: String,
    pool: usize,
    tls: Option<Certificates>,
}

impl PgBouncerOptions {
    /// So many connections to the server for each database and user; by default 20.
    #[must_use]
    pub fn pool(mut self, connections: usize) -> Self {
        self.pool = connections;
        self
    }

    /// Takes clients with TLS only, as `127.0.0.1` and `localhost`.
    #[must_use]
    pub fn tls(mut self, certificates: &Certificates) -> Self {
        self.tls = Some(certificates.clone());
        self
    }

    /// Starts it; panics where that fails.
    #[track_caller]
    pub fn start(self) -> PrivatePgBouncer {
        self.try_start().or_panic()
    }

    /// Starts it.
    pub fn try_start(self) -> Result<PrivatePgBouncer, EngineError> {
        let program = find_pgbouncer()?;
        // It refuses to run as root, as PostgreSQL does.
        let account = Account::for_postgres()?;
        let folder = Folder::new(account)?;
        self.write_users(folder.path(), account)?;
        for _ in 0..9 {
            let port = free_port()?;
            match self.launch(&program, &folder, account, port) {
                Err(_) if tail(&folder.path().join("log")).contains("ddress already in use") => {}
                outcome => {
                    let engine = outcome?;
                    return Ok(PrivatePgBouncer { engine, port, server: self.server, folder });
                }
            }
        }
        Err(EngineError::Failed {
            program: "pgbouncer",
            what: "found no port that stayed free".into(),
            log: tail(&folder.path().join("log")),
        })
    }

    fn write_users(&self, folder: &Path, account: Option<Account>) -> Result<(), EngineError> {
        let (user, password) = credentials(&self.server);
        let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
        let users = format!("{} {}\n", quoted(&user), quoted(&password));
        give(&folder.join("users"), users.as_bytes(), account)?;
        if let Some(certificates) = &self.tls {
            let server = certificates.server();
            for (file, from) in [("server.pem", &server.certificate), ("server.key", &server.key)] {
                let text = fs::read(from).map_err(EngineError::io("read a certificate"))?;
                give(&folder.join(file), &text, account)?;
            }
        }
        Ok(())
    }

    fn launch(
        &self,
        program: &Path,
        folder: &Folder,
        account: Option<Account>,
        port: u16,
    ) -> Result<Engine, EngineError> {
        let (config, log) = (folder.path().join("pgbouncer.ini"), folder.path().join("log"));
        give(&config, self.config(folder.path(), port).as_bytes(), account)?;
        let output = fs::File::create(&log).map_err(EngineError::io("make a log file"))?;
        let errors = output.try_clone().map_err(EngineError::io("open a log file"))?;
        let mut command = Command::new(program);
        command.arg(&config).stdout(output).stderr(errors);
        if let Some(account) = account {
            account.run(&mut command);
        }
        let mut engine = Engine::start(&mut command, Signal::SIGTERM, folder)?;
        let listens = wait_for(START_LIMIT, || match () {
            () if engine.ended() => Some(false),
            () => std::net::TcpStream::connect(("127.0.0.1", port)).is_ok().then_some(true),
        });
        if listens == Some(true) {
            return Ok(engine);
        }
        Err(EngineError::Failed { program: "pgbouncer", what: "did not listen".into(), log: tail(&log) })
    }

    fn config(&self, folder: &Path, port: u16) -> String {
        let (server, folder, pool) = (address_of(&self.server), folder.display(), self.pool);
        let tls = if self.tls.is_some() {
            format!(
                "client_tls_sslmode = require\nclient_tls_cert_file = {folder}/server.pem\n\
                 client_tls_key_file = {folder}/server.key\n"
            )
        } else {
            String::new()
        };
        format!(
            "[databases]\n* = host={} port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             unix_socket_dir =\nauth_type = plain\nauth_file = {folder}/users\npool_mode = transaction\n\
             default_pool_size = {pool}\nmax_client_conn = 1000\nlog_connections = 0\nlog_disconnections = 0\n{tls}",
            server.ip(),
            server.port()
        )
    }
}

/// A pooler of one's own on a free loopback port, in transaction mode. Dropping it ends it.
#[derive(Debug)]
pub struct PrivatePgBouncer {
    // Ends before its folder goes.
    engine: Engine,
    port: u16,
    server: String,
    folder: Folder,
}

impl PrivatePgBouncer {
    /// Starts one in front of the server that the URL names; panics where that fails.
    #[track_caller]
    pub fn start(server: &str) -> Self {
        Self::options(server).start()
    }

    /// How to start one in front of the server that the URL names, to be adjusted.
    pub fn options(server: &str) -> PgBouncerOptions {
        PgBouncerOptions { server: server.to_owned(), pool: 20, tls: None }
    }

    /// The URL of the same database through the pooler.
    #[track_caller]
    pub fn url(&self) -> String {
        self.through(&self.server)
    }

    /// The URL of any database of the server through the pooler, as the same user.
    #[track_caller]
    pub fn through(&self, url: &str) -> String {
        through(url, ([127, 0, 0, 1], self.port).into())
    }

    /// The id of the running process.
    pub fn process_id(&self) -> u32 {
        self.engine.id()
    }

    /// What it has said since it was started.
    pub fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("log")
    }
}
