//! An engine that comes back from a restart: what sessions it remembers is not believed, what limits it remembers is.
#![allow(clippy::unwrap_used, reason = "tests stop where something fails")]

mod common;

use std::time::Duration;

use common::{connect, epoch, log_in, policy, set, user};
use tollbar_core::ports::{
    CallTracker, Crossing, HealthCheck, Lookup, OneTrip, Published, RateLimiter, SessionCache,
};
use tollbar_redis::RedisLive;
use tollbar_testkit::PrivateRedis;

const MINUTE: Duration = Duration::from_secs(60);

async fn restarted(redis: &mut PrivateRedis, live: &RedisLive) {
    redis.kill9();
    redis.start_again();
    let up = async {
        while live.check().await.is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(2), up).await.expect("Redis is back");
}

fn leases(redis: &PrivateRedis) -> usize {
    match redis.run(&["KEYS", "tb:*:e:*"]) {
        redis::Value::Array(keys) => keys.len(),
        other => panic!("{other:?}"),
    }
}

/// Whether a user's record holds a set of sessions, whatever its stamp.
fn has_set(redis: &PrivateRedis, id: u64) -> bool {
    match redis.run(&["GETRANGE", &format!("tb:{{{id}}}:{id}"), "5", "6"]) {
        redis::Value::BulkString(sessions) => sessions != [0, 0],
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entries_and_leases_of_before_are_gone_while_limits_and_counts_go_on() {
    let mut redis = PrivateRedis::options().append_only().start();
    let live = connect(&redis.url(), "tb").await;
    let ping = policy(&[(1, MINUTE)], 1);
    for id in [1, 2] {
        let Lookup::Miss { ticket } = live.lookup(user(id)).await.unwrap() else { panic!("a hit") };
        let filled = live.publish(user(id), &set(1, &[1], MINUTE), ticket).await.unwrap();
        assert_eq!(filled, Published::Written);
        assert!(live.decide(&ping, user(id).into()).await.unwrap().allowed());
        live.record(ping.api(), user(id), epoch()).await.unwrap();
    }
    let change = live.change(user(3)).await.unwrap();
    let Lookup::Miss { ticket: reader } = live.lookup(user(4)).await.unwrap() else { panic!("a hit") };
    restarted(&mut redis, &live).await;
    assert!(has_set(&redis, 1) && has_set(&redis, 2) && leases(&redis) == 2, "the file has kept them");

    // A read: a miss, with a lease of the new run, and the entry goes.
    let Lookup::Miss { ticket } = live.lookup(user(1)).await.unwrap() else { panic!("a hit") };
    assert!(ticket.lease.is_some());
    assert!(!has_set(&redis, 1));
    // A write that is refused takes the entry of before along.
    let bare = tollbar_core::ports::Ticket { lease: None, ..ticket };
    assert_eq!(live.publish(user(2), &set(2, &[2], MINUTE), bare).await.unwrap(), Published::Refused);
    assert!(!has_set(&redis, 2));
    // Leases of before fill nothing, and stand in nobody's way.
    assert_eq!(live.publish(user(3), &set(2, &[2], MINUTE), change).await.unwrap(), Published::Refused);
    let Lookup::Miss { ticket } = live.lookup(user(4)).await.unwrap() else { panic!("a hit") };
    assert!(ticket.lease.is_some() && ticket.lease != reader.lease);

    for id in [1, 2] {
        assert!(!live.decide(&ping, user(id).into()).await.unwrap().allowed());
    }
    assert_eq!(live.distinct(ping.api()).await.unwrap(), 2);
    assert_eq!(live.top(ping.api(), 10).await.unwrap().len(), 2);
    live.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_admission_believes_no_session_of_before() {
    let mut redis = PrivateRedis::options().append_only().start();
    let live = connect(&redis.url(), "tb").await;
    let (token, twice) = (log_in(&live, 1).await, policy(&[(2, MINUTE)], 1));
    assert!(matches!(live.admit(&token, &twice, epoch()).await.unwrap(), Crossing::Admitted(_)));
    restarted(&mut redis, &live).await;
    assert!(has_set(&redis, 1), "the file has kept it");
    assert_eq!(live.admit(&token, &twice, epoch()).await.unwrap(), Crossing::Unknown);
    let left = live.charge(user(1), &twice, epoch()).await.unwrap().windows[0].remaining;
    assert_eq!(left, 0, "what was admitted before is remembered");
    live.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_is_asked_nothing() {
    let primary = PrivateRedis::start();
    let live = connect(&primary.url(), "tb").await;
    live.change(user(1)).await.unwrap();
    let elsewhere = PrivateRedis::start();
    primary.run(&["REPLICAOF", "127.0.0.1", &elsewhere.port().to_string()]);
    for error in [
        live.lookup(user(1)).await.unwrap_err(),
        live.change(user(1)).await.unwrap_err(),
        live.decide(&policy(&[(1, MINUTE)], 1), user(1).into()).await.unwrap_err(),
    ] {
        assert!(error.is_transient() && format!("{error:?}").contains("READONLY"), "{error:?}");
    }
    live.shutdown().await;
}
