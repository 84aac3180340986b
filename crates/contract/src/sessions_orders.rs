//! What tiered sessions promise in every order of their atomic steps: nothing revoked ever authenticates.

use std::{
    num::NonZeroUsize,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use tokio::{sync::Semaphore, task::JoinSet};
use tollbar_core::{
    StoreError,
    domain::{SessionSet, Timestamp, TokenKey, UserId, Verifier, Version},
    ports::{
        AllClosed, Closed, Lookup, NewSession, Published, SessionCache, SessionFacts, SessionStore, Ticket,
    },
    sessions::{SessionOptions, TieredSessions},
};

use crate::{
    TiersHarness,
    scheduler::{Actor, Branch, Choice, Event, Fate, Orders, Place, Turn, play},
};

/// Schedules that are played at the same time, each with a user of its own.
const AT_ONCE: usize = 24;

/// The actors, by their number in a schedule.
const READER: usize = 0;
const LOGIN: usize = 1;
const LOGOUT: usize = 2;

/// What strikes the live tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Strike {
    Evict,
    Lapse,
    /// Both at once: the publish that follows is refused.
    Both,
}

/// A port whose every call is a step.
struct Stepped<P: ?Sized> {
    turn: Turn,
    port: Arc<P>,
}

#[async_trait]
impl SessionCache for Stepped<dyn SessionCache> {
    async fn lookup(&self, user: UserId) -> Result<Lookup, StoreError> {
        self.turn.step(Place::Cache).await;
        self.port.lookup(user).await
    }

    async fn change(&self, user: UserId) -> Result<Ticket, StoreError> {
        self.turn.step(Place::Cache).await;
        self.port.change(user).await
    }

    async fn publish(&self, user: UserId, set: &SessionSet, ticket: Ticket) -> Result<Published, StoreError> {
        self.turn.step(Place::Cache).await;
        self.port.publish(user, set, ticket).await
    }
}

#[async_trait]
impl SessionStore for Stepped<dyn SessionStore> {
    async fn load(&self, user: UserId, now: Timestamp) -> Result<Option<SessionSet>, StoreError> {
        self.turn.step(Place::StoreRead).await;
        self.port.load(user, now).await
    }

    async fn open(
        &self,
        user: UserId,
        session: NewSession,
        keep: NonZeroUsize,
        now: Timestamp,
    ) -> Result<Option<SessionSet>, StoreError> {
        self.turn.step(Place::StoreWrite).await;
        self.port.open(user, session, keep, now).await
    }

    async fn close(
        &self,
        user: UserId,
        version: Version,
        verifier: &Verifier,
        now: Timestamp,
    ) -> Result<Option<Closed>, StoreError> {
        self.turn.step(Place::StoreWrite).await;
        self.port.close(user, version, verifier, now).await
    }

    async fn count(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.turn.step(Place::StoreRead).await;
        self.port.count(now).await
    }

    async fn close_all(&self, user: UserId, now: Timestamp) -> Result<Option<AllClosed>, StoreError> {
        self.turn.step(Place::StoreWrite).await;
        self.port.close_all(user, now).await
    }

    async fn list(&self, user: UserId, now: Timestamp) -> Result<Vec<SessionFacts>, StoreError> {
        self.turn.step(Place::StoreRead).await;
        self.port.list(user, now).await
    }
}

/// What the actors answered.
#[derive(Debug, Default)]
struct Answers {
    reader: Option<bool>,
    login: Option<String>,
    logout: Option<bool>,
}

/// A process of its own, all of whose steps are scheduled.
fn stepped(harness: &impl TiersHarness, turn: Turn) -> TieredSessions {
    TieredSessions::new(
        Arc::new(Stepped { turn: turn.clone(), port: harness.session_store() }),
        Arc::new(Stepped { turn, port: harness.session_cache() }),
        harness.clock(),
        TokenKey::from_bytes([42; 32]),
        SessionOptions::default(),
    )
}

type MakeActor = Box<dyn FnOnce(Turn) -> Actor + Send>;

/// Reader, login and logout of one user, all with the user's first token.
fn actors<H: TiersHarness>(
    harness: &Arc<H>,
    user: UserId,
    token: &str,
    answers: &Arc<Mutex<Answers>>,
) -> Vec<MakeActor> {
    let part = || (Arc::clone(harness), token.to_owned(), Arc::clone(answers));
    let ((h0, t0, a0), (h1, _, a1), (h2, t2, a2)) = (part(), part(), part());
    vec![
        Box::new(move |turn| {
            Box::pin(async move {
                let found = stepped(h0.as_ref(), turn).authenticate(&t0).await;
                a0.lock().unwrap().reader = Some(found.unwrap().is_some());
            })
        }),
        Box::new(move |turn| {
            Box::pin(async move {
                let opened = stepped(h1.as_ref(), turn).open(user).await;
                a1.lock().unwrap().login = Some(opened.unwrap().unwrap().token.expose());
            })
        }),
        Box::new(move |turn| {
            Box::pin(async move {
                let closed = stepped(h2.as_ref(), turn).close(&t2).await;
                a2.lock().unwrap().logout = Some(closed.unwrap());
            })
        }),
    ]
}

/// Plays one schedule with a user of its own and holds what happened against the promise.
async fn play_one<H: TiersHarness>(
    harness: Arc<H>,
    number: usize,
    branch: Branch,
    fate: Fate,
    strike: Option<Strike>,
) -> Vec<Branch> {
    let user = harness.user(&format!("user{number}")).await;
    let token = harness.process().open(user).await.unwrap().unwrap().token.expose();
    let answers = Arc::new(Mutex::new(Answers::default()));
    let strike = || async {
        if matches!(strike, Some(Strike::Evict | Strike::Both)) {
            harness.evict(user).await;
        }
        if matches!(strike, Some(Strike::Lapse | Strike::Both)) {
            harness.lapse(user).await;
        }
    };
    // Without a fault all orders are few enough; with one, the few that stand for all.
    let orders = if fate == Fate::Kind { Orders::All } else { Orders::Distinct };
    let run = play(branch, (orders, fate), actors(&harness, user, &token, &answers), strike).await;
    if run.complete {
        let answers = std::mem::take(&mut *answers.lock().unwrap());
        judge(harness.as_ref(), user, &token, &run.events, &answers).await;
    }
    run.branches
}

async fn judge(harness: &impl TiersHarness, user: UserId, token: &str, events: &[Event], answers: &Answers) {
    let place = |wanted: Event| events.iter().position(|event| *event == wanted);
    let revoked = [LOGIN, LOGOUT].iter().filter_map(|actor| place(Event::Finished(*actor))).min();
    let begun = place(Event::Chosen(Choice::Step(READER)));
    if revoked.zip(begun).is_some_and(|(revoked, begun)| revoked < begun) {
        assert_ne!(answers.reader, Some(true), "a reader was let in after the end was answered: {events:?}");
    }
    let now = harness.clock().now();
    let durable = harness.session_store().load(user, now).await.unwrap().unwrap();
    let is_first = |set: &SessionSet| set.sessions.iter().any(|session| session.version.get() == 1);
    // Twice, since the first may come from the durable tier and fill the live one.
    for probe in ["first", "second"] {
        let process = harness.process();
        let alive = process.authenticate(token).await.unwrap().is_some();
        assert!(!(alive && revoked.is_some()), "the {probe} probe revived the token: {events:?}");
        assert!(alive || !is_first(&durable), "the {probe} probe lost a live token: {events:?}");
        if let Some(new) = &answers.login {
            assert!(
                process.authenticate(new).await.unwrap().is_some(),
                "{probe}: a login was lost: {events:?}"
            );
        }
    }
}

/// Plays every schedule and tells how many there were.
async fn every_order<H: TiersHarness>(harness: H, fate: Fate, strike: Option<Strike>) -> usize {
    let (harness, places) = (Arc::new(harness), Arc::new(Semaphore::new(AT_ONCE)));
    let (mut queue, mut running, mut number) = (vec![Branch::default()], JoinSet::new(), 0);
    loop {
        while let Some(branch) = queue.pop() {
            let (harness, places) = (Arc::clone(&harness), Arc::clone(&places));
            number += 1;
            running.spawn(async move {
                let _place = places.acquire_owned().await.expect("nobody closes it");
                play_one(harness, number, branch, fate, strike).await
            });
        }
        match running.join_next().await {
            Some(Ok(branches)) => queue.extend(branches),
            Some(Err(failure)) => std::panic::resume_unwind(failure.into_panic()),
            None => return number,
        }
    }
}

suite! {
    ($) sessions_orders_suite, sessions_orders, TiersHarness;

    /// A reader, a login and a logout, in every order of their steps.
    async fn in_every_order_nothing_revoked_authenticates(harness) {
        assert!(every_order(harness, Fate::Kind, None).await > 400);
    }

    /// The same where one process dies after any of its steps.
    async fn with_a_crash_after_any_step_nothing_revoked_authenticates(harness) {
        assert!(every_order(harness, Fate::Crash, None).await > 300);
    }

    /// The same where the lease that is out lapses at any moment.
    async fn with_a_lease_that_lapses_at_any_moment_nothing_revoked_authenticates(harness) {
        assert!(every_order(harness, Fate::Strike, Some(Strike::Lapse)).await > 300);
    }

    /// The same where the entry is evicted at any moment.
    async fn with_an_entry_evicted_at_any_moment_nothing_revoked_authenticates(harness) {
        assert!(every_order(harness, Fate::Strike, Some(Strike::Evict)).await > 300);
    }

    /// The same where entry and lease go together, so that a publish is refused.
    async fn with_a_publish_refused_at_any_moment_nothing_revoked_authenticates(harness) {
        assert!(every_order(harness, Fate::Strike, Some(Strike::Both)).await > 300);
    }
}
