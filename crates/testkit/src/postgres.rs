//! A PostgreSQL server of one's own, to kill and to hang.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::account::Account;
use crate::certificates::{CertificateFiles, Certificates};
use crate::engine::Engine;
use crate::error::{EngineError, OrPanic as _};
use crate::files::{give, tail};
use crate::folder::Folder;
use crate::names::random_hex;
use crate::ports::free_port;
use crate::postgres_tls::PostgresTls;
use crate::programs::find_postgres;
use crate::waiting::wait_for;

const INITDB_LIMIT: Duration = Duration::from_secs(120);
const START_LIMIT: Duration = Duration::from_secs(60);

/// How a [`PrivatePostgres`] is to run.
#[derive(Debug, Clone, Default)]
pub struct PostgresOptions {
    settings: Vec<(String, String)>,
    tls: Option<PostgresTls>,
    hba: Option<String>,
}

impl PostgresOptions {
    /// Sets one parameter of the server, for example `max_connections`; a later one of the same name wins.
    #[must_use]
    pub fn setting(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Takes clients with TLS, too, as `127.0.0.1` and `localhost`.
    #[must_use]
    pub fn tls(self, certificates: &Certificates) -> Self {
        let server = certificates.server();
        self.tls_as(certificates, server)
    }

    /// The same with another of the certificates, for example that of another name.
    #[must_use]
    pub fn tls_as(mut self, certificates: &Certificates, server: CertificateFiles) -> Self {
        self.tls = Some(PostgresTls::new(certificates, server));
        self
    }

    /// Lets in by these lines of `pg_hba.conf`, for example `hostssl all all 127.0.0.1/32 password` for TLS only.
    #[must_use]
    pub fn hba(mut self, lines: &str) -> Self {
        self.hba = Some(lines.to_owned());
        self
    }

    /// Starts the server; panics where that fails.
    #[track_caller]
    pub fn start(self) -> PrivatePostgres {
        self.try_start().or_panic()
    }

    /// Starts the server.
    pub fn try_start(self) -> Result<PrivatePostgres, EngineError> {
        let account = Account::for_postgres()?;
        let programs = find_postgres()?;
        let dir = Folder::new(account)?;
        let password = random_hex(16)?;
        let mut server =
            PrivatePostgres { engine: None, port: 0, password, options: self, programs, account, dir };
        server.initdb()?;
        if let Some(lines) = &server.options.hba {
            give(&server.data().join("pg_hba.conf"), format!("{lines}\n").as_bytes(), account)?;
        }
        if let Some(tls) = &server.options.tls {
            tls.place(server.dir.path(), account)?;
        }
        let mut outcome = Ok(());
        for _ in 0..10 {
            server.port = free_port()?;
            outcome = server.launch();
            if outcome.is_ok() || !server.port_was_taken() {
                break;
            }
        }
        outcome.map(|()| server)
    }
}

/// A PostgreSQL server of one's own on a free loopback port. Dropping it ends it and removes its files.
///
/// It does not sync to the disk: what is committed survives [`Self::kill9`], but would not survive a power cut.
#[derive(Debug)]
pub struct PrivatePostgres {
    // Before the folder, whose guard must hear of its end first.
    engine: Option<Engine>,
    port: u16,
    password: String,
    options: PostgresOptions,
    programs: PathBuf,
    account: Option<Account>,
    dir: Folder,
}

impl PrivatePostgres {
    /// Starts one; panics where that fails.
    #[track_caller]
    pub fn start() -> Self {
        PostgresOptions::default().start()
    }

    /// How to start one, to be adjusted.
    pub fn options() -> PostgresOptions {
        PostgresOptions::default()
    }

    /// The URL of the database `postgres`, as superuser. It stays the same when the server is started again.
    pub fn url(&self) -> String {
        format!("postgres://postgres:{}@127.0.0.1:{}/postgres", self.password, self.port)
    }

    /// The port on loopback.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The id of the running postmaster; `None` after [`Self::kill9`] or [`Self::stop`].
    pub fn process_id(&self) -> Option<u32> {
        self.engine.as_ref().map(Engine::id)
    }

    /// Kills the server and all its processes as `kill -9` does.
    pub fn kill9(&mut self) {
        if let Some(engine) = self.engine.take() {
            engine.kill9();
        }
    }

    /// Stops it in order, ending the sessions of clients (SIGINT, "fast shutdown").
    #[track_caller]
    pub fn stop(&mut self) {
        if let Some(engine) = self.engine.take() {
            assert!(engine.end(Signal::SIGINT), "PostgreSQL did not stop: {}", tail(&self.log()));
        }
    }

    /// Stops it without order (SIGQUIT, "immediate shutdown"): the next start recovers from its log.
    #[track_caller]
    pub fn stop_at_once(&mut self) {
        if let Some(engine) = self.engine.take() {
            assert!(engine.end(Signal::SIGQUIT), "PostgreSQL did not stop: {}", tail(&self.log()));
        }
    }

    /// Starts it on the same port with the same data; a server that runs is killed before.
    #[track_caller]
    pub fn start_again(&mut self) {
        self.kill9();
        // Somebody's outgoing connection may hold the port for a moment.
        wait_for(Duration::from_secs(10), || match self.launch() {
            Err(_) if self.port_was_taken() => None,
            outcome => Some(outcome),
        })
        .unwrap_or_else(|| panic!("port {} was taken while PostgreSQL was stopped", self.port))
        .or_panic();
    }

    /// Hangs it and all its processes (SIGSTOP): connections stay open, and nothing is answered.
    #[track_caller]
    pub fn pause(&self) {
        self.running().pause();
    }

    /// Lets a paused server go on (SIGCONT).
    #[track_caller]
    pub fn resume(&self) {
        self.running().resume();
    }

    #[track_caller]
    fn running(&self) -> &Engine {
        self.engine.as_ref().expect("the private PostgreSQL was stopped: start it again first")
    }

    fn log(&self) -> PathBuf {
        self.dir.path().join("log")
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    fn port_was_taken(&self) -> bool {
        fs::read_to_string(self.log()).is_ok_and(|log| log.contains("Address already in use"))
    }

    fn initdb(&self) -> Result<(), EngineError> {
        let password = self.dir.path().join("password");
        fs::write(&password, &self.password).map_err(EngineError::io("write a password file"))?;
        if let Some(account) = self.account {
            account.own(&password)?;
        }
        let mut command = self.command("initdb")?;
        // The password travels in clear text, on loopback only: a SCRAM handshake costs a debug build much time.
        command
            .args(["--no-sync", "--username=postgres", "--auth=password", "--encoding=UTF8", "--locale=C"])
            .arg(format!("--pwfile={}", password.display()))
            .arg(format!("--pgdata={}", self.data().display()));
        let mut initdb = Engine::start(&mut command, Signal::SIGTERM, &self.dir)?;
        let what = match wait_for(INITDB_LIMIT, || initdb.status()) {
            Some(status) if status.success() => return Ok(()),
            Some(status) => status.to_string(),
            None => "did not end".into(),
        };
        Err(EngineError::Failed { program: "initdb", what, log: tail(&self.log()) })
    }

    fn launch(&mut self) -> Result<(), EngineError> {
        let own = [
            ("port", self.port.to_string()),
            ("listen_addresses", "127.0.0.1".into()),
            ("unix_socket_directories", String::new()),
            ("fsync", "off".into()),
            // Shared memory as files among the data: a server that is killed leaves none behind.
            ("dynamic_shared_memory_type", "mmap".into()),
        ];
        let mut command = self.command("postgres")?;
        command.arg("-D").arg(self.data());
        let given = self.options.settings.iter().map(|(name, value)| (name.as_str(), value.clone()));
        let tls = self.options.tls.as_ref().map(|_| PostgresTls::settings(self.dir.path()));
        for (name, value) in own.into_iter().chain(tls.into_iter().flatten()).chain(given) {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        // On SIGQUIT PostgreSQL ends at once, all its processes and its shared memory included.
        let mut engine = Engine::start(&mut command, Signal::SIGQUIT, &self.dir)?;
        let ready = wait_for(START_LIMIT, || match () {
            () if engine.ended() => Some(false),
            () => self.is_ready(engine.id()).then_some(true),
        });
        let what = match ready {
            Some(true) => {
                self.engine = Some(engine);
                return Ok(());
            }
            Some(false) => "ended when it was started",
            None => "did not get ready",
        };
        Err(EngineError::Failed { program: "postgres", what: what.into(), log: tail(&self.log()) })
    }

    /// A program as the right account, with a new log.
    fn command(&self, program: &str) -> Result<Command, EngineError> {
        let log = fs::File::create(self.log()).map_err(EngineError::io("make a log file"))?;
        let errors = log.try_clone().map_err(EngineError::io("open a log file"))?;
        let mut command = Command::new(self.programs.join(program));
        command.stdout(log).stderr(errors);
        if let Some(account) = self.account {
            account.run(&mut command);
        }
        Ok(command)
    }

    /// What the server's own lock file says: our process, and its port is open and its data recovered.
    fn is_ready(&self, id: u32) -> bool {
        let lock = fs::read_to_string(self.data().join("postmaster.pid")).unwrap_or_default();
        let lines: Vec<_> = lock.lines().map(str::trim).collect();
        lines.first() == Some(&id.to_string().as_str()) && lines.get(7) == Some(&"ready")
    }
}
