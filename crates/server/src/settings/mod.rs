//! The one place that reads configuration: the environment over a file over the defaults, each value checked.

mod admin;
mod authz;
mod counts;
mod database;
mod error;
mod gate;
mod keys;
mod lines;
mod log;
mod origin;
mod password;
mod policies;
mod redis;
mod server;
mod session;
mod sources;
mod table;
mod traces;

use std::{net::SocketAddr, path::Path, time::Duration};

use tollbar_http::BarOptions;

use self::keys::Keys;
pub use self::{
    counts::CountSettings,
    database::{DatabaseSettings, DatabaseUrl},
    error::SettingsError,
    gate::GateSettings,
    log::{LogFormat, LogLevel, LogSettings},
    origin::Origin,
    password::PasswordSettings,
    policies::PolicySettings,
    redis::RedisSettings,
    server::ServerSettings,
    session::SessionSettings,
    sources::Variables,
    traces::TraceSettings,
};
pub(crate) use self::{origin::Stamp, traces::is_tls};

/// Everything that an operator chooses. `config/default.toml` says what each setting means.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `[server]`
    pub server: ServerSettings,
    /// `admin.bind`; `None` where it is off.
    pub admin: Option<SocketAddr>,
    /// `admin.hosts`
    pub admin_hosts: Vec<String>,
    /// `[database]`
    pub database: DatabaseSettings,
    /// `[redis]`; `None` where its URL is empty.
    pub redis: Option<RedisSettings>,
    /// `[session]`
    pub session: SessionSettings,
    /// `[password]`
    pub password: PasswordSettings,
    /// `ping.delay`
    pub ping_delay: Duration,
    /// `[gate]`
    pub gate: GateSettings,
    /// `[counts]`
    pub counts: CountSettings,
    /// `[log]`
    pub log: LogSettings,
    /// `[traces]`; `None` where its endpoint is empty.
    pub traces: Option<TraceSettings>,
    /// `[[policies]]` and `authz.unmatched`
    pub policies: PolicySettings,
    /// `headers`, `session.cookie` and `authz.trusted_proxies`
    pub bar: BarOptions,
}

impl Settings {
    /// Reads a file, if one is named, and these variables.
    ///
    /// # Errors
    /// Something could not be read, is unknown or does not fit. The message is one line without a secret.
    pub fn load(file: Option<&Path>, variables: Variables) -> Result<Self, SettingsError> {
        let keys = sources::merge(file, variables)?;
        Self::read(&keys)
    }

    fn read(keys: &Keys) -> Result<Self, SettingsError> {
        let server = ServerSettings::read(keys)?;
        Ok(Self {
            admin: admin::read(keys, server.bind)?,
            server,
            admin_hosts: admin::hosts(keys)?,
            database: DatabaseSettings::read(keys)?,
            redis: RedisSettings::read(keys)?,
            session: SessionSettings::read(keys)?,
            password: PasswordSettings::read(keys)?,
            ping_delay: keys.duration("ping.delay", Duration::ZERO..=Duration::from_secs(60))?,
            gate: GateSettings::read(keys)?,
            counts: CountSettings::read(keys)?,
            log: LogSettings::read(keys)?,
            traces: TraceSettings::read(keys)?,
            policies: PolicySettings::read(keys)?,
            bar: authz::read(keys)?,
        })
    }
}

#[cfg(test)]
mod tests;
