//! The address inside of a URL: reading it, and putting another in its place.

use std::net::{SocketAddr, ToSocketAddrs as _};

use url::Url;

/// The address that an engine's URL leads to. Panics where the URL names none.
#[track_caller]
pub fn address_of(url: &str) -> SocketAddr {
    let parsed = parse(url);
    let default = match parsed.scheme() {
        "redis" => 6379,
        _ => 5432,
    };
    let host = parsed.host_str().unwrap_or("127.0.0.1").trim_matches(['[', ']']);
    let mut found = match (host, parsed.port().unwrap_or(default)).to_socket_addrs() {
        Ok(found) => found,
        Err(error) => panic!("cannot resolve the host {host}: {error}"),
    };
    found.next().unwrap_or_else(|| panic!("the host {host} has no address"))
}

/// The same URL with another host and port, for example those of a [`Proxy`](crate::Proxy).
#[track_caller]
pub fn through(url: &str, address: SocketAddr) -> String {
    let mut parsed = parse(url);
    let set = parsed.set_ip_host(address.ip()).and_then(|()| parsed.set_port(Some(address.port())));
    assert!(set.is_ok(), "a URL of scheme {} cannot hold an address", parsed.scheme());
    parsed.into()
}

/// The same URL with another database name.
#[track_caller]
pub(crate) fn with_database(url: &str, name: &str) -> String {
    let mut parsed = parse(url);
    parsed.set_path(name);
    parsed.into()
}

/// The user and the password of a URL, as they were before they were written into it.
#[track_caller]
pub(crate) fn credentials(url: &str) -> (String, String) {
    let parsed = parse(url);
    let plain = |text: &str| {
        let bytes = url::form_urlencoded::parse(format!("x={}", text.replace('+', "%2B")).as_bytes())
            .next()
            .map(|(_, value)| value.into_owned());
        bytes.unwrap_or_default()
    };
    (plain(parsed.username()), plain(parsed.password().unwrap_or_default()))
}

// The message leaves the URL out: it may hold a password.
#[track_caller]
fn parse(url: &str) -> Url {
    match Url::parse(url) {
        Ok(parsed) => parsed,
        Err(error) => panic!("not the URL of a server: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_replaced_and_all_else_kept() {
        let proxy = "127.0.0.1:9".parse().unwrap();
        assert_eq!(through("redis://:pw@localhost/3", proxy), "redis://:pw@127.0.0.1:9/3");
        assert_eq!(
            through("postgres://u:p@[::1]:5432/db?sslmode=disable", proxy),
            "postgres://u:p@127.0.0.1:9/db?sslmode=disable"
        );
    }

    #[test]
    fn a_missing_port_is_the_engine_s_own() {
        assert_eq!(address_of("redis://127.0.0.1").port(), 6379);
        assert_eq!(address_of("postgres://[::1]/x"), "[::1]:5432".parse().unwrap());
    }

    #[test]
    fn credentials_are_read() {
        let read = credentials("postgres://a%40b:p+w%2Fd%26@h/x");
        assert_eq!(read, ("a@b".to_owned(), "p+w/d&".to_owned()));
    }

    #[test]
    fn a_database_name_is_replaced() {
        assert_eq!(with_database("postgres://u:p@h:1/postgres?a=b", "x"), "postgres://u:p@h:1/x?a=b");
    }
}
