//! Which engine a URL names, with nothing in it that we would quietly ignore.

use fred::types::config::{Config, ServerConfig};
use url::{Host, Url};

/// Why a URL names no engine. Never holds the URL, which may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RedisUrlError {
    /// Not a URL at all.
    #[error("not a URL: {0}")]
    Malformed(url::ParseError),
    /// A kind of deployment that is not served yet.
    #[error("{0}:// comes with a later version; only redis:// is served now")]
    Later(&'static str),
    /// Another scheme.
    #[error("it must begin with redis://")]
    Scheme,
    /// No host.
    #[error("it names no host")]
    Host,
    /// A path that is no number of a database.
    #[error("its path is no number of a database (0 to 255)")]
    Database,
    /// A query or a fragment.
    #[error("it must not have a query or a fragment")]
    Query,
    /// Credentials that cannot be read.
    #[error("its user name or password is not percent-encoded UTF-8")]
    Credentials,
}

const LATER: [&str; 5] = ["rediss", "redis-cluster", "rediss-cluster", "redis-sentinel", "rediss-sentinel"];

/// Whether an engine can be reached by this URL, as far as its text tells.
///
/// # Errors
/// It names none, or one of a kind that is not served yet.
pub fn check_url(text: &str) -> Result<(), RedisUrlError> {
    config_of(text).map(drop)
}

/// The driver's settings for the engine that the URL names.
pub(crate) fn config_of(text: &str) -> Result<Config, RedisUrlError> {
    let url = Url::parse(text).map_err(RedisUrlError::Malformed)?;
    if let Some(later) = LATER.into_iter().find(|scheme| *scheme == url.scheme()) {
        return Err(RedisUrlError::Later(later));
    }
    if url.scheme() != "redis" {
        return Err(RedisUrlError::Scheme);
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(RedisUrlError::Query);
    }
    let host = bare_host(&url).ok_or(RedisUrlError::Host)?;
    let database = url.path().trim_start_matches('/');
    if !database.is_empty() && database.parse::<u8>().is_err() {
        return Err(RedisUrlError::Database);
    }
    let parsed = Config::from_url_centralized(text).map_err(|_| RedisUrlError::Credentials)?;
    Ok(Config {
        server: ServerConfig::new_centralized(host, url.port().unwrap_or(6379)),
        // An engine that is away at the start is no reason to give up.
        fail_fast: false,
        ..parsed
    })
}

/// The host as resolvers want it: an IPv6 address without its brackets.
fn bare_host(url: &Url) -> Option<String> {
    // Of a scheme that it does not know, the parser takes any host for a name, except for an IPv6 address.
    match url.host()? {
        Host::Domain("") => None,
        Host::Domain(name) => Some(name.to_owned()),
        Host::Ipv4(address) => Some(address.to_string()),
        Host::Ipv6(address) => Some(address.to_string()),
    }
}

/// Host, port and database, for people.
pub(crate) fn place(text: &str) -> String {
    let url = Url::parse(text).ok();
    let host = url.as_ref().and_then(bare_host).unwrap_or_default();
    let port = url.as_ref().and_then(Url::port).unwrap_or(6379);
    let database = url.as_ref().map_or("", |url| url.path().trim_end_matches('/'));
    format!("{host}:{port}{database}")
}

/// The URL as it may be shown: without a password, or not at all.
pub(crate) fn shown(text: &str) -> String {
    match Url::parse(text) {
        Ok(mut url) if url.has_host() => {
            if url.password().is_some() && url.set_password(Some("***")).is_err() {
                return "(hidden)".into();
            }
            url.into()
        }
        // Where the parts cannot be told, any of it may be the secret.
        _ => "(not a URL)".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server_of(url: &str) -> String {
        config_of(url).unwrap().server.hosts()[0].to_string()
    }

    #[test]
    fn names_an_engine() {
        assert_eq!(server_of("redis://localhost"), "localhost:6379");
        assert_eq!(server_of("redis://127.0.0.1:7000/2"), "127.0.0.1:7000");
        assert_eq!(server_of("redis://[::1]:7000"), "::1:7000");
        let config = config_of("redis://ada:p%40ss@h/3").unwrap();
        assert_eq!((config.username.as_deref(), config.password.as_deref()), (Some("ada"), Some("p@ss")));
        assert_eq!((config.database, config.fail_fast), (Some(3), false));
    }

    #[test]
    fn says_what_is_wrong_and_never_the_password() {
        for (url, message) in [
            ("s3cret", "not a URL: relative URL without a base"),
            ("redis://:s3cret@host:x", "not a URL: invalid port number"),
            ("rediss://:s3cret@host", "rediss:// comes with a later version; only redis:// is served now"),
            (
                "redis-cluster://:s3cret@h",
                "redis-cluster:// comes with a later version; only redis:// is served now",
            ),
            (
                "redis-sentinel://h",
                "redis-sentinel:// comes with a later version; only redis:// is served now",
            ),
            ("postgres://:s3cret@h", "it must begin with redis://"),
            ("redis:///1", "it names no host"),
            ("redis://:s3cret@h/one", "its path is no number of a database (0 to 255)"),
            ("redis://:s3cret@h/256", "its path is no number of a database (0 to 255)"),
            ("redis://:s3cret@h?db=1", "it must not have a query or a fragment"),
            ("redis://:%ff@h", "its user name or password is not percent-encoded UTF-8"),
        ] {
            assert_eq!(config_of(url).map(drop).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn is_shown_without_its_password() {
        assert_eq!(shown("redis://ada:s3cret@h:1/2"), "redis://ada:***@h:1/2");
        for unclear in ["s3cret", "redis:s3cret", "redis://:s3cret@h:port"] {
            assert_eq!(shown(unclear), "(not a URL)");
        }
    }
}
