//! Where a client is: the other end of the connection, or what proxies that are trusted say of it.

use std::net::{IpAddr, SocketAddr};

use ipnet::{IpNet, Ipv4Net};

use crate::Headers;

/// The addresses whose `X-Forwarded-*` and `X-Original-*` are believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

impl Default for TrustedProxies {
    /// Loopback.
    fn default() -> Self {
        let loopback =
            ["127.0.0.0/8", "::1/128"].map(|net| net.parse().expect("a constant that is a network"));
        Self(loopback.to_vec())
    }
}

impl TrustedProxies {
    /// Those in these networks; each is an address or an address with the length of its prefix (`10.0.0.0/8`). The error is the one
    /// that is none.
    pub fn new<'a>(networks: impl IntoIterator<Item = &'a str>) -> Result<Self, &'a str> {
        let network = |text: &'a str| {
            let network = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
            network.map(canonical).map_err(|_| text)
        };
        networks.into_iter().map(network).collect::<Result<_, _>>().map(Self)
    }

    /// Whether this is one of them.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|net| net.contains(&address))
    }

    /// Where the client is. Each trusted proxy adds at the end of `X-Forwarded-For` whom it heard, so the last that is not trusted is
    /// the client; what stands before it is hearsay.
    pub(crate) fn client(&self, peer: IpAddr, headers: &(impl Headers + ?Sized)) -> IpAddr {
        let mut client = peer.to_canonical();
        let lines: Vec<&[u8]> = headers.all("x-forwarded-for").collect();
        let mut entries = lines.iter().rev().flat_map(|line| line.rsplit(|byte| *byte == b','));
        while self.contains(client) {
            let Some(next) = entries.next().and_then(address) else { break };
            client = next.to_canonical();
        }
        client
    }
}

/// A network of IPv4 addresses as such, also where they are written as IPv6: addresses are compared in that form.
fn canonical(network: IpNet) -> IpNet {
    let IpNet::V6(v6) = network else { return network };
    let prefix = v6.prefix_len().checked_sub(96);
    let v4 = v6.addr().to_ipv4_mapped().zip(prefix).and_then(|(v4, prefix)| Ipv4Net::new(v4, prefix).ok());
    v4.map_or(network, IpNet::V4)
}

/// An address, perhaps with a port, as proxies write it.
fn address(entry: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(entry).ok()?.trim();
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().ok();
    address.or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(trusted: &[&'static str], peer: &str, lines: &[&'static str]) -> String {
        let headers: Vec<_> = lines.iter().map(|line| ("x-forwarded-for", *line)).collect();
        let trusted = TrustedProxies::new(trusted.iter().copied()).unwrap();
        trusted.client(peer.parse().unwrap(), &headers[..]).to_string()
    }

    #[test]
    fn the_last_that_is_not_trusted_is_the_client() {
        let trusted = &["10.0.0.0/8", "::1"];
        for (peer, lines, expected) in [
            ("192.0.2.9", &["198.51.100.1"][..], "192.0.2.9"),
            ("10.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &["203.0.113.5, 198.51.100.1, 10.0.0.2"], "198.51.100.1"),
            ("10.0.0.1", &["203.0.113.5", "198.51.100.1 , 10.0.0.2"], "198.51.100.1"),
            ("::ffff:10.0.0.1", &["198.51.100.1:4711"], "198.51.100.1"),
            ("::1", &["[2001:db8::1]:80"], "2001:db8::1"),
            ("::1", &["[2001:db8::1]"], "2001:db8::1"),
            ("10.0.0.1", &["203.0.113.5, unknown"], "10.0.0.1"),
            ("10.0.0.1", &["unknown, 10.0.0.3"], "10.0.0.3"),
            ("10.0.0.1", &[""], "10.0.0.1"),
            ("10.0.0.1", &[], "10.0.0.1"),
        ] {
            assert_eq!(client(trusted, peer, lines), expected, "{peer} {lines:?}");
        }
    }

    #[test]
    fn loopback_is_trusted_by_default_and_nonsense_is_none() {
        let default = TrustedProxies::default();
        assert!(
            ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"]
                .iter()
                .all(|ip| default.contains(ip.parse().unwrap()))
        );
        assert!(!default.contains("10.0.0.1".parse().unwrap()));
        assert_eq!(TrustedProxies::new(["10.0.0.1", "10.0.0.0/33"]), Err("10.0.0.0/33"));
        let mapped = TrustedProxies::new(["::ffff:10.0.0.0/104", "::ffff:192.0.2.1"]).unwrap();
        assert!(
            mapped.contains("10.9.9.9".parse().unwrap())
                && mapped.contains("::ffff:192.0.2.1".parse().unwrap())
        );
        assert!(!TrustedProxies::new([]).unwrap().contains("127.0.0.1".parse().unwrap()));
    }
}
