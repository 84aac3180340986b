//! A request as it is to be decided: the client's own, wherever it is told of.

use std::net::IpAddr;

use crate::{Denial, Headers, TrustedProxies};

/// What a decision reads of a request, each part when it is needed.
#[derive(Debug, Clone)]
pub struct Incoming<'a, H: ?Sized> {
    method: &'a str,
    target: &'a [u8],
    headers: &'a H,
    /// Where `Host` does not say it.
    authority: Option<&'a str>,
    peer: Option<IpAddr>,
    trusted: Option<&'a TrustedProxies>,
}

impl<'a, H: Headers + ?Sized> Incoming<'a, H> {
    /// A request of this method and target, with or without a query.
    pub fn new(method: &'a str, target: &'a [u8], headers: &'a H) -> Self {
        Self { method, target, headers, authority: None, peer: None, trusted: None }
    }

    /// The same with the authority of its target, for where there is no `Host`, as in HTTP/2.
    #[must_use]
    pub fn with_authority(self, authority: Option<&'a str>) -> Self {
        Self { authority, ..self }
    }

    /// The same from this peer. Of one that is trusted, also client, host and scheme are as it says.
    #[must_use]
    pub fn from_peer(self, peer: Option<IpAddr>, trusted: &'a TrustedProxies) -> Self {
        Self { peer, trusted: Some(trusted), ..self }
    }

    /// `GET`, …
    pub fn method(&self) -> &'a str {
        self.method
    }

    /// The path, with or without a query.
    pub fn target(&self) -> &'a [u8] {
        self.target
    }

    /// Its headers.
    pub fn headers(&self) -> &'a H {
        self.headers
    }

    /// The host that the client asked for.
    pub fn host(&self) -> Option<&'a str> {
        let forwarded = self.is_forwarded().then(|| self.headers.text("x-forwarded-host")).flatten();
        forwarded.filter(|host| !host.is_empty()).or_else(|| self.headers.text("host")).or(self.authority)
    }

    /// `http` or `https`, where it is known.
    pub fn scheme(&self) -> Option<&'a str> {
        let forwarded = self.is_forwarded().then(|| self.headers.text("x-forwarded-proto")).flatten();
        forwarded.filter(|scheme| matches!(*scheme, "http" | "https"))
    }

    /// Where the client is.
    pub fn address(&self) -> Option<IpAddr> {
        let peer = self.peer?;
        Some(self.trusted.map_or(peer, |trusted| trusted.client(peer, self.headers)))
    }

    /// Whether what the peer says of the client is believed.
    fn is_forwarded(&self) -> bool {
        let peer = self.peer.zip(self.trusted);
        peer.is_some_and(|(peer, trusted)| trusted.contains(peer))
    }

    /// Of nginx' `auth_request`: method and target are those of `X-Original-Method` and `X-Original-URI`.
    ///
    /// # Errors
    /// The peer is not trusted, or does not say both.
    pub fn by_nginx(
        headers: &'a H,
        peer: Option<IpAddr>,
        trusted: &'a TrustedProxies,
    ) -> Result<Self, Denial> {
        Self::told("x-original-method", "x-original-uri", headers, peer, trusted)
    }

    /// Of Traefik's `ForwardAuth` and Caddy's `forward_auth`: method and target are those of `X-Forwarded-Method` and
    /// `X-Forwarded-Uri`.
    ///
    /// # Errors
    /// The peer is not trusted, or does not say both.
    pub fn by_forward_auth(
        headers: &'a H,
        peer: Option<IpAddr>,
        trusted: &'a TrustedProxies,
    ) -> Result<Self, Denial> {
        Self::told("x-forwarded-method", "x-forwarded-uri", headers, peer, trusted)
    }

    /// Of Envoy's `ext_authz` over HTTP: method and target are the request's own.
    ///
    /// # Errors
    /// The peer is not trusted.
    pub fn by_envoy(
        method: &'a str,
        target: &'a [u8],
        headers: &'a H,
        peer: Option<IpAddr>,
        trusted: &'a TrustedProxies,
    ) -> Result<Self, Denial> {
        let target = if target.is_empty() { b"/" } else { target };
        if !peer.is_some_and(|peer| trusted.contains(peer)) {
            return Err(Denial::Untrusted);
        }
        Ok(Self::new(method, target, headers).from_peer(peer, trusted))
    }

    fn told(
        method: &str,
        target: &str,
        headers: &'a H,
        peer: Option<IpAddr>,
        trusted: &'a TrustedProxies,
    ) -> Result<Self, Denial> {
        if !peer.is_some_and(|peer| trusted.contains(peer)) {
            return Err(Denial::Untrusted);
        }
        let is_method =
            |method: &&str| !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_graphic());
        let method = headers.text(method).filter(is_method).ok_or(Denial::Incomplete)?;
        let target = headers.one(target).filter(|target| target.first() == Some(&b'/'));
        Ok(Self::new(method, target.ok_or(Denial::Incomplete)?, headers).from_peer(peer, trusted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCAL: Option<IpAddr> = Some(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST));
    const FAR: Option<IpAddr> = Some(IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7)));

    const FORWARDED: &[(&str, &str)] = &[
        ("host", "inner"),
        ("x-forwarded-host", "outer"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-for", "198.51.100.1"),
        ("x-forwarded-method", "POST"),
        ("x-forwarded-uri", "/a?b"),
        ("x-original-method", "PUT"),
        ("x-original-uri", "/c"),
    ];

    #[test]
    fn what_is_forwarded_is_believed_of_the_trusted_only() {
        let trusted = TrustedProxies::default();
        let near = Incoming::new("GET", b"/", FORWARDED).from_peer(LOCAL, &trusted);
        assert_eq!((near.host(), near.scheme()), (Some("outer"), Some("https")));
        assert_eq!(near.address().unwrap().to_string(), "198.51.100.1");
        let far = Incoming::new("GET", b"/", FORWARDED).from_peer(FAR, &trusted);
        assert_eq!((far.host(), far.scheme(), far.address()), (Some("inner"), None, FAR));
        let nowhere = Incoming::new("GET", b"/", FORWARDED).from_peer(None, &trusted);
        assert_eq!((nowhere.host(), nowhere.address()), (Some("inner"), None));
    }

    #[test]
    fn each_proxy_tells_of_the_original_in_its_own_way() {
        let trusted = TrustedProxies::default();
        let nginx = Incoming::by_nginx(FORWARDED, LOCAL, &trusted).unwrap();
        assert_eq!((nginx.method(), nginx.target()), ("PUT", &b"/c"[..]));
        let caddy = Incoming::by_forward_auth(FORWARDED, LOCAL, &trusted).unwrap();
        assert_eq!((caddy.method(), caddy.target()), ("POST", &b"/a?b"[..]));
        let envoy = Incoming::by_envoy("DELETE", b"", FORWARDED, LOCAL, &trusted).unwrap();
        assert_eq!((envoy.method(), envoy.target(), envoy.host()), ("DELETE", &b"/"[..], Some("outer")));
        for peer in [FAR, None] {
            assert!(matches!(Incoming::by_nginx(FORWARDED, peer, &trusted), Err(Denial::Untrusted)));
            assert!(matches!(Incoming::by_forward_auth(FORWARDED, peer, &trusted), Err(Denial::Untrusted)));
            assert!(matches!(
                Incoming::by_envoy("GET", b"/", FORWARDED, peer, &trusted),
                Err(Denial::Untrusted)
            ));
        }
    }

    #[test]
    fn a_proxy_that_tells_half_is_refused() {
        let trusted = TrustedProxies::default();
        for bad in [
            &[("x-original-method", "GET")][..],
            &[("x-original-uri", "/")],
            &[("x-original-method", ""), ("x-original-uri", "/")],
            &[("x-original-method", "GET"), ("x-original-uri", "")],
            &[("x-original-method", "GET"), ("x-original-uri", "a")],
            &[("x-original-method", "GET"), ("x-original-method", "GET"), ("x-original-uri", "/")],
        ] {
            assert!(matches!(Incoming::by_nginx(bad, LOCAL, &trusted), Err(Denial::Incomplete)), "{bad:?}");
        }
    }
}
