//! How to reach an engine and how to behave towards it.

use std::{
    fmt,
    num::{NonZeroU16, NonZeroUsize},
    path::PathBuf,
    time::Duration,
};

use tollbar_core::StoreError;

use crate::{
    dialer::Dialer,
    target::{self, RedisUrlError, Target},
    tls::{self, TlsError},
};

/// What [`RedisLive::connect`](crate::RedisLive::connect) needs. Its `Debug` hides the password.
#[derive(Clone)]
pub struct RedisOptions {
    /// One server: `redis://[[user]:password@]host[:port][/database]`. A cluster: `redis-cluster://[[user]:password@]host[:port]`, with more
    /// of its nodes as `?node=host[:port]&node=…`. A server that sentinels name:
    /// `redis-sentinel://[[user]:password@]sentinel[:port][/database]?service=name`, with more sentinels as `&node=…`, and where those have a user of
    /// their own, `&sentinel_user=…&sentinel_password=…`. Each with `rediss` for TLS.
    pub url: String,
    /// With TLS: certificates, in PEM form, of those who may vouch for a server; the system's where there are none.
    pub ca_file: Option<PathBuf>,
    /// With TLS: our own certificate, in PEM form, for servers that want one.
    pub cert_file: Option<PathBuf>,
    /// With TLS: the private key of our own certificate, in PEM form.
    pub key_file: Option<PathBuf>,
    /// What every key begins with. Fixed for the life of the data.
    pub prefix: String,
    /// Among how many hash tags users are divided. Fixed for the life of the data.
    pub partitions: NonZeroU16,
    /// How long a call may take, all in all.
    pub deadline: Duration,
    /// How long a set of sessions is believed at most.
    pub cache_ttl: Duration,
    /// How long a lease is good for.
    pub lease_ttl: Duration,
    /// How many connections are kept.
    pub pool_size: NonZeroUsize,
    /// How many commands may be under way at once; a call beyond that fails at once.
    pub max_in_flight: NonZeroUsize,
}

/// Why these options cannot be used.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RedisOptionsError {
    /// The URL names no engine.
    #[error("redis url: {0}")]
    Url(RedisUrlError),
    /// The prefix could bend a key.
    #[error("redis prefix: 1 to 64 visible ASCII characters without braces")]
    Prefix,
    /// A time that is too short to mean anything.
    #[error("redis {0}: at least 1 ms")]
    TooShort(&'static str),
    /// TLS that cannot be set up.
    #[error("redis {0}")]
    Tls(TlsError),
    /// The operating system has no randomness to give.
    #[error("redis leases need randomness")]
    Randomness(#[source] StoreError),
}

impl RedisOptions {
    /// The defaults for the engine of this URL.
    pub fn new(url: impl Into<String>) -> Self {
        const fn size(number: usize) -> NonZeroUsize {
            NonZeroUsize::new(number).expect("the defaults are not zero")
        }
        Self {
            url: url.into(),
            prefix: "tb".into(),
            partitions: const { NonZeroU16::new(16).expect("the default is not zero") },
            deadline: Duration::from_millis(100),
            cache_ttl: Duration::from_secs(60),
            lease_ttl: Duration::from_secs(2),
            ca_file: None,
            cert_file: None,
            key_file: None,
            pool_size: const { size(2) },
            max_in_flight: const { size(4096) },
        }
    }

    /// Whether a text can begin every key: 1 to 64 visible ASCII characters without braces, which could bend a hash tag.
    pub fn is_prefix(text: &str) -> bool {
        let visible = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'{' | b'}');
        (1..=64).contains(&text.len()) && text.bytes().all(visible)
    }

    /// The deployment and the way to it, once everything has been looked at.
    pub(crate) fn check(&self) -> Result<(Target, Dialer), RedisOptionsError> {
        if !Self::is_prefix(&self.prefix) {
            return Err(RedisOptionsError::Prefix);
        }
        let times =
            [("deadline", self.deadline), ("cache_ttl", self.cache_ttl), ("lease_ttl", self.lease_ttl)];
        if let Some((name, _)) = times.into_iter().find(|(_, time)| *time < Duration::from_millis(1)) {
            return Err(RedisOptionsError::TooShort(name));
        }
        let target = target::target_of(&self.url).map_err(RedisOptionsError::Url)?;
        let files = tls::Files {
            ca: self.ca_file.as_deref(),
            cert: self.cert_file.as_deref(),
            key: self.key_file.as_deref(),
        };
        let tls = if target.tls { tls::config(files).map(Some) } else { tls::unused(files).map(|()| None) };
        let dialer = Dialer::new(&target.user, target.database, tls.map_err(RedisOptionsError::Tls)?);
        Ok((target, dialer))
    }
}

impl fmt::Debug for RedisOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisOptions")
            .field("url", &target::shown(&self.url))
            .field("prefix", &self.prefix)
            .field("partitions", &self.partitions)
            .field("deadline", &self.deadline)
            .field("cache_ttl", &self.cache_ttl)
            .field("lease_ttl", &self.lease_ttl)
            .field("ca_file", &self.ca_file)
            .field("cert_file", &self.cert_file)
            .field("key_file", &self.key_file)
            .field("pool_size", &self.pool_size)
            .field("max_in_flight", &self.max_in_flight)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bad_value_is_named() {
        let good = RedisOptions::new("redis://h");
        assert!(good.check().is_ok());
        for prefix in ["", "a{b", "a b", "ä", &"x".repeat(65)] {
            let refused = RedisOptions { prefix: prefix.into(), ..good.clone() }.check();
            assert!(matches!(refused, Err(RedisOptionsError::Prefix)), "{prefix:?}");
        }
        let refused = RedisOptions { deadline: Duration::ZERO, ..good.clone() }.check().map(drop);
        assert_eq!(refused.unwrap_err().to_string(), "redis deadline: at least 1 ms");
        let refused = RedisOptions { url: "redis:///".into(), ..good.clone() }.check().map(drop);
        assert_eq!(refused.unwrap_err().to_string(), "redis url: it names no host");
        let missing = Some(PathBuf::from("/nowhere/ca.pem"));
        let tls = RedisOptions { ca_file: missing.clone(), ..RedisOptions::new("rediss://h") };
        let message = "redis ca_file /nowhere/ca.pem: it cannot be read: entity not found";
        assert_eq!(tls.check().map(drop).unwrap_err().to_string(), message);
        let unused = RedisOptions { key_file: missing.clone(), ..good }.check().map(drop);
        let message = "redis key_file: the url asks for no TLS, as rediss://… would";
        assert_eq!(unused.unwrap_err().to_string(), message);
        let half = RedisOptions { cert_file: missing, ..RedisOptions::new("rediss-cluster://h") };
        let refused = half.check().map(drop).unwrap_err().to_string();
        assert!(refused.contains("one does not go without the other") || refused.contains("ca_file"));
    }

    #[test]
    fn debug_hides_the_password() {
        let shown = format!("{:?}", RedisOptions::new("redis://:s3cret@h"));
        assert!(shown.contains("redis://:***@h") && !shown.contains("s3cret"), "{shown}");
    }
}
