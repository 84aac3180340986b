//! A database URL, read once: what is refused, and how it is shown without its password.

use std::time::Duration;

use tokio_postgres::{
    Config,
    config::{Host, SslMode, TargetSessionAttrs},
};

use crate::{OpenError, PgOptions};

/// Reads the URL and adds what every connection of ours has.
pub(crate) fn config(options: &PgOptions) -> Result<Config, OpenError> {
    let url = options.url.as_str();
    // The other form, `host=… password=…`, is one in which an error could quote a piece of the password.
    if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        return Err(OpenError::Url(None));
    }
    let query = url.rsplit_once('?').map_or("", |(_, query)| query);
    for mode in ["verify-ca", "verify-full"] {
        if query.split('&').any(|parameter| parameter.strip_prefix("sslmode=") == Some(mode)) {
            return Err(OpenError::Tls(mode));
        }
    }
    let mut config: Config = url.parse().map_err(|error| OpenError::Url(Some(Box::new(error))))?;
    if !matches!(config.get_ssl_mode(), SslMode::Disable | SslMode::Prefer) {
        return Err(OpenError::Tls("require"));
    }
    // An @ in a password that is not encoded ends it early: the rest of it would pass for a host, and be shown.
    let bent = |host: &Host| matches!(host, Host::Tcp(name) if name.contains('@'));
    if config.get_hosts().iter().any(bent) {
        return Err(OpenError::Url(None));
    }
    if config.get_hosts().is_empty() || config.get_dbname().is_none() {
        return Err(OpenError::Url(None));
    }
    config
        .ssl_mode(SslMode::Disable)
        .application_name("tollbar")
        .connect_timeout(options.deadline)
        .keepalives_idle(Duration::from_secs(30))
        // A standby would serve sets of sessions that are out of date.
        .target_session_attrs(TargetSessionAttrs::ReadWrite);
    Ok(config)
}

/// Host, port and database, for messages.
pub(crate) fn shown(config: &Config) -> String {
    let ports = config.get_ports();
    let host = |(at, host): (usize, &Host)| {
        let port = ports.get(at).or(ports.first()).copied().unwrap_or(5432);
        match host {
            Host::Tcp(name) => format!("{name}:{port}"),
            #[cfg(unix)]
            Host::Unix(folder) => format!("{}:{port}", folder.display()),
        }
    };
    let hosts: Vec<_> = config.get_hosts().iter().enumerate().map(host).collect();
    format!("{}/{}", hosts.join(","), config.get_dbname().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> Result<String, OpenError> {
        config(&PgOptions::new(url)).map(|config| shown(&config))
    }

    #[test]
    fn shows_the_address_without_user_and_password() {
        assert_eq!(read("postgres://me:hunter22@db.example/tollbar").unwrap(), "db.example:5432/tollbar");
        assert_eq!(read("postgresql://a:1,b:2/t?sslmode=disable").unwrap(), "a:1,b:2/t");
        assert_eq!(read("postgres://me:hun?ter#22@h:5433/t").unwrap(), "h:5433/t");
    }

    #[test]
    fn refuses_to_ignore_a_wish_for_tls() {
        for mode in ["require", "verify-ca", "verify-full"] {
            let error = read(&format!("postgres://me:hunter22@db/t?sslmode={mode}")).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("the database URL says sslmode={mode}, and this version of Tollbar has no TLS")
            );
        }
    }

    #[test]
    fn never_quotes_what_it_cannot_read() {
        for url in [
            "host=db password=hunter22 x",
            "postgres://me:hunter22@db:port/t",
            "postgres://me:hunter22@db/t?a=b",
            "postgres://me:hunter22@db",
            "mysql://me:hunter22@db/t",
            "postgres://me:S3@hunter22@127.0.0.1:1/x",
        ] {
            let error = read(url).unwrap_err();
            assert!(matches!(error, OpenError::Url(_)), "{url}");
            assert!(!format!("{error} {error:?}").contains("hunter22"), "{error:?}");
        }
    }
}
