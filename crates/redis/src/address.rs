//! Where a server is: a host, by name or by number, and a port.

use std::fmt;

use url::{Host, Url};

/// A host and a port. An IPv6 address has no brackets here.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Address {
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl Address {
    /// The host of a URL, with its port or another.
    pub(crate) fn of_url(url: &Url, default_port: u16) -> Option<Self> {
        // Of a scheme that it does not know, the parser takes any host for a name, except for an IPv6 address.
        let host = match url.host()? {
            Host::Domain("") => return None,
            Host::Domain(name) => name.to_owned(),
            Host::Ipv4(address) => address.to_string(),
            Host::Ipv6(address) => address.to_string(),
        };
        Some(Self { host, port: url.port().unwrap_or(default_port) })
    }

    /// `HOST[:PORT]` as a person writes it, an IPv6 address in brackets.
    pub(crate) fn of_text(text: &str, default_port: u16) -> Option<Self> {
        let url = Url::parse(&format!("redis://{text}")).ok()?;
        let is_bare = url.username().is_empty()
            && url.password().is_none()
            && url.path().is_empty()
            && url.query().is_none()
            && url.fragment().is_none();
        if is_bare { Self::of_url(&url, default_port) } else { None }
    }

    /// `HOST:PORT` as an engine writes it: without brackets, and without a host where that is the one that was asked.
    pub(crate) fn of_engine(text: &str, asked: &str) -> Option<Self> {
        let (host, port) = text.rsplit_once(':')?;
        Self::announced(host, port.parse().ok()?, asked)
    }

    /// As an engine announces a server. `?` is a name that it does not know.
    pub(crate) fn announced(host: &str, port: u16, asked: &str) -> Option<Self> {
        let host = if host.is_empty() { asked } else { host };
        (host != "?" && port != 0).then(|| Self { host: host.to_owned(), port })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(address: Option<Address>) -> Option<String> {
        address.map(|address| address.to_string())
    }

    #[test]
    fn people_and_engines_write_addresses() {
        for (text, expected) in [
            ("h", Some("h:6379")),
            ("10.0.0.1:7000", Some("10.0.0.1:7000")),
            ("[::1]:7000", Some("[::1]:7000")),
            ("", None),
            (":7000", None),
            ("h:port", None),
            ("u:p@h", None),
            ("h/1", None),
            ("h?x=y", None),
        ] {
            assert_eq!(shown(Address::of_text(text, 6379)).as_deref(), expected, "{text}");
        }
        for (text, expected) in [
            ("10.0.0.1:7000", Some("10.0.0.1:7000")),
            ("::1:7000", Some("[::1]:7000")),
            (":7000", Some("asked:7000")),
            ("?:7000", None),
            ("h:0", None),
            ("h", None),
        ] {
            assert_eq!(shown(Address::of_engine(text, "asked")).as_deref(), expected, "{text}");
        }
    }
}
