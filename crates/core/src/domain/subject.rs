//! Whom a limit is charged to.

use std::{fmt, net::IpAddr};

use sha2::{Digest, Sha256};

use super::UserId;

/// 128 bits that stand for a text: so long that no two texts of this world share them, and no way back to the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 16]);

impl Fingerprint {
    /// The fingerprint of a text of some kind; texts of different kinds share none.
    fn of(kind: &[u8], text: &[u8]) -> Self {
        // Without the zero, which no kind contains, a kind and its text could be cut elsewhere.
        let digest = Sha256::new().chain_update(kind).chain_update([0]).chain_update(text).finalize();
        Self(std::array::from_fn(|at| digest[at]))
    }

    /// The fingerprint of a path.
    pub fn of_path(path: &str) -> Self {
        Self::of(b"path", path.as_bytes())
    }

    /// The fingerprint of these bits.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bits.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// Who is charged: a user, or something that is known of a call before its user is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A user.
    User(UserId),
    /// A client's address, or a header such as an API key: not kept, only its fingerprint.
    Other(Fingerprint),
}

impl Subject {
    /// A client's address. IPv6 clients have a /64 at least to themselves (RFC 6177), so that is what counts.
    pub fn address(address: IpAddr) -> Self {
        let address = match address.to_canonical() {
            IpAddr::V4(address) => address.octets().to_vec(),
            IpAddr::V6(address) => address.octets()[..8].to_vec(),
        };
        Self::Other(Fingerprint::of(b"address", &address))
    }

    /// What a header says; calls without it are one subject.
    pub fn header(name: &str, value: Option<&[u8]>) -> Self {
        let mut kind = b"header ".to_vec();
        kind.extend(name.to_ascii_lowercase().bytes());
        kind.push(if value.is_some() { b'+' } else { b'-' });
        Self::Other(Fingerprint::of(&kind, value.unwrap_or_default()))
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(user) => write!(f, "user {user}"),
            // An address or a key is told apart from others by it, and does not stand in a log.
            Self::Other(fingerprint) => write!(f, "{:032x}", u128::from_be_bytes(fingerprint.0)),
        }
    }
}

impl From<UserId> for Subject {
    fn from(user: UserId) -> Self {
        Self::User(user)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Subject {
        Subject::address(text.parse().unwrap())
    }

    #[test]
    fn an_address_is_one_client_whatever_its_form() {
        assert_eq!(address("192.0.2.1"), address("::ffff:192.0.2.1"));
        assert_ne!(address("192.0.2.1"), address("192.0.2.2"));
        assert_eq!(address("2001:db8::1"), address("2001:db8::ffff:1"));
        assert_ne!(address("2001:db8::1"), address("2001:db8:0:1::1"));
    }

    #[test]
    fn headers_are_told_apart_by_name_value_and_absence() {
        let of = |name, value: Option<&str>| Subject::header(name, value.map(str::as_bytes));
        assert_eq!(of("X-Api-Key", Some("a")), of("x-api-key", Some("a")));
        let all = [
            of("a", Some("b")),
            of("a", Some("c")),
            of("c", Some("b")),
            of("a", Some("")),
            of("a", None),
            Subject::Other(Fingerprint::of_path("b")),
        ];
        for (at, one) in all.iter().enumerate() {
            assert!(all[at + 1..].iter().all(|other| other != one), "{at}");
        }
    }
}
