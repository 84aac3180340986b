//! The accounts that clients act for, and the sessions that they know of.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fastrand::Rng;

use super::recorder::locked;
use crate::history::User;

/// How many sessions of an account are remembered.
const REMEMBERED: usize = 5;

/// A session's token, with what it says of itself.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) id: u64,
    pub(super) version: u64,
    pub(super) text: Arc<str>,
}

impl Token {
    /// Reads the account's number and the session's version out of the token: they are its first 16 bytes.
    pub(super) fn read(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix("tbs_")?).ok()?;
        let number = |at: usize| Some(u64::from_be_bytes(bytes.get(at..at + 8)?.try_into().ok()?));
        Some(Self { id: number(0)?, version: number(8)?, text: text.into() })
    }
}

/// One account.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) user: User,
    pub(super) name: String,
    /// Logs in and out seldom.
    pub(super) is_steady: bool,
    sessions: Mutex<Sessions>,
}

#[derive(Debug, Default)]
struct Sessions {
    /// By version, the lowest first.
    tokens: Vec<Token>,
    /// The highest version that is known to have ended.
    ended: u64,
}

impl Account {
    /// Remembers a session.
    pub(super) fn learn(&self, token: Token) {
        let mut sessions = locked(&self.sessions);
        let at = sessions.tokens.partition_point(|known| known.version < token.version);
        sessions.tokens.insert(at, token);
        if sessions.tokens.len() > REMEMBERED {
            sessions.tokens.remove(0);
        }
    }

    /// Remembers that a session has ended.
    pub(super) fn ended(&self, version: u64) {
        let mut sessions = locked(&self.sessions);
        sessions.ended = sessions.ended.max(version);
    }

    /// The latest session, if it is not known to have ended.
    pub(super) fn live(&self) -> Option<Token> {
        let sessions = locked(&self.sessions);
        sessions.tokens.last().filter(|token| token.version > sessions.ended).cloned()
    }

    /// Any session but the one that [`Self::live`] gives.
    pub(super) fn old(&self, rng: &mut Rng) -> Option<Token> {
        let sessions = locked(&self.sessions);
        let live = sessions.tokens.last().is_some_and(|token| token.version > sessions.ended);
        let old = sessions.tokens.len().saturating_sub(usize::from(live));
        // The one that ended last is the one that is most likely believed.
        (old > 0).then(|| sessions.tokens[old - 1 - rng.usize(..old).min(rng.usize(..old))].clone())
    }

    /// The last sessions, the latest first.
    pub(super) fn latest(&self, most: usize) -> Vec<Token> {
        locked(&self.sessions).tokens.iter().rev().take(most).cloned().collect()
    }
}

/// All accounts of a stage.
#[derive(Debug, Default)]
pub(super) struct People {
    /// How many accounts act at a time.
    most: usize,
    next: AtomicU32,
    active: Mutex<Vec<Arc<Account>>>,
    all: Mutex<Vec<Arc<Account>>>,
    ids: Mutex<Vec<Option<u64>>>,
}

impl People {
    /// Nobody yet; this many will act at a time.
    pub(super) fn new(most: usize) -> Self {
        Self { most, ..Self::default() }
    }

    /// An account that is to be signed up.
    pub(super) fn newcomer(&self, rng: &mut Rng) -> Account {
        let user = self.next.fetch_add(1, Ordering::Relaxed);
        let (name, is_steady) = (format!("user{user}"), rng.u8(..2) == 0);
        Account { user, name, is_steady, sessions: Mutex::default() }
    }

    /// Takes a signed-up account in. Where there are enough, another one becomes inactive.
    pub(super) fn welcome(&self, account: Account, rng: &mut Rng) -> Arc<Account> {
        let account = Arc::new(account);
        locked(&self.all).push(Arc::clone(&account));
        let mut active = locked(&self.active);
        if active.len() < self.most {
            active.push(Arc::clone(&account));
        } else {
            let place = rng.usize(..active.len());
            active[place] = Arc::clone(&account);
        }
        account
    }

    /// How many act.
    pub(super) fn active(&self) -> usize {
        locked(&self.active).len()
    }

    /// An active account; `None` where there is none yet.
    pub(super) fn any(&self, rng: &mut Rng) -> Option<Arc<Account>> {
        let active = locked(&self.active);
        (!active.is_empty()).then(|| Arc::clone(&active[rng.usize(..active.len())]))
    }

    /// All that were signed up.
    pub(super) fn all(&self) -> Vec<Arc<Account>> {
        locked(&self.all).clone()
    }

    /// Notes the number that a token tells of an account.
    pub(super) fn know(&self, user: User, id: u64) {
        let mut ids = locked(&self.ids);
        let at = user as usize;
        if ids.len() <= at {
            ids.resize(at + 1, None);
        }
        ids[at] = Some(id);
    }

    /// Tollbar's number of each account.
    pub(super) fn ids(&self) -> Vec<Option<u64>> {
        locked(&self.ids).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(version: u64) -> Token {
        Token { id: 7, version, text: "tbs_".into() }
    }

    #[test]
    fn a_token_tells_number_and_version() {
        let mut bytes = [0; 64];
        bytes[7] = 35;
        bytes[14..16].copy_from_slice(&[1, 2]);
        let token = Token::read(&format!("tbs_{}", URL_SAFE_NO_PAD.encode(bytes))).unwrap();
        assert_eq!((token.id, token.version), (35, 258));
        assert!(Token::read("tbs_AAAA").is_none() && Token::read("nothing").is_none());
    }

    #[test]
    fn the_latest_session_lives_until_it_is_known_to_have_ended() {
        let (people, mut rng) = (People::new(1), Rng::with_seed(1));
        let account = people.welcome(people.newcomer(&mut rng), &mut rng);
        assert!(account.live().is_none() && account.old(&mut rng).is_none());
        for version in [1, 5, 3] {
            account.learn(token(version));
        }
        assert_eq!(account.live().unwrap().version, 5);
        assert!((0..20).all(|_| account.old(&mut rng).unwrap().version < 5));
        account.ended(5);
        account.ended(1);
        assert!(account.live().is_none());
        assert!((0..50).any(|_| account.old(&mut rng).unwrap().version == 5));
        for version in 6..20 {
            account.learn(token(version));
        }
        assert_eq!(account.latest(2).iter().map(|token| token.version).collect::<Vec<_>>(), [19, 18]);
        people.know(3, 9);
        assert_eq!(people.ids(), [None, None, None, Some(9)]);
    }
}
