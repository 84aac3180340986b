//! What a [`SessionStore`] promises.

use std::{collections::HashSet, num::NonZeroUsize, sync::Arc, time::Duration};

use tollbar_core::{
    domain::{SessionSet, Timestamp, UserId, Verifier, Version},
    ports::{AllClosed, NewSession, SessionFacts, SessionStore},
};

use crate::{SessionStoreHarness, together, user_repo::someone};

const TTL: Duration = Duration::from_secs(1_800);

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_micros((1_700_000_000 + seconds) * 1_000_000 + 123_456)
}

fn verifier(byte: u8) -> Verifier {
    Verifier::from_bytes([byte; 32])
}

async fn open(
    store: &Arc<dyn SessionStore>,
    user: UserId,
    byte: u8,
    keep: usize,
    now: Timestamp,
) -> SessionSet {
    let session = NewSession { verifier: verifier(byte), ttl: TTL };
    let keep = NonZeroUsize::new(keep).expect("cases keep a session at least");
    store.open(user, session, keep, now).await.unwrap().expect("the user exists")
}

fn versions(set: &SessionSet) -> Vec<u64> {
    set.sessions.iter().map(|session| session.version.get()).collect()
}

suite! {
    ($) session_store_suite, session_store, SessionStoreHarness;

    /// Before the first login the version is 0 and the set empty.
    async fn a_new_user_has_version_zero_and_no_session(harness) {
        let user = someone(&harness, "ada").await;
        let set = harness.session_store().load(user, at(0)).await.unwrap();
        assert_eq!(set, Some(SessionSet::default()));
    }

    /// `None` means that there is no such user, for every method.
    async fn an_unknown_user_is_none(harness) {
        someone(&harness, "ada").await;
        let (store, nobody) = (harness.session_store(), UserId::new(987_654_321).unwrap());
        assert_eq!(store.load(nobody, at(0)).await.unwrap(), None);
        let session = NewSession { verifier: verifier(1), ttl: TTL };
        assert_eq!(store.open(nobody, session, NonZeroUsize::MIN, at(0)).await.unwrap(), None);
        assert_eq!(store.close(nobody, Version::new(1), &verifier(1), at(0)).await.unwrap(), None);
    }

    /// An opening raises the version by one, and the new version names the session.
    async fn an_opening_raises_the_version_and_names_the_session(harness) {
        let (store, user) = (harness.session_store(), someone(&harness, "ada").await);
        for expected in 1..=3 {
            let byte = u8::try_from(expected).unwrap();
            let set = open(&store, user, byte, 1, at(expected)).await;
            assert_eq!((set.version, versions(&set)), (Version::new(expected), vec![expected]));
            assert_eq!((set.sessions[0].verifier, set.sessions[0].remaining), (verifier(byte), TTL));
            assert_eq!(store.load(user, at(expected)).await.unwrap(), Some(set));
        }
    }

    /// The oldest sessions leave, and the rest stands oldest first.
    async fn the_oldest_sessions_beyond_the_bound_leave(harness) {
        let (store, user) = (harness.session_store(), someone(&harness, "ada").await);
        for byte in 1..=5 {
            open(&store, user, byte, 3, at(0)).await;
        }
        assert_eq!(versions(&store.load(user, at(0)).await.unwrap().unwrap()), [3, 4, 5]);
        assert_eq!(versions(&open(&store, user, 6, 1, at(0)).await), [6], "a lowered bound acts at once");
    }

    /// A closing ends one session and raises the version.
    async fn a_closing_ends_this_session_only(harness) {
        let (store, user) = (harness.session_store(), someone(&harness, "ada").await);
        for byte in 1..=3 {
            open(&store, user, byte, 5, at(0)).await;
        }
        let closed = store.close(user, Version::new(2), &verifier(2), at(1)).await.unwrap().unwrap();
        assert!(closed.was_live);
        assert_eq!((closed.set.version, versions(&closed.set)), (Version::new(4), vec![1, 3]));
        assert_eq!(store.load(user, at(1)).await.unwrap(), Some(closed.set));
    }

    /// A closing that finds nothing changes nothing and says how the set stands.
    async fn a_closing_that_finds_nothing_changes_nothing(harness) {
        let (store, user) = (harness.session_store(), someone(&harness, "ada").await);
        let set = open(&store, user, 1, 5, at(0)).await;
        let expired = at(0) + TTL;
        for (version, byte, now) in [(1, 2, at(0)), (2, 1, at(0)), (0, 1, at(0)), (1, 1, expired)] {
            let closed = store.close(user, Version::new(version), &verifier(byte), now).await.unwrap().unwrap();
            assert!(!closed.was_live, "version {version}, verifier {byte}");
            assert_eq!(closed.set.version, set.version);
        }
        assert_eq!(store.load(user, at(0)).await.unwrap(), Some(set));
    }

    /// Closing twice finds the session once.
    async fn a_second_closing_finds_nothing(harness) {
        let (store, user) = (harness.session_store(), someone(&harness, "ada").await);
        open(&store, user, 1, 1, at(0)).await;
        let close = async || store.close(user, Version::new(1), &verifier(1), at(1)).await.unwrap().unwrap();
        let (first, second) = (close().await, close().await);
        assert!(first.was_live && !second.was_live);
        assert_eq!(first.set, second.set);
        assert_eq!(first.set, SessionSet { version: Version::new(2), sessions: vec![] });
    }

    /// Expiry is absolute, to the microsecond, and is no change of the set.
    async fn sessions_expire_without_a_new_version(harness) {
        let (store, user) = (harness.session_store(), someone(&harness, "ada").await);
        open(&store, user, 1, 5, at(0)).await;
        open(&store, user, 2, 5, at(60)).await;
        let micro = Duration::from_micros(1);
        let just_before = Timestamp::from_micros((at(0) + TTL).as_micros() - 1);
        let set = store.load(user, just_before).await.unwrap().unwrap();
        assert_eq!(set.sessions.iter().map(|s| s.remaining).collect::<Vec<_>>(), [micro, Duration::from_secs(60) + micro]);
        let set = store.load(user, at(0) + TTL).await.unwrap().unwrap();
        assert_eq!((set.version, versions(&set)), (Version::new(2), vec![2]));
    }

    /// Expired sessions take no place of live ones.
    async fn expired_sessions_do_not_count_towards_the_bound(harness) {
        let (store, user) = (harness.session_store(), someone(&harness, "ada").await);
        open(&store, user, 1, 3, at(0)).await;
        let later = at(0) + TTL;
        for byte in 2..=4 {
            open(&store, user, byte, 3, later).await;
        }
        assert_eq!(versions(&store.load(user, later).await.unwrap().unwrap()), [2, 3, 4]);
    }

    /// An expired session takes no place of an older one that lives longer.
    async fn an_expired_session_takes_no_place_of_an_older_one(harness) {
        let (store, user) = (harness.session_store(), someone(&harness, "ada").await);
        let keep = NonZeroUsize::new(2).unwrap();
        for (byte, ttl, now) in [(1, TTL, 0), (2, TTL / 2, 0), (3, TTL, TTL.as_secs() / 2)] {
            let session = NewSession { verifier: verifier(byte), ttl };
            store.open(user, session, keep, at(now)).await.unwrap().unwrap();
        }
        assert_eq!(versions(&store.load(user, at(TTL.as_secs() / 2)).await.unwrap().unwrap()), [1, 3]);
    }

    /// Fifty who log in at once leave one session, and each was given a version of its own.
    async fn fifty_concurrent_openings_leave_one_session(harness) {
        let (store, user) = (harness.session_store(), someone(&harness, "ada").await);
        let sets = together(50, |index| {
            let store = store.clone();
            async move { open(&store, user, u8::try_from(index).unwrap_or(0), 1, at(0)).await }
        })
        .await;
        let given: HashSet<u64> = sets.iter().map(|set| set.version.get()).collect();
        assert_eq!(given, (1..=50).collect());
        assert!(sets.iter().all(|set| versions(set) == [set.version.get()]));
        assert_eq!(versions(&store.load(user, at(0)).await.unwrap().unwrap()), [50]);
    }

    /// Whoever loads beside openings sees one state or the next: version and sessions are read in one statement.
    async fn loads_beside_openings_see_whole_sets(harness) {
        let (store, user) = (harness.session_store(), someone(&harness, "ada").await);
        let seen = together(12, |index| {
            let store = store.clone();
            async move {
                let mut seen = Vec::new();
                // Loads are quicker, and must not be over before the openings are.
                for step in 0..if index < 2 { 200 } else { 800 } {
                    if index < 2 {
                        open(&store, user, u8::try_from(step).unwrap(), 1, at(0)).await;
                    } else {
                        seen.push(store.load(user, at(0)).await.unwrap().unwrap());
                    }
                }
                seen
            }
        })
        .await;
        for set in seen.into_iter().flatten().filter(|set| set.version > Version::default()) {
            assert_eq!(versions(&set), [set.version.get()], "half of a change was read");
        }
    }

    /// Of many who end one session at once, one finds it, and the version rises once.
    async fn twenty_concurrent_closings_find_the_session_once(harness) {
        let (store, user) = (harness.session_store(), someone(&harness, "ada").await);
        open(&store, user, 1, 1, at(0)).await;
        together(20, |_| {
            let store = store.clone();
            // Whoever has no connection yet makes one, so that the closings really meet.
            async move { store.load(user, at(0)).await.unwrap() }
        })
        .await;
        let closed = together(20, |_| {
            let store = store.clone();
            async move { store.close(user, Version::new(1), &verifier(1), at(1)).await.unwrap().unwrap() }
        })
        .await;
        assert_eq!(closed.iter().filter(|closed| closed.was_live).count(), 1);
        assert!(closed.iter().all(|closed| closed.set.version == Version::new(2)), "{closed:?}");
    }

    /// A closing of all ends every session by one change; a second one finds nothing and changes nothing.
    async fn a_closing_of_all_ends_every_session_by_one_change(harness) {
        let (store, user) = (harness.session_store(), someone(&harness, "ada").await);
        let (other, nobody) = (someone(&harness, "bob").await, UserId::new(987_654_321).unwrap());
        open(&store, other, 9, 1, at(0)).await;
        assert_eq!(store.close_all(user, at(0)).await.unwrap(), Some(AllClosed { ended: 0, set: SessionSet::default() }));
        for byte in 1..=3 {
            open(&store, user, byte, 5, at(u64::from(byte) * 600)).await;
        }
        // The first has expired by then.
        let now = at(600) + TTL;
        for ended in [2, 0] {
            let set = SessionSet { version: Version::new(4), sessions: vec![] };
            assert_eq!(store.close_all(user, now).await.unwrap(), Some(AllClosed { ended, set: set.clone() }));
            assert_eq!(store.load(user, at(0)).await.unwrap(), Some(set));
        }
        assert_eq!(versions(&store.load(other, at(0)).await.unwrap().unwrap()), [1]);
        assert_eq!(store.close_all(nobody, now).await.unwrap(), None);
        assert_eq!(versions(&open(&store, user, 4, 5, now).await), [5]);
    }

    /// Closings of all and openings at once leave what the last of them left.
    async fn closings_of_all_beside_openings_leave_whole_sets(harness) {
        let (store, user) = (harness.session_store(), someone(&harness, "ada").await);
        let changes = together(40, |index| {
            let store = store.clone();
            async move {
                if index % 2 == 0 {
                    let set = open(&store, user, 1, 50, at(0)).await;
                    (set.version, versions(&set))
                } else {
                    let closed = store.close_all(user, at(0)).await.unwrap().unwrap();
                    (closed.set.version, versions(&closed.set))
                }
            }
        })
        .await;
        let set = store.load(user, at(0)).await.unwrap().unwrap();
        let last = changes.iter().max().expect("there were changes");
        assert_eq!((set.version, versions(&set)), *last);
    }

    /// The list tells of the sessions that live, when each was opened and when it ends.
    async fn a_list_tells_when_sessions_were_opened_and_when_they_end(harness) {
        let (store, user) = (harness.session_store(), someone(&harness, "ada").await);
        assert_eq!(store.list(user, at(0)).await.unwrap(), []);
        for byte in 1..=2 {
            open(&store, user, byte, 5, at(u64::from(byte))).await;
        }
        let facts = |version| SessionFacts {
            version: Version::new(version),
            opened_at: Some(at(version)),
            expires_at: at(version) + TTL,
        };
        assert_eq!(store.list(user, at(2)).await.unwrap(), [facts(1), facts(2)]);
        assert_eq!(store.list(user, at(1) + TTL).await.unwrap(), [facts(2)]);
        assert_eq!(store.list(someone(&harness, "bob").await, at(2)).await.unwrap(), []);
        assert_eq!(store.list(UserId::new(987_654_321).unwrap(), at(2)).await.unwrap(), []);
    }

    /// Users do not see each other's sessions.
    async fn users_are_kept_apart(harness) {
        let store = harness.session_store();
        let (ada, bob) = (someone(&harness, "ada").await, someone(&harness, "bob").await);
        open(&store, ada, 1, 1, at(0)).await;
        assert_eq!(store.load(bob, at(0)).await.unwrap(), Some(SessionSet::default()));
        let closed = store.close(bob, Version::new(1), &verifier(1), at(0)).await.unwrap().unwrap();
        assert!(!closed.was_live);
        assert_eq!(versions(&store.load(ada, at(0)).await.unwrap().unwrap()), [1]);
    }

    /// Those that have time left are counted, of all users, and neither what has expired nor what was ended.
    async fn live_sessions_of_all_users_are_counted(harness) {
        let store = harness.session_store();
        assert_eq!(store.count(at(0)).await.unwrap(), 0);
        let (ada, bob) = (someone(&harness, "ada").await, someone(&harness, "bob").await);
        open(&store, ada, 1, 2, at(0)).await;
        open(&store, ada, 2, 2, at(10)).await;
        open(&store, bob, 3, 2, at(20)).await;
        assert_eq!(store.count(at(20)).await.unwrap(), 3);
        store.close(bob, Version::new(1), &verifier(3), at(20)).await.unwrap();
        assert_eq!(store.count(at(20)).await.unwrap(), 2);
        assert_eq!(store.count(at(TTL.as_secs())).await.unwrap(), 1, "the first has no time left");
        assert_eq!(store.count(at(10 + TTL.as_secs())).await.unwrap(), 0);
    }
}
