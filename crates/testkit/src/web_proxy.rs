//! nginx and Caddy in front of an application, with the configurations that ship, on free ports.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::account::Account;
use crate::engine::Engine;
use crate::error::{EngineError, OrPanic as _};
use crate::files::tail;
use crate::folder::Folder;
use crate::ports::free_port;
use crate::programs::{find_caddy, find_nginx};
use crate::waiting::wait_for;

const START_LIMIT: Duration = Duration::from_secs(30);

/// A reverse proxy that asks Tollbar about every request. Dropping it ends it.
#[derive(Debug)]
pub struct WebProxy {
    // Ends before its folder goes.
    _engine: Engine,
    _folder: Folder,
    port: u16,
}

/// Which proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebProxyKind {
    /// `docker/nginx/nginx.conf`
    Nginx,
    /// `docker/caddy/Caddyfile`
    Caddy,
}

/// The addresses in the configurations.
const LISTEN: &str = ":8000";
const TOLLBAR: &str = "127.0.0.1:8080";
const APP: &str = "127.0.0.1:3000";

impl WebProxyKind {
    fn program(self) -> Result<PathBuf, EngineError> {
        match self {
            Self::Nginx => find_nginx(),
            Self::Caddy => find_caddy(),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Caddy => "caddy",
        }
    }

    /// The configuration that ships.
    fn shipped(self) -> PathBuf {
        let file = match self {
            Self::Nginx => "nginx/nginx.conf",
            Self::Caddy => "caddy/Caddyfile",
        };
        [env!("CARGO_MANIFEST_DIR"), "../../docker", file].iter().collect()
    }
}

impl WebProxy {
    /// Starts a proxy between clients and `app`, which asks Tollbar at `tollbar`.
    #[track_caller]
    pub fn start(kind: WebProxyKind, tollbar: SocketAddr, app: SocketAddr) -> Self {
        // A port that was free may be taken before it is listened on.
        (0..5)
            .find_map(|_| Self::try_start(kind, tollbar, app).transpose())
            .unwrap_or_else(|| {
                panic!("{} found no port that stayed free", kind.name());
            })
            .or_panic()
    }

    fn try_start(
        kind: WebProxyKind,
        tollbar: SocketAddr,
        app: SocketAddr,
    ) -> Result<Option<Self>, EngineError> {
        let shipped = kind.shipped();
        let action = || EngineError::io(format!("read {}", shipped.display()));
        let mut text = fs::read_to_string(&shipped).map_err(action())?;
        let port = free_port()?;
        for (from, to) in
            [(TOLLBAR, tollbar.to_string()), (APP, app.to_string()), (LISTEN, format!(":{port}"))]
        {
            assert!(text.contains(from), "{} does not name {from} any more", shipped.display());
            text = text.replace(from, &to);
        }
        // Root would have its workers run as another user, who cannot enter the folder.
        let account = Account::for_postgres()?;
        let folder = Folder::new(account)?;
        let (config, log) = (folder.path().join("config"), folder.path().join("log"));
        fs::write(&config, text).map_err(EngineError::io("write a proxy's configuration"))?;
        let output = fs::File::create(&log).map_err(EngineError::io("make a log file"))?;
        let errors = output.try_clone().map_err(EngineError::io("open a log file"))?;
        let mut command = Command::new(kind.program()?);
        match kind {
            WebProxyKind::Nginx => {
                command.arg("-p").arg(folder.path()).arg("-c").arg(&config).args(["-g", "daemon off;"]);
            }
            WebProxyKind::Caddy => {
                command.args(["run", "--adapter", "caddyfile", "--config"]).arg(&config);
                // It keeps files of its own.
                command.env("HOME", folder.path()).env_remove("XDG_CONFIG_HOME").env_remove("XDG_DATA_HOME");
            }
        }
        if let Some(account) = account {
            account.own(&config)?;
            account.run(&mut command);
        }
        let mut engine = Engine::start(command.stdout(output).stderr(errors), Signal::SIGTERM, &folder)?;
        let listens = wait_for(START_LIMIT, || match () {
            () if engine.ended() => Some(false),
            () => std::net::TcpStream::connect(("127.0.0.1", port)).is_ok().then_some(true),
        });
        if listens == Some(true) {
            return Ok(Some(Self { _engine: engine, _folder: folder, port }));
        }
        let said = tail(&log);
        if said.to_lowercase().contains("address already in use") {
            return Ok(None);
        }
        Err(EngineError::Failed { program: kind.name(), what: "did not listen".into(), log: said })
    }

    /// What clients call.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}
