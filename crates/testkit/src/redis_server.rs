//! A Redis server of one's own, to kill, hang, empty and roll back.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use nix::sys::signal::Signal;
use redis::{Client, Connection, RedisResult, Value};

use crate::engine::Engine;
use crate::error::{EngineError, OrPanic as _};
use crate::files::tail;
use crate::folder::Folder;
use crate::names::random_hex;
use crate::ports::free_port;
use crate::programs::find_redis;
use crate::waiting::wait_for;

const START_LIMIT: Duration = Duration::from_secs(30);

/// How a [`PrivateRedis`] is to run. By default it keeps everything in memory only.
#[derive(Debug, Clone, Default)]
pub struct RedisOptions {
    lines: Vec<(String, String)>,
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
        let port = primary.port.to_string();
        self.config("masterauth", &primary.password).config("replicaof", &format!("127.0.0.1 {port}"))
    }

    /// Starts the server; panics where that fails.
    #[track_caller]
    pub fn start(self) -> PrivateRedis {
        self.try_start().or_panic()
    }

    /// Starts the server.
    pub fn try_start(self) -> Result<PrivateRedis, EngineError> {
        let program = find_redis()?;
        let dir = Folder::new(None)?;
        fs::create_dir(dir.path().join("data")).map_err(EngineError::io("make a data folder"))?;
        let mut server =
            PrivateRedis { engine: None, port: 0, password: random_hex(16)?, options: self, program, dir };
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

/// A Redis server of one's own on a free loopback port. Dropping it kills it and removes its files.
#[derive(Debug)]
pub struct PrivateRedis {
    // Before the folder, whose guard must hear of its end first.
    engine: Option<Engine>,
    port: u16,
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
        format!("redis://:{}@127.0.0.1:{}/0", self.password, self.port)
    }

    /// The port on loopback.
    pub fn port(&self) -> u16 {
        self.port
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
        .unwrap_or_else(|| panic!("port {} was taken while redis-server was stopped", self.port))
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
        let answer = self
            .connection(Duration::from_secs(10))
            .and_then(|mut connection| command.query(&mut connection));
        answer.map_err(|error| EngineError::Redis(words.join(" "), error))
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    pub(crate) fn appends_only(&self) -> bool {
        self.options
            .lines
            .iter()
            .rev()
            .find(|(name, _)| name == "appendonly")
            .is_some_and(|(_, value)| value == "yes")
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
        let config = self.dir.path().join("redis.conf");
        fs::write(&config, self.config()).map_err(EngineError::io("write redis.conf"))?;
        let mut command = Command::new(&self.program);
        command.arg(&config).stdout(log).stderr(errors);
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

    fn config(&self) -> String {
        let own = [
            ("port", self.port.to_string()),
            ("bind", "127.0.0.1".into()),
            ("daemonize", "no".into()),
            // A password keeps other users of the machine out, whom a server that runs as root would obey.
            ("requirepass", self.password.clone()),
            ("dir", quoted(&self.data())),
            ("save", "\"\"".into()),
            ("appendonly", "no".into()),
            // A replica need not wait for a second one to share the first copy with.
            ("repl-diskless-sync-delay", "0".into()),
        ];
        let given = self.options.lines.iter().map(|(name, value)| (name.as_str(), value.clone()));
        own.into_iter().chain(given).fold(String::new(), |mut text, (name, value)| {
            writeln!(text, "{name} {value}").expect("a String takes every write");
            text
        })
    }
}

fn quoted(path: &Path) -> String {
    format!("\"{}\"", path.display())
}
