//! `[server]`: where to listen, and how long clients and a shutdown may take.

use std::{net::SocketAddr, num::NonZeroUsize, time::Duration};

use super::{SettingsError, keys::Keys};

/// `[server]`
#[derive(Debug, Clone)]
pub struct ServerSettings {
    /// Where to listen; port 0 takes a free one.
    pub bind: SocketAddr,
    /// Threads that serve requests; `None`: one a core.
    pub workers: Option<NonZeroUsize>,
    /// Connections at once, over all workers.
    pub max_connections: usize,
    /// How long a client may take for a head, and again for a body.
    pub client_timeout: Duration,
    /// How long a shutdown may take in all.
    pub shutdown_timeout: Duration,
    /// How long requests are still accepted at its beginning.
    pub shutdown_delay: Duration,
}

impl ServerSettings {
    pub(super) fn read(keys: &Keys) -> Result<Self, SettingsError> {
        let bind = keys.parse("server.bind", |text| {
            text.parse().map_err(|_| "address and port, such as 127.0.0.1:8080 or [::1]:8080".to_owned())
        })?;
        let seconds = Duration::from_secs;
        let shutdown_timeout = keys.duration("server.shutdown_timeout", seconds(2)..=seconds(600))?;
        Ok(Self {
            bind,
            workers: NonZeroUsize::new(keys.number("server.workers", 0..=512)?),
            max_connections: keys.number("server.max_connections", 1..=1_000_000)?,
            client_timeout: keys
                .duration("server.client_timeout", Duration::from_millis(100)..=seconds(600))?,
            shutdown_timeout,
            // Half of it is left for requests in flight and the last counts.
            shutdown_delay: keys.duration("server.shutdown_delay", Duration::ZERO..=shutdown_timeout / 2)?,
        })
    }
}
