//! What a [`OneTrip`] promises of one call after the other.

use std::{sync::Arc, time::Duration};

use tollbar_core::{
    domain::{
        ApiName, Caller, Decision, Policy, Secret, Session, SessionSet, SessionToken, TokenKey, UserId,
        Version,
    },
    ports::{Crossing, Lookup, OneTrip, Published},
};

use crate::{
    OneTripHarness, epoch,
    rate_limiter::{policy, secs, user},
    session_cache::miss,
};

const MICRO: Duration = Duration::from_micros(1);

/// A token of a user's session of this version; another secret makes another token of the same session.
pub(crate) fn sealed(user: UserId, version: u64, secret: u8) -> SessionToken {
    TokenKey::from_bytes([42; 32]).issue(user, Version::new(version), Secret::from_bytes([secret; 32]))
}

/// The token of a user's session of this version.
pub(crate) fn token(id: u64, version: u64) -> SessionToken {
    sealed(user(id), version, 1)
}

/// A set of this version with the sessions of these tokens, which have this long left.
fn set(version: u64, tokens: &[&SessionToken], remaining: Duration) -> SessionSet {
    let session =
        |token: &&SessionToken| Session { version: token.version(), verifier: token.verifier(), remaining };
    SessionSet { version: Version::new(version), sessions: tokens.iter().map(session).collect() }
}

/// Caches a set as a login or a logout does.
pub(crate) async fn publish(harness: &impl OneTripHarness, id: u64, set: &SessionSet) {
    let ticket = harness.session_cache().change(user(id)).await.unwrap();
    assert_eq!(harness.session_cache().publish(user(id), set, ticket).await.unwrap(), Published::Written);
}

/// Caches a set with one session and gives its token.
pub(crate) async fn login(harness: &impl OneTripHarness, id: u64, version: u64) -> SessionToken {
    let token = token(id, version);
    publish(harness, id, &set(version, &[&token], secs(1_800))).await;
    token
}

/// The policy, counted under another API.
pub(crate) fn counted_as(api: &str, policy: &Policy) -> Policy {
    Policy::new(policy.name().clone(), ApiName::new(api).unwrap(), policy.windows().to_vec()).unwrap()
}

pub(crate) async fn admitted(engine: &Arc<dyn OneTrip>, token: &SessionToken, policy: &Policy) -> Decision {
    match engine.admit(token, policy, epoch()).await.unwrap() {
        Crossing::Admitted(decision) => decision,
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn limited(engine: &Arc<dyn OneTrip>, token: &SessionToken, policy: &Policy) -> Decision {
    match engine.admit(token, policy, epoch()).await.unwrap() {
        Crossing::Limited(decision) => decision,
        other => panic!("{other:?}"),
    }
}

/// All that a call may change beside the sessions: a user's units, the board and the distinct count.
pub(crate) async fn state(
    harness: &impl OneTripHarness,
    id: u64,
    policy: &Policy,
) -> (Decision, Vec<Caller>, u64) {
    let tracker = harness.call_tracker();
    let peeked = harness.rate_limiter().peek(policy, user(id).into()).await.unwrap();
    (peeked, tracker.top(policy.api(), 10).await.unwrap(), tracker.distinct(policy.api()).await.unwrap())
}

pub(crate) fn remaining(decision: &Decision) -> Vec<u32> {
    decision.windows.iter().map(|state| state.remaining).collect()
}

suite! {
    ($) one_trip_suite, one_trip, OneTripHarness;

    /// A call with a live session is admitted, charged and counted, once.
    async fn a_call_with_a_live_session_is_charged_and_counted_once(harness) {
        let (engine, ping) = (harness.one_trip(), policy("ping", &[(1, secs(5)), (3, secs(60))]));
        let token = login(&harness, 1, 1).await;
        let decision = admitted(&engine, &token, &ping).await;
        assert_eq!((decision.at, remaining(&decision)), (harness.clock().now(), vec![0, 2]));
        let resets: Vec<_> = decision.windows.iter().map(|state| state.reset_after).collect();
        assert_eq!(resets, [secs(5), secs(60)]);
        let (peeked, top, distinct) = state(&harness, 1, &ping).await;
        assert_eq!(remaining(&peeked), [0, 2]);
        assert_eq!((top, distinct), (vec![Caller { user: user(1), calls: 1 }], 1));
    }

    /// Without a cached set the engine cannot say, changes nothing, and takes no lease from the reader that will fill the cache.
    async fn without_a_cached_set_the_engine_cannot_say(harness) {
        let (engine, cache) = (harness.one_trip(), harness.session_cache());
        let (token, ping) = (token(1, 1), policy("ping", &[(1, secs(5))]));
        let before = state(&harness, 1, &ping).await;
        assert_eq!(engine.admit(&token, &ping, epoch()).await.unwrap(), Crossing::Unknown);
        let ticket = miss(&cache, user(1)).await;
        assert!(ticket.lease.is_some(), "no lease was handed out");
        assert_eq!(engine.admit(&token, &ping, epoch()).await.unwrap(), Crossing::Unknown);
        let filled = cache.publish(user(1), &set(1, &[&token], secs(60)), ticket).await.unwrap();
        assert_eq!(filled, Published::Written, "no lease was ended");
        assert_eq!(state(&harness, 1, &ping).await, before);
        admitted(&engine, &token, &ping).await;
        harness.evict(user(1)).await;
        assert_eq!(engine.admit(&token, &ping, epoch()).await.unwrap(), Crossing::Unknown);
    }

    /// A token whose session is not in the set, or has another secret there, is dead: nothing is charged for it.
    async fn a_token_of_no_session_in_the_set_is_dead(harness) {
        let (engine, ping) = (harness.one_trip(), policy("ping", &[(2, secs(5))]));
        let (older, newer) = (token(1, 5), token(1, 7));
        // As after a logout: no session is of the set's own version.
        publish(&harness, 1, &set(9, &[&older, &newer], secs(60))).await;
        let before = state(&harness, 1, &ping).await;
        for dead in [sealed(user(1), 5, 2), sealed(user(1), 7, 2), token(1, 0), token(1, 6), token(1, 8), token(1, 9)] {
            assert_eq!(engine.admit(&dead, &ping, epoch()).await.unwrap(), Crossing::Dead, "{dead:?}");
        }
        assert_eq!(state(&harness, 1, &ping).await, before);
        admitted(&engine, &older, &ping).await;
        admitted(&engine, &newer, &ping).await;
        publish(&harness, 1, &set(10, &[], secs(60))).await;
        assert_eq!(engine.admit(&newer, &ping, epoch()).await.unwrap(), Crossing::Dead, "of an empty set, too");
    }

    /// A token of a later version than the set: only the durable tier can say.
    async fn of_a_token_above_the_set_the_engine_cannot_say(harness) {
        let (engine, ping) = (harness.one_trip(), policy("ping", &[(2, secs(5))]));
        let cached = login(&harness, 1, 9).await;
        let before = state(&harness, 1, &ping).await;
        for above in [token(1, 10), token(1, u64::MAX)] {
            assert_eq!(engine.admit(&above, &ping, epoch()).await.unwrap(), Crossing::Unknown);
        }
        assert_eq!(state(&harness, 1, &ping).await, before);
        admitted(&engine, &cached, &ping).await;
    }

    /// A session ends when its time is over, to the microsecond, whether it is alone or not; and it takes no other with it.
    async fn an_ended_session_is_dead(harness) {
        let (engine, ping) = (harness.one_trip(), policy("ping", &[(9, secs(5))]));
        let (older, newer, alone) = (token(1, 1), token(1, 2), token(2, 1));
        let mut both = set(2, &[&older, &newer], secs(30));
        both.sessions[0].remaining = secs(10);
        publish(&harness, 1, &both).await;
        publish(&harness, 2, &set(1, &[&alone], secs(10))).await;
        harness.pass(secs(10).saturating_sub(MICRO));
        admitted(&engine, &older, &ping).await;
        admitted(&engine, &alone, &ping).await;
        harness.pass(MICRO);
        let before = state(&harness, 1, &ping).await;
        assert_eq!(engine.admit(&older, &ping, epoch()).await.unwrap(), Crossing::Dead);
        assert_eq!(engine.admit(&alone, &ping, epoch()).await.unwrap(), Crossing::Dead);
        assert_eq!(state(&harness, 1, &ping).await, before);
        admitted(&engine, &newer, &ping).await;
    }

    /// A set is believed for its 60 s and not a microsecond longer, however often calls rest on it; nor do they change it.
    async fn calls_neither_stretch_nor_change_a_cached_set(harness) {
        let (engine, cache) = (harness.one_trip(), harness.session_cache());
        let (token, ping) = (login(&harness, 1, 3).await, policy("ping", &[(1, secs(10))]));
        for second in 0..60 {
            let crossing = engine.admit(&token, &ping, epoch()).await.unwrap();
            assert_eq!(matches!(crossing, Crossing::Admitted(_)), second % 10 == 0, "second {second}: {crossing:?}");
            let expected = set(3, &[&token], secs(1_800 - second));
            assert!(matches!(cache.lookup(user(1)).await.unwrap(), Lookup::Hit { set, .. } if set == expected));
            harness.pass(if second < 59 { secs(1) } else { secs(1).saturating_sub(MICRO) });
        }
        limited(&engine, &token, &ping).await;
        harness.pass(MICRO);
        assert_eq!(engine.admit(&token, &ping, epoch()).await.unwrap(), Crossing::Unknown);
        assert!(miss(&cache, user(1)).await.lease.is_some());
    }

    /// A change that has begun makes the engine unable to say; what it publishes is seen by the next call.
    async fn a_change_of_the_sessions_is_seen_at_once(harness) {
        let (engine, cache) = (harness.one_trip(), harness.session_cache());
        let (first, ping) = (login(&harness, 1, 1).await, policy("ping", &[(9, secs(5))]));
        admitted(&engine, &first, &ping).await;
        let ticket = cache.change(user(1)).await.unwrap();
        assert_eq!(engine.admit(&first, &ping, epoch()).await.unwrap(), Crossing::Unknown);
        let second = token(1, 2);
        assert_eq!(cache.publish(user(1), &set(2, &[&second], secs(60)), ticket).await.unwrap(), Published::Written);
        assert_eq!(engine.admit(&first, &ping, epoch()).await.unwrap(), Crossing::Dead);
        admitted(&engine, &second, &ping).await;
        // Over the entry, without a change: as a reader does who found a token above the set.
        let Lookup::Hit { ticket, .. } = cache.lookup(user(1)).await.unwrap() else { panic!("just published") };
        let third = token(1, 3);
        assert_eq!(cache.publish(user(1), &set(3, &[&third], secs(60)), ticket).await.unwrap(), Published::Written);
        assert_eq!(engine.admit(&second, &ping, epoch()).await.unwrap(), Crossing::Dead);
        admitted(&engine, &third, &ping).await;
    }

    /// A set from before a loss of the engine's last writes says nothing: the session may have ended in what was lost.
    async fn of_a_rolled_back_set_the_engine_cannot_say(shared) {
        drop(shared);
        let (harness, ping) = (H::start_restartable().await, policy("ping", &[(9, secs(5))]));
        let token = login(&harness, 1, 1).await;
        harness.save().await;
        publish(&harness, 1, &set(2, &[], secs(60))).await;
        harness.roll_back().await;
        assert_eq!(harness.one_trip().admit(&token, &ping, epoch()).await.unwrap(), Crossing::Unknown);
        assert_eq!(harness.call_tracker().top(ping.api(), 10).await.unwrap(), []);
    }

    /// The sets, entries and leases of users who share a partition, or a number but for its end, are their own.
    async fn users_are_kept_apart(harness) {
        let (engine, one) = (harness.one_trip(), policy("one", &[(1, secs(5))]));
        let (first, same_partition) = (login(&harness, 1, 1).await, login(&harness, 17, 1).await);
        assert_eq!(engine.admit(&token(2, 1), &one, epoch()).await.unwrap(), Crossing::Unknown);
        admitted(&engine, &first, &one).await;
        admitted(&engine, &same_partition, &one).await;
        limited(&engine, &first, &one).await;
        publish(&harness, 17, &set(2, &[], secs(60))).await;
        limited(&engine, &first, &one).await;
    }
}
