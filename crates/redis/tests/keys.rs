//! What is left in an engine: every key under the prefix and a hash tag, and a TTL on all that can go stale.
#![allow(clippy::unwrap_used, reason = "tests stop where something fails")]

mod common;

use std::time::Duration;

use common::{beside, connect, epoch, log_in, options, policy, runs, set, user};
use futures_util::future::join_all;
use tollbar_core::{
    domain::{Fingerprint, Subject},
    ports::{CallTracker, Crossing, Lookup, OneTrip, RateLimiter, SessionCache},
};
use tollbar_redis::RedisLive;
use tollbar_testkit::PrivateRedis;

fn key_of(number: u64) -> Subject {
    Subject::header("x-api-key", Some(&number.to_be_bytes()))
}

fn path_of(number: u64) -> Fingerprint {
    Fingerprint::of_path(&format!("/orders/{number}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_key_is_ours_and_what_can_go_stale_goes() {
    let redis = PrivateRedis::start();
    let live = connect(&redis.url(), "own").await;
    let ping = policy(&[(1, Duration::from_secs(5)), (2, Duration::from_secs(60))], 1);
    let short = policy(&[(2, Duration::from_secs(5))], 1);
    for id in 1..=40 {
        let Lookup::Miss { ticket } = live.lookup(user(id)).await.unwrap() else { panic!("a hit") };
        live.publish(user(id), &set(1, &[1], Duration::from_secs(9)), ticket).await.unwrap();
        live.change(user(id + 100)).await.unwrap();
        live.lookup(user(id + 200)).await.unwrap();
        live.decide(&ping, user(id).into()).await.unwrap();
        // A policy that has become shorter does not shorten what is known of the longer one.
        assert!(live.decide(&short, user(id).into()).await.unwrap().allowed());
        live.peek(&ping, user(id + 100).into()).await.unwrap();
        live.record(ping.api(), user(id), epoch()).await.unwrap();
        // Of what is no user, and of each path of a user: from one trip they live a minute longer, as a user's record does.
        live.decide(&ping, key_of(id)).await.unwrap();
        live.decide(&ping.at_path(path_of(id)), user(id).into()).await.unwrap();
    }
    let mut side = beside(&redis.url());
    let keys: Vec<String> = redis::cmd("KEYS").arg("*").query(&mut side).unwrap();
    // Records of users 1 to 40, of as many headers and of as many paths; leases of a change and of a look-up; totals, board,
    // sketch and what is noted of calls, of each partition.
    assert_eq!(keys.len(), 40 + 40 + 40 + 40 + 40 + 4 * 16);
    for key in &keys {
        let [prefix, tag, kind] = key.splitn(4, ':').collect::<Vec<_>>()[..3] else { panic!("{key}") };
        let partition = tag.strip_prefix('{').and_then(|tag| tag.strip_suffix('}')).unwrap();
        assert!(prefix == "own" && partition.parse::<u16>().unwrap() < 16, "{key}");
        let ttl: i64 = redis::cmd("PTTL").arg(key).query(&mut side).unwrap();
        let longest = match kind {
            "e" => 2_000,
            "calls" | "board" | "sketch" => {
                assert_eq!(ttl, -1, "{key}");
                continue;
            }
            "pending" => 7 * 86_400_000,
            "s" => 60_000,
            user if user.parse::<u64>().is_ok() => 60_000,
            _ => panic!("{key}"),
        };
        // What goes too early is as wrong: a limit that is forgotten admits too much.
        assert!(ttl > longest - 1_500 && ttl <= longest, "{key} lives {ttl} ms");
    }
    live.shutdown().await;
}

/// On the engine's own clock, whatever way an admission takes through its script.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_lives_as_long_as_admissions_need_it() {
    let redis = PrivateRedis::start();
    let live = connect(&redis.url(), "own").await;
    let many = policy(&[(50, Duration::from_secs(600))], 1);
    let (key, token) = ("own:{3}:3", log_in(&live, 3).await);
    let ttl = || match redis.run(&["PTTL", key]) {
        redis::Value::Int(ttl) => ttl,
        other => panic!("{other:?}"),
    };
    let shorten = || {
        // As it is a while later: the key and what the record says of it both end in five seconds.
        let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
        let ends = u32::try_from(now + 5).unwrap().to_be_bytes();
        redis::cmd("SETRANGE").arg(key).arg(1).arg(&ends[..]).exec(&mut beside(&redis.url())).unwrap();
        redis.run(&["PEXPIRE", key, "5000"]);
    };
    for plain in [true, false] {
        for round in 0..3 {
            if plain {
                assert!(matches!(live.admit(&token, &many, epoch()).await.unwrap(), Crossing::Admitted(_)));
            } else {
                assert!(live.charge(user(3), &many, epoch()).await.unwrap().allowed());
            }
            let lives = ttl();
            assert!((598_500..=661_500).contains(&lives), "{lives} ms, plain: {plain}, round {round}");
            shorten();
        }
    }
    // While it lives long enough, an admission of the common kind only writes into it.
    live.charge(user(3), &many, epoch()).await.unwrap();
    let (before, written) = (ttl(), runs(&redis, "setrange"));
    tokio::time::sleep(Duration::from_millis(30)).await;
    assert!(matches!(live.admit(&token, &many, epoch()).await.unwrap(), Crossing::Admitted(_)));
    assert_eq!(runs(&redis, "setrange") - written, 1);
    assert!(ttl() < before);
    live.shutdown().await;
}

/// A node of a cluster refuses a script whose keys are in different slots, and one that touches a key it does not name.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_script_finds_its_keys_on_one_node_of_a_cluster() {
    let redis = PrivateRedis::options().config("cluster-enabled", "yes").start();
    redis.run(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]);
    let url = redis.url().replace("redis://", "redis-cluster://").replace("/0", "");
    let live = RedisLive::connect(options(&url, "own")).await.unwrap();
    let ping = policy(&[(1, Duration::from_secs(5))], 1);
    let ready = async {
        while live.drop_entry(user(1)).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), ready).await.expect("a cluster of one is soon up");
    for id in 1..=20 {
        let Lookup::Miss { ticket } = live.lookup(user(id)).await.unwrap() else { panic!("a hit") };
        live.publish(user(id), &set(1, &[1], Duration::from_secs(9)), ticket).await.unwrap();
        live.change(user(id)).await.unwrap();
        assert!(live.peek(&ping, user(id).into()).await.unwrap().allowed());
        assert!(live.decide(&ping, user(id).into()).await.unwrap().allowed());
        live.record(ping.api(), user(id), epoch()).await.unwrap();
    }
    // Limits that are kept apart from a user's record, and those of what is no user, decided at the same time as the others.
    let apart: Vec<_> = (21..=60).map(|id| ping.at_path(path_of(id))).collect();
    let at_paths = (21..=60).zip(&apart).map(|(id, policy)| live.charge(user(id), policy, epoch()));
    let keys = (1..=40).map(|number| live.limit(key_of(number), &ping));
    let (at_paths, keys) = tokio::join!(join_all(at_paths), join_all(keys));
    assert!(at_paths.into_iter().chain(keys).all(|decision| decision.unwrap().allowed()));
    assert!(!live.decide(&ping, key_of(1)).await.unwrap().allowed());
    let charged = join_all((21..=60).map(|id| live.charge(user(id), &ping, epoch()))).await;
    assert!(charged.into_iter().all(|decision| decision.unwrap().allowed()));
    let top = live.top(ping.api(), 10).await.unwrap();
    live.raise(ping.api(), &top).await.unwrap();
    assert_eq!((top.len(), live.distinct(ping.api()).await.unwrap()), (10, 60));
    live.shutdown().await;
}
