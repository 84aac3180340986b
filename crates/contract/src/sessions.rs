//! What tiered sessions promise on any pair of tiers.

use std::{num::NonZeroUsize, sync::Arc, time::Duration};

use async_trait::async_trait;
use tollbar_core::{
    StoreError,
    domain::{SessionSet, Timestamp, TokenKey, UserId, Verifier, Version},
    ports::{AllClosed, Closed, Lookup, NewSession, SessionFacts, SessionStore},
    sessions::{Ended, SessionOptions, TieredSessions},
};

use crate::{TiersHarness, session_cache::CACHE_TTL, together};

const TTL: Duration = Duration::from_secs(1_800);
const MICRO: Duration = Duration::from_micros(1);

async fn login(process: &TieredSessions, user: UserId) -> String {
    process.open(user).await.unwrap().expect("the user exists").token.expose()
}

async fn lives(process: &TieredSessions, token: &str) -> bool {
    process.authenticate(token).await.unwrap().is_some()
}

/// How long a slow load takes: less than a lease is good for.
const SLOW: Duration = Duration::from_secs(1);

/// A store whose loads take their time.
struct SlowStore<H> {
    port: Arc<dyn SessionStore>,
    harness: Arc<H>,
}

#[async_trait]
impl<H: TiersHarness> SessionStore for SlowStore<H> {
    async fn load(&self, user: UserId, now: Timestamp) -> Result<Option<SessionSet>, StoreError> {
        let loaded = self.port.load(user, now).await;
        self.harness.pass(SLOW);
        loaded
    }

    async fn open(
        &self,
        user: UserId,
        session: NewSession,
        keep: NonZeroUsize,
        now: Timestamp,
    ) -> Result<Option<SessionSet>, StoreError> {
        self.port.open(user, session, keep, now).await
    }

    async fn close(
        &self,
        user: UserId,
        version: Version,
        verifier: &Verifier,
        now: Timestamp,
    ) -> Result<Option<Closed>, StoreError> {
        self.port.close(user, version, verifier, now).await
    }

    async fn count(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.port.count(now).await
    }

    async fn close_all(&self, user: UserId, now: Timestamp) -> Result<Option<AllClosed>, StoreError> {
        self.port.close_all(user, now).await
    }

    async fn list(&self, user: UserId, now: Timestamp) -> Result<Vec<SessionFacts>, StoreError> {
        self.port.list(user, now).await
    }
}

suite! {
    ($) sessions_suite, sessions, TiersHarness;

    /// A token authenticates its user, on every process, from the moment of the login's answer.
    async fn a_login_is_known_everywhere(harness) {
        let user = harness.user("ada").await;
        let (here, there) = (harness.process(), harness.process());
        let token = login(&here, user).await;
        assert_eq!(here.authenticate(&token).await.unwrap(), Some(user));
        assert_eq!(there.authenticate(&token).await.unwrap(), Some(user));
        assert!(here.open(UserId::new(987_654_321).unwrap()).await.unwrap().is_none(), "nobody cannot log in");
    }

    /// The old token is dead the moment the new login answers, on every process, however often it was cached.
    async fn the_old_token_is_dead_when_the_new_login_answers(harness) {
        let user = harness.user("ada").await;
        let (here, there) = (harness.process(), harness.process());
        let mut old = login(&here, user).await;
        for round in 0..20 {
            assert!(lives(&there, &old).await);
            let new = login(if round % 2 == 0 { &here } else { &there }, user).await;
            assert!(!lives(&here, &old).await && !lives(&there, &old).await, "round {round}");
            assert!(lives(&here, &new).await);
            old = new;
        }
    }

    /// A logout ends the session everywhere; a second one finds nothing.
    async fn a_logout_ends_the_session_everywhere(harness) {
        let user = harness.user("ada").await;
        let (here, there) = (harness.process(), harness.process());
        let token = login(&here, user).await;
        assert!(lives(&there, &token).await);
        assert!(here.close(&token).await.unwrap());
        assert!(!lives(&here, &token).await && !lives(&there, &token).await);
        assert!(!there.close(&token).await.unwrap());
        harness.evict(user).await;
        assert!(!lives(&there, &token).await, "not in the durable tier either");
    }

    /// The end of all of a user's sessions is the end of each of them everywhere, and of nobody else's.
    async fn an_end_of_all_ends_each_session_everywhere(harness) {
        let (user, other) = (harness.user("ada").await, harness.user("bob").await);
        let (here, there) = (harness.process_with_sessions(3), harness.process_with_sessions(3));
        let mut tokens = Vec::new();
        for process in [&here, &there, &here] {
            tokens.push(login(process, user).await);
        }
        let bystander = login(&here, other).await;
        for token in &tokens {
            assert!(lives(&here, token).await && lives(&there, token).await);
        }
        assert_eq!(here.close_all(user).await.unwrap(), Some(Ended { sessions: 3, confirmed: true }));
        for evicted in [false, true] {
            if evicted {
                harness.evict(user).await;
            }
            for token in &tokens {
                assert!(!lives(&here, token).await && !lives(&there, token).await, "evicted: {evicted}");
            }
        }
        assert!(lives(&there, &bystander).await);
        assert_eq!(there.close_all(user).await.unwrap(), Some(Ended { sessions: 0, confirmed: true }));
        assert_eq!(there.close_all(UserId::new(987_654_321).unwrap()).await.unwrap(), None);
        assert!(lives(&here, &login(&there, user).await).await, "a login after it is as good as any");
    }

    /// An old token's logout does not touch the session that came after.
    async fn an_old_tokens_logout_ends_nothing(harness) {
        let user = harness.user("ada").await;
        let process = harness.process();
        let (old, new) = (login(&process, user).await, login(&process, user).await);
        assert!(!process.close(&old).await.unwrap());
        assert!(lives(&process, &new).await);
    }

    /// Fifty who log in at once leave one live token, whether it is looked up in one tier or the other.
    async fn fifty_concurrent_logins_leave_one_live_token(harness) {
        let user = harness.user("ada").await;
        let processes: Vec<_> = (0..5).map(|_| Arc::new(harness.process())).collect();
        let tokens = together(50, |index| {
            let process = Arc::clone(&processes[index % 5]);
            async move { login(&process, user).await }
        })
        .await;
        for evicted in [false, true] {
            let mut live = 0;
            for token in &tokens {
                if evicted {
                    harness.evict(user).await;
                }
                live += usize::from(lives(&processes[0], token).await);
            }
            assert_eq!(live, 1, "evicted: {evicted}");
        }
    }

    /// Two hundred readers beside logins: each token that a reader finds dead stays dead, and one lives in the end.
    async fn readers_beside_logins_see_each_token_die_once(harness) {
        let user = harness.user("ada").await;
        let process = Arc::new(harness.process());
        let first = login(&process, user).await;
        let logins: Vec<Arc<TieredSessions>> = (0..10).map(|_| Arc::new(harness.process())).collect();
        let results = together(60, |index| {
            let (process, login_process) = (Arc::clone(&process), Arc::clone(&logins[index % 10]));
            let first = first.clone();
            async move {
                if index < 10 {
                    return Some(login(&login_process, user).await);
                }
                let mut dead = false;
                for _ in 0..20 {
                    let alive = lives(&process, &first).await;
                    assert!(!(alive && dead), "a dead token lives again");
                    dead = !alive;
                }
                None
            }
        })
        .await;
        assert!(!lives(&process, &first).await);
        let mut live = 0;
        for token in results.into_iter().flatten() {
            live += usize::from(lives(&process, &token).await);
        }
        assert_eq!(live, 1);
    }

    /// With room for three sessions, the oldest of four leaves, and a logout ends one.
    async fn a_user_may_have_several_sessions(harness) {
        let user = harness.user("ada").await;
        let process = harness.process_with_sessions(3);
        let mut tokens = Vec::new();
        for _ in 0..4 {
            tokens.push(login(&process, user).await);
        }
        let alive = async || {
            let mut alive = Vec::new();
            for token in &tokens {
                alive.push(lives(&process, token).await);
            }
            alive
        };
        assert_eq!(alive().await, [false, true, true, true]);
        assert!(process.close(&tokens[2]).await.unwrap());
        assert_eq!(alive().await, [false, true, false, true]);
    }

    /// A session expires at its time, wherever it is looked up and however often it is.
    async fn a_session_expires_at_its_time(harness) {
        let (ada, bob) = (harness.user("ada").await, harness.user("bob").await);
        let process = harness.process();
        let expected = harness.clock().now() + TTL;
        let opened = process.open(ada).await.unwrap().expect("the user exists");
        assert_eq!(opened.expires_at, expected);
        let (token, unused) = (opened.token.expose(), login(&process, bob).await);
        for _ in 0..59 {
            harness.pass(Duration::from_secs(30));
            assert!(lives(&process, &token).await);
        }
        harness.pass(Duration::from_secs(30).saturating_sub(MICRO));
        assert!(lives(&process, &token).await && lives(&process, &unused).await);
        harness.pass(MICRO);
        assert!(!lives(&process, &token).await, "cached");
        harness.evict(bob).await;
        assert!(!lives(&process, &unused).await, "loaded");
        assert!(!process.close(&token).await.unwrap(), "there is nothing left to end");
    }

    /// A set that is loaded slowly is believed no longer for it: its lifetime is counted from the look-up before the load.
    async fn a_slow_load_does_not_stretch_a_lifetime(harness) {
        let user = harness.user("ada").await;
        let token = login(&harness.process(), user).await;
        harness.evict(user).await;
        let harness = Arc::new(harness);
        let slow = Arc::new(SlowStore { port: harness.session_store(), harness: Arc::clone(&harness) });
        let (cache, key) = (harness.session_cache(), TokenKey::from_bytes([42; 32]));
        let process = TieredSessions::new(slow, cache, harness.clock(), key, SessionOptions::default());
        assert!(lives(&process, &token).await);
        let cached = async || matches!(harness.session_cache().lookup(user).await.unwrap(), Lookup::Hit { .. });
        harness.pass(CACHE_TTL.saturating_sub(SLOW).saturating_sub(MICRO));
        assert!(cached().await);
        harness.pass(MICRO);
        assert!(!cached().await);
    }

    /// An evicted entry costs a load and nothing else; the next look-up finds it cached.
    async fn an_evicted_entry_is_loaded_again(harness) {
        let user = harness.user("ada").await;
        let process = harness.process();
        let token = login(&process, user).await;
        for _ in 0..3 {
            harness.evict(user).await;
            assert!(lives(&process, &token).await);
            let cached = harness.session_cache().lookup(user).await.unwrap();
            assert!(matches!(cached, tollbar_core::ports::Lookup::Hit { .. }), "{cached:?}");
        }
    }

    /// A live tier that comes back without its last writes revives nothing.
    async fn a_rolled_back_live_tier_revives_nothing(shared) {
        drop(shared);
        let harness = H::start_restartable().await;
        let (ada, bob, eve) = (harness.user("ada").await, harness.user("bob").await, harness.user("eve").await);
        let process = harness.process();
        let (old, ended, kept) =
            (login(&process, ada).await, login(&process, bob).await, login(&process, eve).await);
        assert!(lives(&process, &old).await && lives(&process, &ended).await && lives(&process, &kept).await);
        harness.save().await;
        let new = login(&process, ada).await;
        assert!(process.close(&ended).await.unwrap());
        harness.roll_back().await;
        let process = harness.process();
        for _ in 0..2 {
            assert!(!lives(&process, &old).await && !lives(&process, &ended).await);
            assert!(lives(&process, &new).await && lives(&process, &kept).await);
        }
    }
}
