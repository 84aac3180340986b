//! `[redis]`: the live tier of many processes.

use std::{
    fmt,
    num::{NonZeroU16, NonZeroUsize},
    path::{Path, PathBuf},
    time::Duration,
};

use tollbar_redis::{RedisOptions, TlsFileError};

use super::{SettingsError, keys::Keys};

/// `[redis]`, where its URL is not empty. Its `Debug` shows no password.
#[derive(Clone)]
pub struct RedisSettings {
    /// `redis://…`, `redis-cluster://…` or `redis-sentinel://…`, or with TLS `rediss…`.
    pub url: String,
    /// With TLS: who may vouch for a server; none: those whom the system believes.
    pub ca_file: Option<PathBuf>,
    /// With TLS: our own certificate.
    pub cert_file: Option<PathBuf>,
    /// With TLS: its key.
    pub key_file: Option<PathBuf>,
    /// What every key begins with.
    pub prefix: String,
    /// Among how many hash tags users are divided.
    pub partitions: NonZeroU16,
    /// Connections.
    pub pool_size: NonZeroUsize,
    /// Calls under way at once.
    pub max_in_flight: NonZeroUsize,
    /// How long a call may take.
    pub deadline: Duration,
}

impl RedisSettings {
    /// Every key is checked, also where the URL is empty.
    pub(super) fn read(keys: &Keys) -> Result<Option<Self>, SettingsError> {
        let size = |number| NonZeroUsize::new(number).expect("a constant that is not zero");
        let settings = Self {
            url: keys.parse("redis.url", url)?,
            ca_file: keys.parse("redis.ca_file", certificates)?,
            cert_file: keys.parse("redis.cert_file", certificates)?,
            key_file: keys.parse("redis.key_file", key)?,
            prefix: keys.parse("redis.prefix", prefix)?,
            partitions: keys.number("redis.partitions", NonZeroU16::MIN..=NonZeroU16::MAX)?,
            pool_size: keys.number("redis.pool_size", size(1)..=size(100))?,
            max_in_flight: keys.number("redis.max_in_flight", size(1)..=size(1_000_000))?,
            deadline: keys.duration("redis.deadline", Duration::from_millis(1)..=Duration::from_secs(60))?,
        };
        settings.check_files(keys)?;
        Ok((!settings.url.is_empty()).then_some(settings))
    }

    /// No file is named that would be ignored, and none alone that needs another.
    fn check_files(&self, keys: &Keys) -> Result<(), SettingsError> {
        let files = [
            ("redis.ca_file", &self.ca_file),
            ("redis.cert_file", &self.cert_file),
            ("redis.key_file", &self.key_file),
        ];
        let refuse = |key: &str, rule: &str| Err(keys.bad(key, &keys.value(key)?, rule));
        if let Some((key, _)) = files.iter().find(|(_, file)| file.is_some())
            && !tollbar_redis::is_tls(&self.url)
        {
            return refuse(
                key,
                "it must be empty, as redis.url asks for no TLS (rediss://, rediss-cluster://, rediss-sentinel://)",
            );
        }
        match (&self.cert_file, &self.key_file) {
            (Some(_), None) => refuse("redis.cert_file", "it must have redis.key_file beside it"),
            (None, Some(_)) => refuse("redis.key_file", "it must have redis.cert_file beside it"),
            _ => Ok(()),
        }
    }
}

fn certificates(path: &str) -> Result<Option<PathBuf>, String> {
    let check = tollbar_redis::check_certificate_file;
    file(path, check).map_err(|error| format!("empty, or a file with certificates in PEM form: {error}"))
}

fn key(path: &str) -> Result<Option<PathBuf>, String> {
    let check = tollbar_redis::check_key_file;
    file(path, check).map_err(|error| format!("empty, or a file with a private key in PEM form: {error}"))
}

fn file(path: &str, check: fn(&Path) -> Result<(), TlsFileError>) -> Result<Option<PathBuf>, TlsFileError> {
    if path.is_empty() {
        return Ok(None);
    }
    check(path.as_ref()).map(|()| Some(path.into()))
}

fn url(text: &str) -> Result<String, String> {
    if !text.is_empty() {
        let must_be = "empty, or redis://…, redis-cluster://… or redis-sentinel://… (with TLS: rediss…)";
        tollbar_redis::check_url(text).map_err(|refusal| format!("{must_be}: {refusal}"))?;
    }
    Ok(text.to_owned())
}

fn prefix(text: &str) -> Result<String, String> {
    if RedisOptions::is_prefix(text) {
        Ok(text.to_owned())
    } else {
        Err("1 to 64 visible ASCII characters without braces".to_owned())
    }
}

impl fmt::Debug for RedisSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisSettings")
            .field("ca_file", &self.ca_file)
            .field("cert_file", &self.cert_file)
            .field("key_file", &self.key_file)
            .field("prefix", &self.prefix)
            .field("partitions", &self.partitions)
            .field("pool_size", &self.pool_size)
            .field("max_in_flight", &self.max_in_flight)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use crate::settings::tests::load;

    #[test]
    fn files_that_would_be_ignored_are_refused() {
        let mut pem = tempfile::NamedTempFile::new().unwrap();
        pem.write_all(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
        let path = pem.path().display().to_string();
        for (url, key, rule) in [
            (
                "redis-cluster://h",
                "CA_FILE",
                "it must be empty, as redis.url asks for no TLS (rediss://, rediss-cluster://, rediss-sentinel://)",
            ),
            ("rediss://h", "CERT_FILE", "it must have redis.key_file beside it"),
        ] {
            let said =
                load("", &[("REDIS_URL", url), (&format!("TOLLBAR__REDIS__{key}"), &path)]).unwrap_err();
            let setting = format!("redis.{}", key.to_lowercase());
            assert_eq!(said, format!("bad setting {setting} = \"{path}\", from the environment: {rule}"));
        }
        let settings = load("", &[("REDIS_URL", "rediss-cluster://h"), ("TOLLBAR__REDIS__CA_FILE", &path)]);
        assert_eq!(settings.unwrap().redis.unwrap().ca_file.unwrap(), pem.path());
    }
}
