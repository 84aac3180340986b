//! What the fast gate asks of its engine, and what becomes of the answer.

use std::time::Duration;

use super::*;
use crate::{
    domain::{SessionSet, Timestamp},
    gate::fixture::{book, decision, policy, sessions, token, user},
    ports::{
        Closed, LeaseNonce, ManualClock, MockOneTrip, MockSessionCache, MockSessionStore, Published, Ticket,
    },
};

/// A gate over an engine, its clock and its book.
struct Bench {
    gate: FastGate,
    clock: Arc<ManualClock>,
    book: Arc<CallBook>,
}

impl Bench {
    fn of(engine: MockOneTrip) -> Self {
        Self::with(engine, MockSessionStore::new(), MockSessionCache::new())
    }

    fn with(engine: MockOneTrip, store: MockSessionStore, cache: MockSessionCache) -> Self {
        let (clock, book) = (Arc::new(ManualClock::new()), book(10));
        let (sessions, options) = (sessions(store, cache), DenialOptions::default());
        let gate = FastGate::new(sessions, Arc::new(engine), book.clone(), clock.clone(), options);
        Self { gate, clock, book }
    }

    async fn call(&self, version: u64, policy: &Policy) -> Admission {
        self.gate.admit(&token(version).expose(), policy).await.unwrap()
    }

    /// How many calls the epoch has counted.
    async fn counted(&self) -> u64 {
        let Some(epoch) = self.book.close() else { return 0 };
        epoch.settled().await.tallies.iter().map(|tally| tally.calls).sum()
    }
}

fn ping() -> Policy {
    policy("ping", &[(1, 5)])
}

/// An engine that says this of each of so many calls.
fn saying(times: usize, crossing: fn(&Policy) -> Crossing) -> MockOneTrip {
    let mut engine = MockOneTrip::new();
    engine.expect_admit().times(times).returning(move |asked, policy, _| {
        assert_eq!(asked.user(), user());
        Ok(crossing(policy))
    });
    engine
}

fn limited(policy: &Policy) -> Crossing {
    Crossing::Limited(decision(policy, &[(0, 5, 5)]))
}

#[tokio::test]
async fn an_admitted_call_takes_one_trip_and_joins_the_epoch() {
    let bench = Bench::of(saying(1, |policy| Crossing::Admitted(decision(policy, &[(0, 5, 0)]))));
    let expected = Admission::Admitted {
        user: user(),
        session: crate::domain::Version::new(2),
        decision: decision(&ping(), &[(0, 5, 0)]),
    };
    assert_eq!(bench.call(2, &ping()).await, expected);
    assert_eq!(bench.counted().await, 1);
}

#[tokio::test]
async fn a_limited_call_is_not_counted() {
    let bench = Bench::of(saying(1, limited));
    let expected = Admission::Limited { user: user(), decision: decision(&ping(), &[(0, 5, 5)]) };
    assert_eq!(bench.call(2, &ping()).await, expected);
    assert!(bench.book.close().is_none());
}

#[tokio::test]
async fn a_dead_session_is_unauthenticated_and_not_counted() {
    let bench = Bench::of(saying(1, |_| Crossing::Dead));
    assert_eq!(bench.call(2, &ping()).await, Admission::Unauthenticated);
    assert!(bench.book.close().is_none());
}

#[tokio::test]
async fn a_forged_token_is_not_sent() {
    let bench = Bench::of(MockOneTrip::new());
    assert_eq!(bench.gate.admit("tbs_nonsense", &ping()).await.unwrap(), Admission::Unauthenticated);
}

#[tokio::test]
async fn a_session_that_the_engine_does_not_know_is_asked_for_and_charged() {
    for (wait, counted) in [(0, 1), (5, 0)] {
        let mut engine = saying(1, |_| Crossing::Unknown);
        engine.expect_charge().once().returning(move |asked, policy, _| {
            assert_eq!(asked, user());
            Ok(decision(policy, &[(0, 5, wait)]))
        });
        let bench = Bench::with(engine, MockSessionStore::new(), MockSessionCache::new());
        let answer = bench.call(2, &ping()).await;
        assert_eq!(matches!(answer, Admission::Admitted { .. }), counted == 1, "{answer:?}");
        assert_eq!(bench.counted().await, counted);
    }
}

#[tokio::test]
async fn a_session_that_nobody_knows_is_not_charged() {
    let bench = Bench::of(saying(1, |_| Crossing::Unknown));
    assert_eq!(bench.call(1, &ping()).await, Admission::Unauthenticated);
    assert!(bench.book.close().is_none());
}

#[tokio::test]
async fn a_call_whose_answer_is_lost_is_sent_once_and_not_counted() {
    let mut engine = MockOneTrip::new();
    engine.expect_admit().once().returning(|_, _, _| Err(StoreError::transient("test", "down")));
    let bench = Bench::of(engine);
    assert!(bench.gate.admit(&token(2).expose(), &ping()).await.unwrap_err().is_transient());
    assert!(bench.book.close().is_none());
}

#[tokio::test]
async fn a_call_that_could_not_be_counted_is_not_sent() {
    let mut bench = Bench::of(MockOneTrip::new());
    bench.gate.book = book(0);
    assert!(bench.gate.admit(&token(2).expose(), &ping()).await.unwrap_err().is_transient());
}

#[tokio::test]
async fn a_known_denial_is_not_sent_before_its_release_and_needs_no_book() {
    let mut bench = Bench::of(saying(2, limited));
    bench.call(2, &ping()).await;
    bench.gate.book = book(0);
    bench.clock.advance(Duration::from_micros(4_999_999));
    assert!(matches!(bench.call(2, &ping()).await, Admission::Limited { user: limited, decision }
        if limited == user() && decision.retry_after() == Duration::from_micros(1)));
    bench.gate.book = book(10);
    bench.clock.advance(Duration::from_micros(1));
    bench.call(2, &ping()).await;
}

#[tokio::test]
async fn a_wait_is_counted_from_before_the_request_was_sent() {
    let (clock, mut engine) = (Arc::new(ManualClock::new()), MockOneTrip::new());
    let trip = clock.clone();
    engine.expect_admit().times(2).returning(move |_, policy, _| {
        trip.advance(Duration::from_millis(500));
        Ok(limited(policy))
    });
    let sessions = sessions(MockSessionStore::new(), MockSessionCache::new());
    let (book, options) = (book(10), DenialOptions::default());
    let gate = FastGate::new(sessions, Arc::new(engine), book, clock.clone(), options);
    gate.admit(&token(2).expose(), &ping()).await.unwrap();
    // The answer came half a second after the call was sent; the engine made it at some time between.
    clock.advance(Duration::from_micros(4_499_999));
    gate.admit(&token(2).expose(), &ping()).await.unwrap();
    clock.advance(Duration::from_micros(1));
    gate.admit(&token(2).expose(), &ping()).await.unwrap();
}

#[tokio::test]
async fn a_denial_by_a_charge_is_remembered_too() {
    let mut engine = saying(1, |_| Crossing::Unknown);
    engine.expect_charge().once().returning(|_, policy, _| Ok(decision(policy, &[(0, 5, 5)])));
    let bench = Bench::of(engine);
    for _ in 0..3 {
        assert!(matches!(bench.call(2, &ping()).await, Admission::Limited { .. }));
    }
}

#[tokio::test]
async fn neither_an_admission_nor_a_dead_session_is_remembered() {
    let bench = Bench::of(saying(3, |policy| Crossing::Admitted(decision(policy, &[(0, 5, 0)]))));
    for _ in 0..3 {
        bench.call(2, &ping()).await;
    }
    let bench = Bench::of(saying(2, |_| Crossing::Dead));
    for _ in 0..2 {
        bench.call(2, &ping()).await;
    }
}

#[tokio::test]
async fn a_change_of_the_sessions_sends_who_was_denied_to_the_engine_again() {
    let (mut store, mut cache) = (MockSessionStore::new(), MockSessionCache::new());
    let ticket = Ticket { at: Timestamp::default(), lease: Some(LeaseNonce(1)) };
    cache.expect_change().returning(move |_| Ok(ticket));
    cache.expect_publish().returning(|_, _, _| Ok(Published::Written));
    let ended = Closed { set: SessionSet::default(), was_live: true };
    store.expect_close().returning(move |_, _, _, _| Ok(Some(ended.clone())));
    store
        .expect_open()
        .returning(|_, _, _, _| Err(StoreError::transient("test", "whether it was made is not known")));
    let bench = Bench::with(saying(3, limited), store, cache);
    bench.call(2, &ping()).await;
    bench.call(2, &ping()).await;
    assert!(bench.gate.sessions.close(&token(2).expose()).await.unwrap());
    bench.call(2, &ping()).await;
    assert!(bench.gate.sessions.open(user()).await.is_err());
    bench.call(2, &ping()).await;
    bench.call(2, &ping()).await;
}

#[tokio::test]
async fn a_denial_of_what_is_no_user_is_not_asked_for_again() {
    let client = Subject::header("x-api-key", Some(b"k"));
    let mut engine = MockOneTrip::new();
    engine
        .expect_limit()
        .times(2)
        .withf(move |asked, _| *asked == client)
        .returning(|_, policy| Ok(decision(policy, &[(0, 5, 5)])));
    let bench = Bench::of(engine);
    for _ in 0..3 {
        assert!(!bench.gate.limit(client, &ping()).await.unwrap().allowed());
    }
    bench.gate.policies_changed();
    bench.gate.limit(client, &ping()).await.unwrap();
}

#[tokio::test]
async fn a_fence_is_passed_on_to_who_goes_on_under_another_name() {
    let mut engine = MockOneTrip::new();
    engine.expect_admit().once().returning(|_, _, epoch| {
        assert_eq!(epoch.epoch, crate::domain::Epoch::FIRST);
        Err(StoreError::fenced("test"))
    });
    let bench = Bench::of(engine);
    assert!(bench.gate.admit(&token(2).expose(), &ping()).await.unwrap_err().is_fenced());
    assert!(bench.book.was_fenced() && bench.book.close().is_none());
}
