//! A database URL, read once: what is refused, and how it is shown without its password.

use std::time::Duration;

use tokio_postgres::{
    Config,
    config::{Host, TargetSessionAttrs},
};

use crate::{OpenError, PgOptions, tls::SslMode};

/// Reads the URL and adds what every connection of ours has.
pub(crate) fn config(options: &PgOptions) -> Result<(Config, SslMode), OpenError> {
    let url = options.url.as_str();
    // The other form, `host=… password=…`, is one in which an error could quote a piece of the password.
    if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        return Err(OpenError::Url(None));
    }
    let (url, mode) = split(url)?;
    let mut config: Config = url.parse().map_err(|error| OpenError::Url(Some(Box::new(error))))?;
    // An @ in a password that is not encoded ends it early: the rest of it would pass for a host, and be shown.
    let bent = |host: &Host| matches!(host, Host::Tcp(name) if name.contains('@'));
    if config.get_hosts().iter().any(bent) {
        return Err(OpenError::Url(None));
    }
    if config.get_hosts().is_empty() || config.get_dbname().is_none() {
        return Err(OpenError::Url(None));
    }
    config
        .ssl_mode(mode.wire())
        .application_name("tollbar")
        .connect_timeout(options.deadline)
        .keepalives_idle(Duration::from_secs(30))
        // A standby would serve sets of sessions that are out of date.
        .target_session_attrs(TargetSessionAttrs::ReadWrite);
    Ok((config, mode))
}

/// Takes `sslmode` out of the URL: tokio-postgres does not know all of its words.
fn split(url: &str) -> Result<(String, SslMode), OpenError> {
    // A question mark in a password begins no parameters; as tokio-postgres reads it, the first @ ends it.
    let host = url.find('@').unwrap_or(0);
    let Some(query) = url[host..].find('?').map(|at| host + at) else {
        return Ok((url.to_owned(), SslMode::Prefer));
    };
    let (mut mode, mut others) = (SslMode::Prefer, Vec::new());
    for parameter in url[query + 1..].split('&') {
        match parameter.strip_prefix("sslmode=") {
            Some(word) => mode = SslMode::read(word)?,
            None => others.push(parameter),
        }
    }
    let others = others.join("&");
    let mark = if others.is_empty() { "" } else { "?" };
    Ok((format!("{}{mark}{others}", &url[..query]), mode))
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
        config(&PgOptions::new(url)).map(|(config, _)| shown(&config))
    }

    #[test]
    fn shows_the_address_without_user_and_password() {
        assert_eq!(read("postgres://me:hunter22@db.example/tollbar").unwrap(), "db.example:5432/tollbar");
        assert_eq!(read("postgresql://a:1,b:2/t?sslmode=disable").unwrap(), "a:1,b:2/t");
        assert_eq!(read("postgres://me:hun?ter#22@h:5433/t").unwrap(), "h:5433/t");
    }

    #[test]
    fn takes_sslmode_out_of_the_parameters() {
        let mode = |url: &str| {
            let (config, mode) = config(&PgOptions::new(url)).unwrap();
            (mode, config.get_ssl_mode(), config.get_options().map(str::to_owned))
        };
        let wire = tokio_postgres::config::SslMode::Require;
        for (word, verified) in [
            ("require", SslMode::Require),
            ("verify-ca", SslMode::VerifyCa),
            ("verify-full", SslMode::VerifyFull),
        ] {
            let url = format!("postgres://me:a?b@db/t?sslmode={word}&options=-cx");
            assert_eq!(mode(&url), (verified, wire, Some("-cx".to_owned())));
        }
        assert_eq!(mode("postgres://db/t").0, SslMode::Prefer);
        assert_eq!(mode("postgres://db/t?sslmode=disable").0, SslMode::Disable);
        assert_eq!(mode("postgres://me:x?sslmode=disable@db/t").0, SslMode::Prefer);
    }

    #[test]
    fn refuses_a_wish_for_tls_that_it_does_not_know() {
        for (word, shown) in [("allow", "allow"), ("Require", "Require"), ("a%20b", "…")] {
            let error = read(&format!("postgres://me:hunter22@db/t?sslmode={word}")).unwrap_err();
            let line = "disable, prefer, require, verify-ca, verify-full";
            let line = format!("the database URL says sslmode={shown}, which must be one of {line}");
            assert_eq!(error.to_string(), line);
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
