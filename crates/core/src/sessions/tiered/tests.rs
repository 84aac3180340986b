//! What the tiered sessions ask of their ports, step by step. Their promises are tested on real tiers by `tollbar-contract`.

use std::sync::{OnceLock, Weak};

use mockall::Sequence;

use super::*;
use crate::{
    domain::{Session, Version},
    ports::{Closed, LeaseNonce, ManualClock, MockSessionCache, MockSessionStore, Published},
};

const USER: u64 = 7;

fn user() -> UserId {
    UserId::new(USER).unwrap()
}

fn key() -> TokenKey {
    TokenKey::from_bytes([1; 32])
}

fn token(version: u64) -> SessionToken {
    key().issue(user(), Version::new(version), Secret::from_bytes([9; 32]))
}

fn set(version: u64) -> SessionSet {
    let verifier = token(version).verifier();
    let session = Session { version: Version::new(version), verifier, remaining: Duration::from_secs(60) };
    SessionSet { version: Version::new(version), sessions: vec![session] }
}

fn ticket(lease: Option<u64>) -> Ticket {
    Ticket { at: Timestamp::from_micros(1), lease: lease.map(LeaseNonce) }
}

fn down() -> StoreError {
    StoreError::transient("test", "down")
}

fn sessions(store: MockSessionStore, cache: MockSessionCache, outage: OnCacheOutage) -> TieredSessions {
    let options = SessionOptions { on_cache_outage: outage, ..SessionOptions::default() };
    TieredSessions::new(Arc::new(store), Arc::new(cache), Arc::new(ManualClock::new()), key(), options)
}

#[tokio::test]
async fn a_login_announces_commits_and_publishes_in_this_order() {
    let (mut store, mut cache, mut order) =
        (MockSessionStore::new(), MockSessionCache::new(), Sequence::new());
    cache.expect_change().once().in_sequence(&mut order).returning(|_| Ok(ticket(Some(5))));
    store.expect_open().once().in_sequence(&mut order).returning(|_, _, _, _| Ok(Some(set(3))));
    cache
        .expect_publish()
        .once()
        .in_sequence(&mut order)
        .withf(|_, published, shown| *published == set(3) && *shown == ticket(Some(5)))
        .returning(|_, _, _| Ok(Published::Written));
    let opened = sessions(store, cache, OnCacheOutage::Refuse).open(user()).await.unwrap().unwrap();
    assert_eq!(opened.token.version(), Version::new(3));
}

#[tokio::test]
async fn an_end_of_all_announces_commits_and_publishes_in_this_order_and_says_whether_all_know() {
    for (outage, published, confirmed) in [
        (OnCacheOutage::Refuse, true, Some(true)),
        (OnCacheOutage::Refuse, false, None),
        (OnCacheOutage::Serve, false, Some(false)),
    ] {
        let (mut store, mut cache, mut order) =
            (MockSessionStore::new(), MockSessionCache::new(), Sequence::new());
        cache.expect_change().once().in_sequence(&mut order).returning(|_| Ok(ticket(Some(5))));
        let closed = AllClosed { ended: 2, set: SessionSet { version: Version::new(4), sessions: vec![] } };
        let (answer, set) = (closed.clone(), closed.set);
        store.expect_close_all().once().in_sequence(&mut order).return_once(move |_, _| Ok(Some(answer)));
        cache
            .expect_publish()
            .once()
            .in_sequence(&mut order)
            .withf(move |_, published, shown| *published == set && *shown == ticket(Some(5)))
            .returning(move |_, _, _| if published { Ok(Published::Written) } else { Err(down()) });
        cache.expect_lookup().returning(|_| Err(down()));
        let sessions = sessions(store, cache, outage);
        let ended = sessions.close_all(user()).await;
        match confirmed {
            Some(confirmed) => {
                assert_eq!(ended.unwrap(), Some(Ended { sessions: 2, confirmed }));
            }
            None => assert!(ended.is_err()),
        }
        // Also where it failed: an answer that rests on a session is not repeated.
        assert_eq!(sessions.changes(user()), 1);
    }
}

#[tokio::test]
async fn a_hit_asks_nobody_else() {
    let mut cache = MockSessionCache::new();
    cache.expect_lookup().times(2).returning(|_| Ok(Lookup::Hit { set: set(2), ticket: ticket(None) }));
    let sessions = sessions(MockSessionStore::new(), cache, OnCacheOutage::Serve);
    assert_eq!(sessions.authenticate(&token(2).expose()).await.unwrap(), Some(user()));
    assert_eq!(sessions.authenticate(&token(1).expose()).await.unwrap(), None);
}

#[tokio::test]
async fn a_forged_token_asks_nobody_at_all() {
    let sessions = sessions(MockSessionStore::new(), MockSessionCache::new(), OnCacheOutage::Serve);
    let forged = TokenKey::from_bytes([2; 32]).issue(user(), Version::new(1), Secret::from_bytes([9; 32]));
    assert_eq!(sessions.authenticate(&forged.expose()).await.unwrap(), None);
    assert!(!sessions.close("tbs_nonsense").await.unwrap());
}

#[tokio::test]
async fn a_miss_fills_only_with_a_lease() {
    for (lease, fills) in [(Some(1), 1), (None, 0)] {
        let (mut store, mut cache) = (MockSessionStore::new(), MockSessionCache::new());
        cache.expect_lookup().return_once(move |_| Ok(Lookup::Miss { ticket: ticket(lease) }));
        cache
            .expect_publish()
            .times(fills)
            .withf(move |_, published, shown| *published == set(2) && *shown == ticket(lease))
            .returning(|_, _, _| Ok(Published::Written));
        store.expect_load().return_once(|_, _| Ok(Some(set(2))));
        let sessions = sessions(store, cache, OnCacheOutage::Serve);
        assert_eq!(sessions.authenticate(&token(2).expose()).await.unwrap(), Some(user()));
    }
}

#[tokio::test]
async fn a_token_later_than_the_entry_is_asked_of_the_durable_tier_and_published() {
    let (mut store, mut cache) = (MockSessionStore::new(), MockSessionCache::new());
    cache.expect_lookup().return_once(|_| Ok(Lookup::Hit { set: set(1), ticket: ticket(None) }));
    cache.expect_publish().once().returning(|_, _, _| Ok(Published::Written));
    store.expect_load().return_once(|_, _| Ok(Some(set(2))));
    let sessions = sessions(store, cache, OnCacheOutage::Serve);
    assert_eq!(sessions.authenticate(&token(2).expose()).await.unwrap(), Some(user()));
}

#[tokio::test]
async fn with_the_cache_down_sessions_come_from_the_durable_tier() {
    let (mut store, mut cache) = (MockSessionStore::new(), MockSessionCache::new());
    cache.expect_lookup().returning(|_| Err(down()));
    cache.expect_change().returning(|_| Err(down()));
    store.expect_load().returning(|_, _| Ok(Some(set(2))));
    store.expect_open().returning(|_, _, _, _| Ok(Some(set(3))));
    let sessions = sessions(store, cache, OnCacheOutage::Serve);
    assert_eq!(sessions.authenticate(&token(2).expose()).await.unwrap(), Some(user()));
    assert!(sessions.open(user()).await.unwrap().is_some());
}

#[tokio::test]
async fn refuse_stops_a_change_before_it_is_made() {
    let mut cache = MockSessionCache::new();
    cache.expect_change().returning(|_| Err(down()));
    let sessions = sessions(MockSessionStore::new(), cache, OnCacheOutage::Refuse);
    assert!(sessions.open(user()).await.unwrap_err().is_transient());
}

#[tokio::test]
async fn a_change_that_could_not_be_announced_ends_the_lease_of_a_reader_all_the_same() {
    let (mut store, mut cache) = (MockSessionStore::new(), MockSessionCache::new());
    cache.expect_change().return_once(|_| Err(down()));
    cache.expect_lookup().return_once(|_| Ok(Lookup::Miss { ticket: ticket(None) }));
    cache.expect_publish().once().returning(|_, _, _| Ok(Published::Refused));
    store.expect_open().return_once(|_, _, _, _| Ok(Some(set(3))));
    store.expect_load().return_once(|_, _| Ok(Some(set(3))));
    assert!(sessions(store, cache, OnCacheOutage::Serve).open(user()).await.unwrap().is_some());
}

#[tokio::test]
async fn a_logout_that_finds_nothing_publishes_what_it_finds() {
    let (mut store, mut cache) = (MockSessionStore::new(), MockSessionCache::new());
    cache.expect_change().return_once(|_| Ok(ticket(Some(5))));
    store.expect_close().return_once(|_, _, _, _| Ok(Some(Closed { was_live: false, set: set(4) })));
    cache
        .expect_publish()
        .once()
        .withf(|_, published, _| *published == set(4))
        .returning(|_, _, _| Ok(Published::Written));
    assert!(!sessions(store, cache, OnCacheOutage::Serve).close(&token(2).expose()).await.unwrap());
}

#[tokio::test]
async fn a_publish_that_is_not_confirmed_is_served_or_refused() {
    for (outage, refused) in [(OnCacheOutage::Serve, false), (OnCacheOutage::Refuse, true)] {
        let (mut store, mut cache) = (MockSessionStore::new(), MockSessionCache::new());
        cache.expect_change().times(2).returning(|_| Ok(ticket(Some(5))));
        cache.expect_publish().times(2).returning(|_, _, _| Err(down()));
        cache.expect_lookup().returning(|_| Err(down()));
        store.expect_open().once().returning(|_, _, _, _| Ok(Some(set(3))));
        store.expect_close().once().returning(|_, _, _, _| Ok(Some(Closed { was_live: true, set: set(4) })));
        let sessions = sessions(store, cache, outage);
        assert_eq!(sessions.open(user()).await.is_err(), refused, "{outage:?}");
        assert_eq!(sessions.close(&token(3).expose()).await.is_err(), refused, "{outage:?}");
    }
}

#[tokio::test]
async fn a_change_that_could_not_be_announced_publishes_what_it_loads_after_its_look_up() {
    let (mut store, mut cache, mut order) =
        (MockSessionStore::new(), MockSessionCache::new(), Sequence::new());
    cache.expect_change().once().in_sequence(&mut order).returning(|_| Err(down()));
    store.expect_open().once().in_sequence(&mut order).returning(|_, _, _, _| Ok(Some(set(3))));
    cache
        .expect_lookup()
        .once()
        .in_sequence(&mut order)
        .returning(|_| Ok(Lookup::Miss { ticket: ticket(Some(5)) }));
    // Another change came between.
    store.expect_load().once().in_sequence(&mut order).returning(|_, _| Ok(Some(set(4))));
    cache
        .expect_publish()
        .once()
        .in_sequence(&mut order)
        .withf(|_, published, shown| *published == set(4) && *shown == ticket(Some(5)))
        .returning(|_, _, _| Ok(Published::Written));
    assert!(sessions(store, cache, OnCacheOutage::Serve).open(user()).await.unwrap().is_some());
}

#[tokio::test]
async fn a_change_is_counted_once_it_may_have_been_made_and_before_it_is_published() {
    let seen = Arc::new(OnceLock::<Weak<TieredSessions>>::new());
    let counted =
        |seen: &OnceLock<Weak<TieredSessions>>| seen.get().unwrap().upgrade().unwrap().changes(user());
    let (mut store, mut cache) = (MockSessionStore::new(), MockSessionCache::new());
    cache.expect_change().returning(|_| Ok(ticket(Some(5))));
    let asked = seen.clone();
    store.expect_open().returning(move |_, _, _, _| {
        assert_eq!(counted(&asked), 0);
        Ok(Some(set(3)))
    });
    let asked = seen.clone();
    store.expect_close().returning(move |_, _, _, _| {
        assert_eq!(counted(&asked), 1);
        Ok(Some(Closed { set: set(4), was_live: true }))
    });
    let (asked, mut publishes) = (seen.clone(), 0);
    cache.expect_publish().times(2).returning(move |_, _, _| {
        publishes += 1;
        assert_eq!(counted(&asked), publishes);
        Ok(Published::Written)
    });
    let sessions = Arc::new(sessions(store, cache, OnCacheOutage::Serve));
    assert!(seen.set(Arc::downgrade(&sessions)).is_ok());
    let opened = sessions.open(user()).await.unwrap().unwrap();
    assert!(sessions.close(&opened.token.expose()).await.unwrap());
    assert_eq!(sessions.changes(UserId::new(USER + 1).unwrap()), 0, "of another user");
}

#[tokio::test(start_paused = true)]
async fn a_change_that_the_live_tier_did_not_hear_of_reaches_it_later() {
    let (mut store, mut cache) = (MockSessionStore::new(), MockSessionCache::new());
    cache.expect_change().returning(|_| Err(down()));
    store.expect_open().returning(|_, _, _, _| Ok(Some(set(3))));
    let mut lookups = 0;
    cache.expect_lookup().times(4).returning(move |_| {
        lookups += 1;
        if lookups < 4 { Err(down()) } else { Ok(Lookup::Miss { ticket: ticket(Some(5)) }) }
    });
    store.expect_load().once().returning(|_, _| Ok(Some(set(3))));
    let (told, hears) = tokio::sync::oneshot::channel();
    let mut told = Some(told);
    cache.expect_publish().once().withf(|_, published, _| *published == set(3)).returning(move |_, _, _| {
        told.take().unwrap().send(()).unwrap();
        Ok(Published::Written)
    });
    let sessions = sessions(store, cache, OnCacheOutage::Serve);
    let opened = tokio::time::timeout(std::time::Duration::from_millis(20), sessions.open(user()));
    assert!(opened.await.expect("it does not wait for the live tier").unwrap().is_some());
    tokio::time::timeout(std::time::Duration::from_secs(2), hears).await.unwrap().unwrap();
}
