//! The durable tier: a versioned set of sessions. A method is one transaction.

/// A version of the set; also the name of the session that it made.
pub(super) type Version = u8;

/// Sessions by the versions that made them, a bit each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Names(u16);

impl Names {
    pub(super) fn contains(self, session: Version) -> bool {
        self.0 & (1 << session) != 0
    }

    pub(super) fn insert(&mut self, session: Version) {
        self.0 |= 1 << session;
    }

    pub(super) fn remove(&mut self, session: Version) {
        self.0 &= !(1 << session);
    }

    fn count(self) -> u32 {
        self.0.count_ones()
    }

    /// Oldest first.
    pub(super) fn iter(self) -> impl Iterator<Item = Version> {
        (0..16).filter(move |session| self.contains(*session))
    }
}

/// All sessions of the user at one version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Set {
    pub(super) version: Version,
    pub(super) sessions: Names,
}

/// What a set says of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Check {
    Live,
    Dead,
    /// The token is of a later version than the set.
    Newer,
}

impl Set {
    /// The user's first session, from before the run.
    pub(super) fn first() -> Self {
        let mut set = Self { version: 0, sessions: Names::default() };
        set.open(1);
        set
    }

    pub(super) fn check(self, token: Version) -> Check {
        match self.sessions.contains(token) {
            true => Check::Live,
            false if token > self.version => Check::Newer,
            false => Check::Dead,
        }
    }

    /// A login: raises the version; the oldest sessions beyond the bound leave.
    pub(super) fn open(&mut self, max_per_user: u32) {
        self.version += 1;
        self.sessions.insert(self.version);
        while self.sessions.count() > max_per_user {
            let Some(oldest) = self.sessions.iter().next() else { return };
            self.sessions.remove(oldest);
        }
    }

    /// A logout: raises the version only if there is such a session. Whether there was.
    pub(super) fn close(&mut self, session: Version) -> bool {
        let was_live = self.sessions.contains(session);
        if was_live {
            self.version += 1;
            self.sessions.remove(session);
        }
        was_live
    }
}
