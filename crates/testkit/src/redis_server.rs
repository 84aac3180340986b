//! A Redis server of one's own, to kill, hang, empty and roll back.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use nix::sys::signal::Signal;
use redis::{Client, Connection, FromRedisValue, RedisResult, Value};

use crate::engine::Engine;
use crate::error::{EngineError, OrPanic as _};
use crate::files::tail;
use crate::folder::Folder;
use crate::redis_options::{Ports, RedisOptions};
use crate::waiting::wait_for;

const START_LIMIT: Duration = Duration::from_secs(30);

/// A Redis server of one's own on a free loopback port. Dropping it kills it and removes its files.
#[derive(Debug)]
pub struct PrivateRedis {
    // Before the folder, whose guard must hear of its end first.
    engine: Option<Engine>,
    ports: Ports,
    password: String,
    options: RedisOptions,
    program: PathBuf,
    dir: Folder,
}

impl PrivateRedis {
    /// Starts one that keeps everything in memory only; panics where that fails.
    #[track_caller]
    pub fn start() -> Self {
        RedisOptions::default().start()
    }

    /// How to start one, to be adjusted.
    pub fn options() -> RedisOptions {
        RedisOptions::default()
    }

    /// The URL for clients. It stays the same when the server is started again.
    pub fn url(&self) -> String {
        format!("redis://:{}@127.0.0.1:{}/0", self.password, self.ports.plain)
    }

    /// The URL for clients that speak TLS. Panics unless the server was started with certificates.
    #[track_caller]
    pub fn tls_url(&self) -> String {
        format!("rediss://:{}@127.0.0.1:{}/0", self.password, self.tls_port())
    }

    /// The port on loopback.
    pub fn port(&self) -> u16 {
        self.ports.plain
    }

    /// The port for TLS. Panics unless the server was started with certificates.
    #[track_caller]
    pub fn tls_port(&self) -> u16 {
        self.ports.tls.expect("started with certificates")
    }

    /// The port on which the nodes of a cluster talk to each other.
    pub(crate) fn bus_port(&self) -> Option<u16> {
        self.ports.bus
    }

    pub(crate) fn password(&self) -> &str {
        &self.password
    }

    /// The id of the running process; `None` after [`Self::kill9`] or [`Self::stop`].
    pub fn process_id(&self) -> Option<u32> {
        self.engine.as_ref().map(Engine::id)
    }

    /// Kills it as `kill -9` does.
    pub fn kill9(&mut self) {
        if let Some(engine) = self.engine.take() {
            engine.kill9();
        }
    }

    /// Stops it in order (SIGTERM), so that it saves what it was told to save.
    #[track_caller]
    pub fn stop(&mut self) {
        if let Some(engine) = self.engine.take() {
            assert!(engine.end(Signal::SIGTERM), "redis-server did not stop: {}", tail(&self.log()));
        }
    }

    /// Starts it on the same port with what its disk has; a server that runs is killed before.
    #[track_caller]
    pub fn start_again(&mut self) {
        self.kill9();
        // Somebody's outgoing connection may hold the port for a moment.
        wait_for(Duration::from_secs(10), || match self.launch() {
            Err(_) if self.port_was_taken() => None,
            outcome => Some(outcome),
        })
        .unwrap_or_else(|| panic!("port {} was taken while redis-server was stopped", self.port()))
        .or_panic();
    }

    /// Hangs it (SIGSTOP): connections stay open and are accepted, and nothing is answered.
    #[track_caller]
    pub fn pause(&self) {
        self.running().pause();
    }

    /// Lets a paused server go on (SIGCONT).
    #[track_caller]
    pub fn resume(&self) {
        self.running().resume();
    }

    /// Removes all keys.
    #[track_caller]
    pub fn flush_all(&self) {
        self.run(&["FLUSHALL"]);
    }

    /// Sends one command, for example `["CONFIG", "SET", "maxmemory", "1mb"]`, and gives its answer.
    #[track_caller]
    pub fn run(&self, words: &[&str]) -> Value {
        self.query(words).or_panic()
    }

    /// Sends one command and gives its answer, also when it is an error.
    pub fn query(&self, words: &[&str]) -> Result<Value, EngineError> {
        let mut command = redis::Cmd::new();
        command.arg(words);
        self.ask(&command).map_err(|error| EngineError::Redis(words.join(" "), error))
    }

    /// Sends one command, whose arguments may be any bytes.
    pub(crate) fn ask<T: FromRedisValue>(&self, command: &redis::Cmd) -> RedisResult<T> {
        self.ask_within(Duration::from_secs(10), command)
    }

    /// The same for a server that may hang.
    pub(crate) fn ask_within<T: FromRedisValue>(
        &self,
        limit: Duration,
        command: &redis::Cmd,
    ) -> RedisResult<T> {
        command.query(&mut self.connection(limit)?)
    }

    pub(crate) fn first_start(
        options: RedisOptions,
        password: String,
        program: PathBuf,
        dir: Folder,
    ) -> Result<Self, EngineError> {
        let mut server = Self { engine: None, ports: options.ports()?, password, options, program, dir };
        for _ in 0..9 {
            server.write_config()?;
            match server.launch() {
                Err(_) if server.port_was_taken() => server.ports = server.options.ports()?,
                outcome => return outcome.map(|()| server),
            }
        }
        server.write_config()?;
        server.launch().map(|()| server)
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    pub(crate) fn appends_only(&self) -> bool {
        self.options.appends_only()
    }

    /// The end of its log.
    pub(crate) fn last_words(&self) -> String {
        tail(&self.log())
    }

    #[track_caller]
    fn running(&self) -> &Engine {
        self.engine.as_ref().expect("the private Redis was stopped: start it again first")
    }

    fn log(&self) -> PathBuf {
        self.dir.path().join("log")
    }

    fn port_was_taken(&self) -> bool {
        tail(&self.log()).contains("Address already in use")
    }

    fn launch(&mut self) -> Result<(), EngineError> {
        let log = fs::File::create(self.log()).map_err(EngineError::io("make a log file"))?;
        let errors = log.try_clone().map_err(EngineError::io("open a log file"))?;
        let mut command = Command::new(&self.program);
        command.arg(self.config()).stdout(log).stderr(errors);
        if self.options.is_sentinel() {
            command.arg("--sentinel");
        }
        let mut engine = Engine::start(&mut command, Signal::SIGKILL, &self.dir)?;
        let ready = wait_for(START_LIMIT, || match () {
            () if engine.ended() => Some(false),
            () => self.answers_as(engine.id()).then_some(true),
        });
        let what = match ready {
            Some(true) => {
                self.engine = Some(engine);
                return Ok(());
            }
            Some(false) => "ended when it was started",
            None => "did not get ready",
        };
        Err(EngineError::Failed { program: "redis-server", what: what.into(), log: tail(&self.log()) })
    }

    /// Whether it is our process that answers there, and its data are loaded.
    fn answers_as(&self, id: u32) -> bool {
        let info = self.connection(Duration::from_secs(1)).and_then(|mut connection| {
            redis::cmd("PING").exec(&mut connection)?;
            redis::cmd("INFO").arg("server").query::<String>(&mut connection)
        });
        info.is_ok_and(|info| info.lines().any(|line| line == format!("process_id:{id}")))
    }

    fn connection(&self, limit: Duration) -> RedisResult<Connection> {
        let connection = Client::open(self.url())?.get_connection_with_timeout(limit)?;
        connection.set_read_timeout(Some(limit))?;
        connection.set_write_timeout(Some(limit))?;
        Ok(connection)
    }

    /// Once, since sentinels have a server write its file anew.
    fn write_config(&self) -> Result<(), EngineError> {
        let text = self.options.file(self.ports, &self.password, &self.data());
        fs::write(self.config(), text).map_err(EngineError::io("write redis.conf"))
    }

    fn config(&self) -> PathBuf {
        self.dir.path().join("redis.conf")
    }
}
