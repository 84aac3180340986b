//! What a [`SessionCache`] promises.

use std::{sync::Arc, time::Duration};

use tollbar_core::{
    domain::{Session, SessionSet, UserId, Verifier, Version},
    ports::{LeaseNonce, Lookup, Published, SessionCache, Ticket},
};

use crate::{SessionCacheHarness, together};

pub(crate) const CACHE_TTL: Duration = Duration::from_secs(60);
const LEASE_TTL: Duration = Duration::from_secs(2);
const MICRO: Duration = Duration::from_micros(1);

type Cache = Arc<dyn SessionCache>;

pub(crate) fn user(id: u64) -> UserId {
    UserId::new(id).unwrap()
}

/// The set of one version: that version's session only, with half an hour left.
pub(crate) fn set(version: u64) -> SessionSet {
    let session = Session {
        version: Version::new(version),
        verifier: Verifier::from_bytes([u8::try_from(version).unwrap_or(0); 32]),
        remaining: Duration::from_secs(1_800),
    };
    SessionSet { version: Version::new(version), sessions: vec![session] }
}

/// The version that is cached, if one is.
pub(crate) async fn cached(cache: &Cache, user: UserId) -> Option<u64> {
    match cache.lookup(user).await.unwrap() {
        Lookup::Hit { set, .. } => Some(set.version.get()),
        Lookup::Miss { .. } => None,
    }
}

/// The ticket of a look-up that must miss.
pub(crate) async fn miss(cache: &Cache, user: UserId) -> Ticket {
    match cache.lookup(user).await.unwrap() {
        Lookup::Miss { ticket } => ticket,
        Lookup::Hit { set, .. } => panic!("{set:?} is cached"),
    }
}

/// Caches a version as a login does.
pub(crate) async fn change_to(cache: &Cache, user: UserId, version: u64) {
    let ticket = cache.change(user).await.unwrap();
    assert_eq!(cache.publish(user, &set(version), ticket).await.unwrap(), Published::Written);
}

fn without_lease(ticket: Ticket) -> Ticket {
    Ticket { lease: None, ..ticket }
}

suite! {
    ($) session_cache_suite, session_cache, SessionCacheHarness;

    /// One reader of many is given the lease.
    async fn of_two_hundred_who_miss_at_once_one_holds_the_lease(harness) {
        let cache = harness.session_cache();
        let leases = together(200, |_| {
            let cache = cache.clone();
            async move { miss(&cache, user(1)).await.lease.is_some() }
        })
        .await;
        assert_eq!(leases.iter().filter(|held| **held).count(), 1);
    }

    /// A lease that was not used in 2 s is given to the next reader.
    async fn a_lease_lapses(harness) {
        let cache = harness.session_cache();
        let first = miss(&cache, user(1)).await;
        harness.pass(LEASE_TTL.saturating_sub(MICRO));
        assert_eq!(miss(&cache, user(1)).await.lease, None);
        harness.pass(MICRO);
        let second = miss(&cache, user(1)).await;
        assert!(second.lease.is_some() && second.lease != first.lease);
    }

    /// What the holder of the lease fills in is found, whole.
    async fn a_fill_is_found_whole(harness) {
        let cache = harness.session_cache();
        let ticket = miss(&cache, user(1)).await;
        // As after a logout: no session is of the set's own version.
        let mut filled = SessionSet { version: Version::new(9), ..set(7) };
        filled.sessions.insert(0, set(5).sessions[0]);
        assert_eq!(cache.publish(user(1), &filled, ticket).await.unwrap(), Published::Written);
        assert!(matches!(cache.lookup(user(1)).await.unwrap(), Lookup::Hit { set, .. } if set == filled));
    }

    /// A user without a session is worth caching too.
    async fn an_empty_set_is_a_hit(harness) {
        let cache = harness.session_cache();
        let empty = SessionSet { version: Version::new(3), sessions: vec![] };
        let ticket = miss(&cache, user(1)).await;
        cache.publish(user(1), &empty, ticket).await.unwrap();
        assert!(matches!(cache.lookup(user(1)).await.unwrap(), Lookup::Hit { set, .. } if set == empty));
    }

    /// Without the lease, or with another, nothing is written where nothing is; and the attempt ends the lease that is out.
    async fn a_fill_without_the_lease_is_refused_and_ends_the_lease(harness) {
        let cache = harness.session_cache();
        let held = miss(&cache, user(1)).await;
        let foreign = Ticket { lease: held.lease.map(|LeaseNonce(nonce)| LeaseNonce(nonce ^ 1)), ..held };
        let mut holder = held;
        for wrong in [without_lease(held), foreign] {
            assert_eq!(cache.publish(user(1), &set(1), wrong).await.unwrap(), Published::Refused);
            assert_eq!(cache.publish(user(1), &set(1), holder).await.unwrap(), Published::Refused, "its lease has ended");
            holder = miss(&cache, user(1)).await;
            assert!(holder.lease.is_some(), "the next reader is given a new one");
        }
        assert_eq!(cache.publish(user(1), &set(1), holder).await.unwrap(), Published::Written);
    }

    /// A lease that has lapsed fills nothing, also where nobody else was given one.
    async fn a_lapsed_lease_fills_nothing(harness) {
        let cache = harness.session_cache();
        let ticket = miss(&cache, user(1)).await;
        harness.pass(LEASE_TTL);
        assert_eq!(cache.publish(user(1), &set(1), ticket).await.unwrap(), Published::Refused);
        assert_eq!(cached(&cache, user(1)).await, None);
    }

    /// The same beside many whose leases lapse at that moment: no lease is good for longer because an engine has others to forget.
    async fn of_many_lapsed_leases_none_fills(harness) {
        let cache = harness.session_cache();
        let mut tickets = Vec::new();
        for id in 1..=1_000 {
            tickets.push((user(id), miss(&cache, user(id)).await));
        }
        harness.pass(LEASE_TTL);
        for (user, ticket) in tickets.into_iter().rev() {
            assert_eq!(cache.publish(user, &set(1), ticket).await.unwrap(), Published::Refused, "{user}");
        }
    }

    /// A change deletes the entry and takes the lease from whoever held it.
    async fn a_change_deletes_the_entry_and_takes_over_the_lease(harness) {
        let cache = harness.session_cache();
        let reader = miss(&cache, user(1)).await;
        let change = cache.change(user(1)).await.unwrap();
        assert!(change.lease.is_some());
        assert_eq!(miss(&cache, user(1)).await.lease, None);
        assert_eq!(cache.publish(user(1), &set(2), change).await.unwrap(), Published::Written);
        assert_eq!(cache.publish(user(1), &set(1), reader).await.unwrap(), Published::Refused);
        assert_eq!(cached(&cache, user(1)).await, Some(2));
        cache.change(user(1)).await.unwrap();
        assert_eq!(cached(&cache, user(1)).await, None);
    }

    /// The slow reader of a logout: what it read before cannot come back after.
    async fn a_slow_reader_cannot_bring_back_what_it_read(harness) {
        let cache = harness.session_cache();
        let reader = miss(&cache, user(1)).await;
        let change = cache.change(user(1)).await.unwrap();
        assert_eq!(cache.publish(user(1), &set(1), reader).await.unwrap(), Published::Refused);
        assert_eq!(cached(&cache, user(1)).await, None);
        // The reader's attempt ended the change's lease too, so this cannot be written; nothing stale is there all the same.
        assert_eq!(cache.publish(user(1), &set(2), change).await.unwrap(), Published::Refused);
        assert_eq!(cached(&cache, user(1)).await, None);
    }

    /// Over an entry only a later version is written, with or without a lease.
    async fn over_an_entry_only_a_later_version_is_written(harness) {
        let cache = harness.session_cache();
        change_to(&cache, user(1), 5).await;
        let ticket = match cache.lookup(user(1)).await.unwrap() {
            Lookup::Hit { ticket, .. } => ticket,
            Lookup::Miss { .. } => panic!("just published"),
        };
        for (version, expected) in [(4, Published::Refused), (5, Published::Refused), (6, Published::Written)] {
            assert_eq!(cache.publish(user(1), &set(version), without_lease(ticket)).await.unwrap(), expected);
        }
        assert_eq!(cached(&cache, user(1)).await, Some(6));
    }

    /// An equal version does not replace what is there.
    async fn an_equal_version_changes_nothing(harness) {
        let cache = harness.session_cache();
        change_to(&cache, user(1), 5).await;
        harness.pass(Duration::from_secs(30));
        let ticket = match cache.lookup(user(1)).await.unwrap() {
            Lookup::Hit { ticket, .. } => ticket,
            Lookup::Miss { .. } => panic!("just published"),
        };
        assert_eq!(cache.publish(user(1), &set(5), ticket).await.unwrap(), Published::Refused);
        harness.pass(Duration::from_secs(30));
        assert_eq!(cached(&cache, user(1)).await, None, "its lifetime was not stretched");
    }

    /// A publish may be repeated.
    async fn a_publish_may_be_repeated(harness) {
        let cache = harness.session_cache();
        let ticket = cache.change(user(1)).await.unwrap();
        assert_eq!(cache.publish(user(1), &set(2), ticket).await.unwrap(), Published::Written);
        assert_eq!(cache.publish(user(1), &set(2), ticket).await.unwrap(), Published::Refused);
        assert_eq!(cached(&cache, user(1)).await, Some(2));
    }

    /// Looking does not make an entry live longer.
    async fn a_lookup_does_not_stretch_a_lifetime(harness) {
        let cache = harness.session_cache();
        change_to(&cache, user(1), 1).await;
        for _ in 0..59 {
            harness.pass(Duration::from_secs(1));
            assert_eq!(cached(&cache, user(1)).await, Some(1));
        }
        harness.pass(Duration::from_secs(1));
        assert_eq!(cached(&cache, user(1)).await, None);
    }

    /// A lifetime is counted from the look-up that preceded the load, not from the publish.
    async fn a_lifetime_begins_with_the_ticket(harness) {
        let cache = harness.session_cache();
        let ticket = cache.change(user(1)).await.unwrap();
        harness.pass(Duration::from_millis(1_500));
        assert_eq!(cache.publish(user(1), &set(1), ticket).await.unwrap(), Published::Written);
        harness.pass(CACHE_TTL.saturating_sub(Duration::from_millis(1_500)).saturating_sub(MICRO));
        assert_eq!(cached(&cache, user(1)).await, Some(1));
        harness.pass(MICRO);
        assert_eq!(cached(&cache, user(1)).await, None);
    }

    /// A later version that comes so late that its lifetime is over is not written, and what it would replace is not kept.
    async fn a_ticket_older_than_a_lifetime_writes_nothing(harness) {
        let cache = harness.session_cache();
        let old = miss(&cache, user(1)).await;
        harness.pass(CACHE_TTL);
        change_to(&cache, user(1), 1).await;
        assert_eq!(cache.publish(user(1), &set(2), old).await.unwrap(), Published::Refused);
        assert_eq!(cached(&cache, user(1)).await, None);
    }

    /// A session's time runs on in the cache, from the ticket, to the microsecond.
    async fn the_time_that_remains_runs_on(harness) {
        let cache = harness.session_cache();
        let mut short = set(3);
        short.sessions.insert(0, Session { remaining: Duration::from_secs(10), ..set(2).sessions[0] });
        let ticket = cache.change(user(1)).await.unwrap();
        harness.pass(Duration::from_secs(1));
        cache.publish(user(1), &short, ticket).await.unwrap();
        harness.pass(Duration::from_secs(8));
        let remaining = async || match cache.lookup(user(1)).await.unwrap() {
            Lookup::Hit { set, .. } => set.sessions.iter().map(|session| session.remaining).collect::<Vec<_>>(),
            Lookup::Miss { .. } => panic!("the entry has not ended"),
        };
        assert_eq!(remaining().await, [Duration::from_secs(1), Duration::from_secs(1_791)]);
        harness.pass(Duration::from_secs(1));
        assert_eq!(remaining().await, [Duration::from_secs(1_790)], "an ended session is left out");
    }

    /// A clock that stepped back does not make an entry live longer than its bound.
    async fn a_clock_that_steps_back_does_not_stretch_a_lifetime(harness) {
        let cache = harness.session_cache();
        let ticket = cache.change(user(1)).await.unwrap();
        harness.step_back(Duration::from_secs(30));
        cache.publish(user(1), &set(1), ticket).await.unwrap();
        harness.pass(CACHE_TTL);
        assert_eq!(cached(&cache, user(1)).await, None);
    }

    /// Users do not see each other's entries or leases.
    async fn users_are_kept_apart(harness) {
        let cache = harness.session_cache();
        change_to(&cache, user(1), 1).await;
        assert!(miss(&cache, user(17)).await.lease.is_some());
        cache.change(user(17)).await.unwrap();
        assert_eq!(cached(&cache, user(1)).await, Some(1));
    }

    /// An evicted entry is a miss, and a lapsed lease is free.
    async fn what_fate_takes_is_gone(harness) {
        let cache = harness.session_cache();
        change_to(&cache, user(1), 1).await;
        harness.evict(user(1)).await;
        assert!(miss(&cache, user(1)).await.lease.is_some());
        harness.lapse(user(1)).await;
        assert!(miss(&cache, user(1)).await.lease.is_some());
    }
}
