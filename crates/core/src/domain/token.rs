//! The split session token: what a client carries, and how it is made and recognised.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::{UserId, Verifier, Version};

/// What every token begins with, so that secret scanners can find a leak.
pub const TOKEN_PREFIX: &str = "tbs_";

const SECRET: usize = 32;
const SIGNED: usize = 8 + 8 + SECRET;
const TAG: usize = 16;
const TEXT: usize = TOKEN_PREFIX.len() + ((SIGNED + TAG) * 8).div_ceil(6);

/// 32 random bytes that only the client keeps. Wiped when dropped, never shown.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Secret([u8; SECRET]);

impl Secret {
    /// Takes 32 random bytes.
    pub fn from_bytes(bytes: [u8; SECRET]) -> Self {
        Self(bytes)
    }

    /// What a store keeps of the secret.
    pub fn verifier(&self) -> Verifier {
        Verifier::from_bytes(Sha256::digest(self.0).into())
    }
}

/// A session token whose seal has been checked: its user and version are what Tollbar once wrote.
///
/// The text form is `tbs_` and the canonical unpadded base64url (RFC 4648, section 5) of user id (u64), version (u64), both
/// big-endian, the secret (32 bytes), and the first 16 bytes of an HMAC-SHA-256 (RFC 2104) over them.
#[derive(Clone)]
pub struct SessionToken {
    user: UserId,
    version: Version,
    secret: Secret,
    tag: [u8; TAG],
}

/// The text is no token that was made under this key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a session token of this installation")]
pub struct ForgedToken;

/// The key that seals tokens; the durable tier keeps it. Wiped when dropped, never shown.
#[derive(Clone)]
pub struct TokenKey(Hmac<Sha256>);

impl TokenKey {
    /// Takes the 32 bytes that the durable tier keeps.
    pub fn from_bytes(mut bytes: [u8; 32]) -> Self {
        let mac = Hmac::new_from_slice(&bytes).expect("HMAC takes a key of any length");
        bytes.zeroize();
        Self(mac)
    }

    /// Makes the token of a session that has just been opened.
    pub fn issue(&self, user: UserId, version: Version, secret: Secret) -> SessionToken {
        let mac = self.mac(&signed_part(user, version, &secret)).finalize().into_bytes();
        let mut tag = [0; TAG];
        tag.copy_from_slice(&mac[..TAG]);
        SessionToken { user, version, secret, tag }
    }

    /// Recognises a token, without any look-up and in constant time.
    pub fn recognise(&self, text: &str) -> Result<SessionToken, ForgedToken> {
        // Longer text is refused before it is decoded.
        if text.len() != TEXT {
            return Err(ForgedToken);
        }
        let encoded = text.strip_prefix(TOKEN_PREFIX).ok_or(ForgedToken)?;
        let mut bytes = [0; SIGNED + TAG + 2];
        let length = URL_SAFE_NO_PAD.decode_slice(encoded, &mut bytes).map_err(|_| ForgedToken)?;
        let signed = &bytes[..SIGNED];
        let tag = bytes.get(SIGNED..length).ok_or(ForgedToken)?;
        self.mac(signed).verify_truncated_left(tag).map_err(|_| ForgedToken)?;
        let token = SessionToken {
            user: UserId::new(be_u64(&signed[..8])).map_err(|_| ForgedToken)?,
            version: Version::new(be_u64(&signed[8..16])),
            secret: Secret(signed[16..].try_into().map_err(|_| ForgedToken)?),
            tag: tag.try_into().map_err(|_| ForgedToken)?,
        };
        bytes.zeroize();
        Ok(token)
    }

    fn mac(&self, signed: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        mac.update(signed);
        mac
    }
}

fn be_u64(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |sum, byte| (sum << 8) | u64::from(*byte))
}

fn signed_part(user: UserId, version: Version, secret: &Secret) -> [u8; SIGNED] {
    let mut signed = [0; SIGNED];
    signed[..8].copy_from_slice(&user.get().to_be_bytes());
    signed[8..16].copy_from_slice(&version.get().to_be_bytes());
    signed[16..].copy_from_slice(&secret.0);
    signed
}

impl SessionToken {
    /// Whose session it names.
    pub fn user(&self) -> UserId {
        self.user
    }

    /// Which of the user's sessions it names.
    pub fn version(&self) -> Version {
        self.version
    }

    /// What a store must hold for the token to be of a live session.
    pub fn verifier(&self) -> Verifier {
        self.secret.verifier()
    }

    /// The seal: it names the token among all others and tells nothing of the secret, nor can a token be made of it.
    pub fn fingerprint(&self) -> [u8; TAG] {
        self.tag
    }

    /// The text form, for the client that it belongs to and nobody else.
    pub fn expose(&self) -> String {
        let mut bytes = [0; SIGNED + TAG];
        bytes[..SIGNED].copy_from_slice(&signed_part(self.user, self.version, &self.secret));
        bytes[SIGNED..].copy_from_slice(&self.tag);
        let mut text = String::with_capacity(TEXT);
        text.push_str(TOKEN_PREFIX);
        URL_SAFE_NO_PAD.encode_string(bytes, &mut text);
        bytes.zeroize();
        text
    }
}

impl fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionToken")
            .field("user", &self.user)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issued() -> (TokenKey, SessionToken) {
        let key = TokenKey::from_bytes([3; 32]);
        let token = key.issue(UserId::new(42).unwrap(), Version::new(9), Secret([5; 32]));
        (key, token)
    }

    #[test]
    fn comes_back_as_it_was_issued() {
        let (key, token) = issued();
        let text = token.expose();
        assert_eq!(text.len(), TEXT);
        let back = key.recognise(&text).unwrap();
        assert_eq!((back.user(), back.version()), (token.user(), token.version()));
        assert_eq!(back.verifier(), token.verifier());
        assert_eq!(back.expose(), text);
    }

    #[test]
    fn every_bent_character_is_refused() {
        let (key, token) = issued();
        let text = token.expose();
        for at in 0..text.len() {
            for other in ['A', 'B', '_', '-', '=', '0', '\u{e9}'] {
                let mut bent: Vec<char> = text.chars().collect();
                if bent[at] == other {
                    continue;
                }
                bent[at] = other;
                let bent: String = bent.into_iter().collect();
                assert_eq!(key.recognise(&bent).err(), Some(ForgedToken), "{bent}");
            }
        }
    }

    #[test]
    fn only_the_canonical_last_character_is_taken() {
        // The last character holds two bits of the tag; what follows them must be zero, whatever the tag.
        let key = TokenKey::from_bytes([3; 32]);
        let alphabet = ('A'..='Z').chain('a'..='z').chain('0'..='9').chain(['-', '_']);
        for version in 0..16 {
            let text = key.issue(UserId::new(42).unwrap(), Version::new(version), Secret([5; 32])).expose();
            let (body, last) = text.split_at(TEXT - 1);
            for other in alphabet.clone().filter(|other| !last.starts_with(*other)) {
                assert!(key.recognise(&format!("{body}{other}")).is_err(), "{last} {other}");
            }
        }
    }

    #[test]
    fn the_text_and_the_verifier_are_what_clients_and_stores_hold_already() {
        let (key, token) = issued();
        let text =
            "tbs_AAAAAAAAACoAAAAAAAAACQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFif4hhZBWlx1oFDXpLaCa9Q";
        assert_eq!(token.expose(), text);
        assert_eq!(key.recognise(text).unwrap().user(), token.user());
        let sha256 = [
            0xf8, 0x49, 0xd6, 0x73, 0x25, 0xfa, 0xcf, 0x04, 0x17, 0x7b, 0xc6, 0x63, 0xb2, 0xdc, 0x54, 0x40,
            0x51, 0x83, 0x1c, 0x58, 0x9e, 0xf5, 0x81, 0xd4, 0x12, 0xf2, 0xeb, 0xa4, 0x48, 0x34, 0xe7, 0x7c,
        ];
        assert_eq!(token.verifier().as_bytes(), &sha256, "SHA-256 of the secret");
    }

    #[test]
    fn other_lengths_and_other_keys_are_refused() {
        let (key, token) = issued();
        let text = token.expose();
        for bent in
            ["", TOKEN_PREFIX, &text[1..], &text[..text.len() - 1], &format!("{text}A"), &format!("{text}=")]
        {
            assert!(key.recognise(bent).is_err(), "{bent}");
        }
        assert!(TokenKey::from_bytes([4; 32]).recognise(&text).is_err());
    }

    #[test]
    fn a_fingerprint_is_of_one_token() {
        let (key, token) = issued();
        assert_eq!(token.fingerprint(), key.recognise(&token.expose()).unwrap().fingerprint());
        let of = |user, version, secret| {
            key.issue(UserId::new(user).unwrap(), Version::new(version), Secret([secret; 32])).fingerprint()
        };
        assert_eq!(token.fingerprint(), of(42, 9, 5));
        for other in [of(43, 9, 5), of(42, 8, 5), of(42, 9, 6)] {
            assert_ne!(token.fingerprint(), other);
        }
    }

    #[test]
    fn a_key_is_wiped_when_it_is_dropped() {
        // What is left of a key in an HMAC is the state of two hashes.
        fn is_wiped<T: ZeroizeOnDrop>() {}
        is_wiped::<Sha256>();
    }

    #[test]
    fn never_shows_its_secret() {
        let (key, token) = issued();
        let shown = format!("{key:?} {token:?} {:?} {:?}", token.secret, token.verifier());
        assert_eq!(
            shown,
            "TokenKey(…) SessionToken { user: UserId(42), version: Version(9), .. } Secret(…) Verifier(…)"
        );
    }
}
