//! The scripts of the sessions on a real engine: leases, versions, lifetimes and damage.
#![allow(clippy::unwrap_used, reason = "tests stop where something fails")]

mod common;

use std::time::Duration;

use common::{Fixture, beside, fixture, set, user};
use tollbar_core::{
    domain::SessionSet,
    ports::{Lookup, Published, SessionCache, Ticket},
};
use tollbar_redis::RedisLive;

const MINUTE: Duration = Duration::from_secs(60);

async fn missed(live: &RedisLive, id: u64) -> Ticket {
    match live.lookup(user(id)).await.unwrap() {
        Lookup::Miss { ticket } => ticket,
        Lookup::Hit { set, .. } => panic!("{set:?} is cached"),
    }
}

async fn cached(live: &RedisLive, id: u64) -> SessionSet {
    match live.lookup(user(id)).await.unwrap() {
        Lookup::Hit { set, .. } => set,
        Lookup::Miss { .. } => panic!("nothing is cached"),
    }
}

#[tokio::test]
async fn one_reader_at_a_time_may_fill() {
    let Fixture { live, clock, prefix: _prefix } = fixture().await;
    let first = missed(&live, 1).await;
    let second = missed(&live, 1).await;
    assert!(first.lease.is_some() && second.lease.is_none());
    let one = set(1, &[1], MINUTE);
    assert_eq!(live.publish(user(1), &one, second).await.unwrap(), Published::Refused);
    // That attempt has ended the first reader's lease.
    assert_eq!(live.publish(user(1), &one, first).await.unwrap(), Published::Refused);
    let third = missed(&live, 1).await;
    clock.advance(Duration::from_secs(2));
    let fourth = missed(&live, 1).await;
    assert!(fourth.lease.is_some() && fourth.lease != third.lease, "the third one's has lapsed");
    assert_eq!(live.publish(user(1), &one, fourth).await.unwrap(), Published::Written);
    assert_eq!(cached(&live, 1).await, one);
    live.drop_entry(user(1)).await.unwrap();
    assert!(missed(&live, 1).await.lease.is_some());
    assert!(missed(&live, 1).await.lease.is_none());
    live.drop_lease(user(1)).await.unwrap();
    assert!(missed(&live, 1).await.lease.is_some());
}

#[tokio::test]
async fn a_change_takes_the_lease_over_and_deletes_the_entry() {
    let Fixture { live, prefix: _prefix, .. } = fixture().await;
    let (old, new) = (set(1, &[1], MINUTE), set(2, &[], MINUTE));
    let ticket = missed(&live, 1).await;
    live.publish(user(1), &old, ticket).await.unwrap();
    let change = live.change(user(1)).await.unwrap();
    let reader = missed(&live, 1).await;
    assert!(change.lease.is_some() && reader.lease.is_none());
    assert_eq!(live.publish(user(1), &new, change).await.unwrap(), Published::Written);
    assert_eq!(live.publish(user(1), &old, reader).await.unwrap(), Published::Refused);
    assert_eq!(live.publish(user(1), &new, change).await.unwrap(), Published::Refused, "a repeat");
    assert_eq!(cached(&live, 1).await, new);
}

#[tokio::test]
async fn only_a_later_version_is_written_over_another() {
    let Fixture { live, prefix: _prefix, .. } = fixture().await;
    let ticket = missed(&live, 1).await;
    // Two versions that one Lua number would take for the same, and one whose halves lie.
    let versions = [(1 << 32) | 5, (1 << 53) | 9, u64::MAX - 1, u64::MAX];
    live.publish(user(1), &set(5 << 16, &[], MINUTE), ticket).await.unwrap();
    let bare = Ticket { lease: None, ..ticket };
    for version in versions {
        let next = set(version, &[version], MINUTE);
        assert_eq!(live.publish(user(1), &next, bare).await.unwrap(), Published::Written, "{version}");
        for refused in [version, version - 1] {
            let refused = set(refused, &[], MINUTE);
            assert_eq!(live.publish(user(1), &refused, bare).await.unwrap(), Published::Refused);
        }
        assert_eq!(cached(&live, 1).await, next);
    }
}

#[tokio::test]
async fn lifetimes_are_counted_from_the_ticket_and_never_stretched() {
    let Fixture { live, clock, prefix: _prefix } = fixture().await;
    let ticket = missed(&live, 1).await;
    clock.advance(Duration::from_secs(1));
    let mut sessions = set(7, &[5, 6, 7], MINUTE * 10);
    sessions.sessions[1].remaining = Duration::from_secs(20);
    live.publish(user(1), &sessions, ticket).await.unwrap();
    let left = |set: &SessionSet| set.sessions.iter().map(|s| s.remaining.as_micros()).collect::<Vec<_>>();
    assert_eq!(left(&cached(&live, 1).await), [599_000_000, 19_000_000, 599_000_000]);
    clock.advance(Duration::from_secs(19));
    assert_eq!(left(&cached(&live, 1).await), [580_000_000, 580_000_000]);
    clock.advance(Duration::from_micros(39_999_999));
    assert_eq!(cached(&live, 1).await.sessions.len(), 2);
    clock.advance(Duration::from_micros(1));
    assert!(missed(&live, 1).await.lease.is_some());
}

#[tokio::test]
async fn a_publish_that_comes_too_late_writes_nothing_and_leaves_nothing_older() {
    let Fixture { live, clock, prefix: _prefix } = fixture().await;
    let slow = missed(&live, 1).await;
    clock.advance(MINUTE);
    let quick = missed(&live, 1).await;
    live.publish(user(1), &set(1, &[1], MINUTE), quick).await.unwrap();
    assert_eq!(live.publish(user(1), &set(2, &[], MINUTE), slow).await.unwrap(), Published::Refused);
    missed(&live, 1).await;
}

#[tokio::test]
async fn a_ticket_from_the_future_counts_from_now() {
    let Fixture { live, clock, prefix: _prefix } = fixture().await;
    let ticket = missed(&live, 1).await;
    clock.step_back(Duration::from_secs(30));
    live.publish(user(1), &set(1, &[1], MINUTE), ticket).await.unwrap();
    assert_eq!(cached(&live, 1).await, set(1, &[1], MINUTE));
    clock.advance(MINUTE);
    missed(&live, 1).await;
}

#[tokio::test]
async fn what_is_damaged_is_a_miss_and_goes() {
    let Fixture { live, prefix, .. } = fixture().await;
    let mut side = beside(prefix.url());
    let (entry, lease) = (format!("{prefix}:{{1}}:1"), format!("{prefix}:{{1}}:e:1"));
    let ticket = missed(&live, 1).await;
    live.publish(user(1), &set(1, &[1], MINUTE), ticket).await.unwrap();
    let good: Vec<u8> = redis::cmd("GET").arg(&entry).query(&mut side).unwrap();
    assert_eq!(good.len(), 7 + 23 + 47);
    let other_format = [b"\x01", &good[1..]].concat();
    for bad in [&[][..], &good[..76], &good[..6], &[&good[..], b"x"].concat(), &other_format] {
        redis::cmd("SET").arg(&entry).arg(bad).exec(&mut side).unwrap();
        redis::cmd("SET").arg(&lease).arg(bad).exec(&mut side).unwrap();
        assert!(missed(&live, 1).await.lease.is_some());
        let kept: bool = redis::cmd("EXISTS").arg(&entry).query(&mut side).unwrap();
        assert!(!kept);
    }
    redis::cmd("SADD").arg(&entry).arg("another type").exec(&mut side).unwrap();
    redis::cmd("DEL").arg(&lease).exec(&mut side).unwrap();
    let ticket = missed(&live, 1).await;
    let written = live.publish(user(1), &set(2, &[2], MINUTE), ticket).await.unwrap();
    assert_eq!(written, Published::Written);
}
