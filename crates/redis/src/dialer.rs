//! How connections to the servers of one deployment are made.

use fred::types::config::{Config, ServerConfig, TlsConfig};

use crate::{address::Address, target::User};

/// The driver's settings but for the address.
#[derive(Debug, Clone)]
pub(crate) struct Dialer {
    config: Config,
}

impl Dialer {
    pub(crate) fn new(user: &User, database: Option<u8>, tls: Option<TlsConfig>) -> Self {
        let config = Config {
            username: user.name.clone(),
            password: user.password.clone(),
            database,
            tls,
            // An engine that is away at the start is no reason to give up.
            fail_fast: false,
            ..Config::default()
        };
        Self { config }
    }

    /// The same servers' TLS, as another user: sentinels have users of their own, and no databases.
    pub(crate) fn of_sentinels(&self, user: &User) -> Self {
        Self::new(user, None, self.config.tls.clone())
    }

    /// The driver's settings for one server. It is taken for a server by itself: where a deployment has several, we choose.
    pub(crate) fn config(&self, address: &Address) -> Config {
        let server = ServerConfig::new_centralized(address.host.clone(), address.port);
        Config { server, ..self.config.clone() }
    }
}
