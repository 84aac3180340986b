//! A cluster whose slots move and whose servers die: calls find their way, and nothing is done twice or half.
#![allow(clippy::unwrap_used, reason = "tests stop where something fails")]

mod common;

use std::{collections::HashMap, time::Duration};

use common::{api, connect, epoch, errors, log_in, options, policy, up_within, user};
use tokio::{
    task::spawn_blocking,
    time::{sleep, timeout},
};
use tollbar_core::{
    StoreError,
    domain::SessionToken,
    ports::{CallTracker, Crossing, Lookup, OneTrip, PendingCalls, RateLimiter, SessionCache},
};
use tollbar_redis::{RedisLive, RedisOptions};
use tollbar_testkit::PrivateCluster;

const MINUTE: Duration = Duration::from_secs(60);

/// Another primary than the one that has the slot.
fn other(cluster: &PrivateCluster, slot: u16) -> usize {
    (cluster.node_of(slot) + 1) % 3
}

fn must_pass<T>(answer: Result<T, StoreError>) -> Option<T> {
    match answer {
        Ok(answer) => Some(answer),
        Err(error) => {
            assert!(error.is_transient(), "{error:?}");
            None
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slot_that_has_moved_is_followed_at_once() {
    let cluster = PrivateCluster::start();
    let live = connect(&cluster.url(), "tb").await;
    let one = policy(&[(1, MINUTE)], 1);
    assert!(live.decide(&one, user(3).into()).await.unwrap().allowed());
    let slot = cluster.slot_of("tb:{3}:3");
    let (before, to) = (cluster.node_of(slot), other(&cluster, slot));
    cluster.move_slot(slot, to);
    assert!(!live.decide(&one, user(3).into()).await.unwrap().allowed(), "what was known moves along");
    assert!(live.decide(&one, user(19).into()).await.unwrap().allowed());
    assert!(live.lookup(user(3)).await.is_ok());
    live.record(&api(), user(3), epoch()).await.unwrap();
    let moved = errors(&cluster.nodes()[before], "MOVED");
    assert!(moved > 0, "the old server has sent us on");
    for _ in 0..50 {
        live.decide(&one, user(3).into()).await.unwrap();
    }
    assert_eq!(errors(&cluster.nodes()[before], "MOVED"), moved, "once is enough");
    live.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slot_that_is_moving_is_asked_for_where_it_goes() {
    let cluster = PrivateCluster::start();
    let live = connect(&cluster.url(), "tb").await;
    let one = policy(&[(1, MINUTE)], 1);
    // The target knows the script or not: both ways are gone.
    let slot = cluster.slot_of("tb:{3}:3");
    let (from, to) = (cluster.node_of(slot), other(&cluster, slot));
    let moving = cluster.begin_move(slot, to);
    assert!(live.decide(&one, user(3).into()).await.unwrap().allowed());
    assert!(!live.decide(&one, user(3).into()).await.unwrap().allowed());
    assert!(live.decide(&one, user(19).into()).await.unwrap().allowed());
    assert!(errors(&cluster.nodes()[from], "ASK") > 0);
    let kept = cluster.nodes()[to].run(&["CLUSTER", "COUNTKEYSINSLOT", &slot.to_string()]);
    assert_eq!(kept, redis::Value::Int(2), "it was done where the slot goes");
    cluster.finish_move(moving);
    assert!(!live.decide(&one, user(3).into()).await.unwrap().allowed());
    live.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_waits_for_a_slot_that_is_half_moved() {
    let cluster = PrivateCluster::start();
    let brief = RedisOptions { deadline: Duration::from_millis(150), ..options(&cluster.url(), "tb") };
    let (patient, brief) = (connect(&cluster.url(), "tb").await, RedisLive::connect(brief).await.unwrap());
    let two = policy(&[(2, MINUTE)], 1);
    assert!(patient.charge(user(3), &two, epoch()).await.unwrap().allowed());
    let slot = cluster.slot_of("tb:{3}:3");
    let moving = cluster.begin_move(slot, other(&cluster, slot));
    let refused = timeout(Duration::from_millis(250), brief.charge(user(3), &two, epoch())).await.unwrap();
    let refused = refused.unwrap_err();
    assert!(refused.is_transient(), "{refused:?}");
    let waits = {
        let (patient, two) = (patient.clone(), two.clone());
        tokio::spawn(async move { patient.charge(user(3), &two, epoch()).await })
    };
    sleep(Duration::from_millis(100)).await;
    assert!(!waits.is_finished());
    cluster.finish_move(moving);
    // The refused call was not charged.
    let decision = waits.await.unwrap().unwrap();
    assert!(decision.allowed() && decision.windows[0].remaining == 0, "{decision:?}");
    for live in [patient, brief] {
        live.shutdown().await;
    }
}

/// A script may not touch a key that it has deleted, once the key's slot is on its way.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_is_announced_while_its_slot_is_moving() {
    let cluster = PrivateCluster::start();
    let live = connect(&cluster.url(), "tb").await;
    let one = policy(&[(1, MINUTE)], 1);
    log_in(&live, 3).await;
    assert!(live.decide(&one, user(3).into()).await.unwrap().allowed());
    live.change(user(3)).await.unwrap();
    // Now there are both keys, and the server that has them answers as long as they are there.
    let slot = cluster.slot_of("tb:{3}:3");
    let moving = cluster.begin_move(slot, other(&cluster, slot));
    let change = live.change(user(3)).await.unwrap();
    live.drop_entry(user(3)).await.unwrap();
    assert!(!live.decide(&one, user(3).into()).await.unwrap().allowed());
    cluster.finish_move(moving);
    let set = common::set(2, &[2], MINUTE);
    live.publish(user(3), &set, change).await.unwrap();
    assert!(!live.decide(&one, user(3).into()).await.unwrap().allowed());
    live.shutdown().await;
}

/// What one user's task has seen.
#[derive(Default)]
struct Seen {
    sent: u64,
    admitted: u64,
}

/// Admissions and whatever else happens to a user, for a while.
async fn traffic(live: RedisLive, id: u64, token: SessionToken) -> (u64, Seen) {
    let limit = policy(&[(40, MINUTE)], 1);
    let mut seen = Seen::default();
    for round in 0..60 {
        seen.sent += 1;
        match must_pass(live.admit(&token, &limit, epoch()).await) {
            Some(Crossing::Admitted(_)) => seen.admitted += 1,
            // Where a slot comes to, no session of before is believed.
            Some(Crossing::Unknown) => {
                if let Some(ticket) = must_pass(live.change(user(id)).await) {
                    must_pass(live.publish(user(id), &common::set_of(&token), ticket).await);
                }
            }
            _ => {}
        }
        match round % 6 {
            0 => drop(must_pass(live.peek(&limit, user(id).into()).await)),
            2 => drop(must_pass(live.lookup(user(id)).await)),
            _ => sleep(Duration::from_millis(20)).await,
        }
    }
    (id, seen)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_admitted_twice_or_lost_while_slots_move() {
    let cluster = PrivateCluster::start();
    let lives = [connect(&cluster.url(), "tb").await, connect(&cluster.url(), "tb").await];
    let mut tasks = Vec::new();
    for id in [3, 19, 35, 4, 5, 6, 7, 8] {
        let token = log_in(&lives[0], id).await;
        tasks.push(tokio::spawn(traffic(lives[usize::from(id % 2 == 0)].clone(), id, token)));
    }
    let cluster = spawn_blocking(move || {
        for _ in 0..3 {
            for partition in [3, 4] {
                let slot = cluster.slot_of(&format!("tb:{{{partition}}}:1"));
                let moving = cluster.begin_move(slot, other(&cluster, slot));
                while cluster.move_some_keys(moving, 2) > 0 {
                    std::thread::sleep(Duration::from_millis(30));
                }
                cluster.finish_move(moving);
            }
        }
        cluster
    })
    .await
    .unwrap();
    let mut all = HashMap::new();
    for task in tasks {
        let (id, seen) = timeout(Duration::from_secs(30), task).await.unwrap().unwrap();
        all.insert(id, seen);
    }
    let mut noted = HashMap::new();
    for tally in lives[0].pending(epoch()).await.unwrap() {
        noted.insert(tally.user.get(), tally.calls);
    }
    let top: HashMap<_, _> =
        lives[1].top(&api(), 10).await.unwrap().into_iter().map(|top| (top.user.get(), top.calls)).collect();
    for (id, seen) in &all {
        let counted = top[id];
        assert!(seen.admitted <= 40 && seen.admitted > 10, "{id}: {} of {}", seen.admitted, seen.sent);
        assert!(
            (seen.admitted..=40).contains(&counted),
            "{id}: {} admitted, {counted} counted",
            seen.admitted
        );
        assert_eq!(noted[id], counted, "{id}: what is counted is noted");
        let left = lives[0].peek(&policy(&[(40, MINUTE)], 1), user(*id).into()).await.unwrap();
        assert_eq!(u64::from(40 - left.windows[0].remaining), counted, "{id}: what is counted is charged");
    }
    for live in lives {
        live.shutdown().await;
    }
    drop(cluster);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_takes_over_is_found() {
    let mut cluster = PrivateCluster::options().replicas().start();
    let live = connect(&cluster.url(), "tb").await;
    let many = policy(&[(10_000, MINUTE)], 1);
    for id in 1..=16 {
        assert!(live.decide(&many, user(id).into()).await.unwrap().allowed());
    }
    let slot = cluster.slot_of("tb:{3}:3");
    let dead = cluster.node_of(slot);
    let elsewhere =
        (1..=16).find(|id| cluster.node_of(cluster.slot_of(&format!("tb:{{{}}}:1", id % 16))) != dead);
    cluster.kill9(dead);
    let (cluster, promoted) = {
        let live = live.clone();
        let many = many.clone();
        let others = tokio::spawn(async move {
            for _ in 0..40 {
                // The others have nothing to do with it.
                let answer = live.decide(&many, user(elsewhere.unwrap()).into()).await;
                assert!(answer.unwrap().allowed());
                sleep(Duration::from_millis(20)).await;
            }
        });
        let promoted = spawn_blocking(move || {
            let promoted = cluster.node_of(slot);
            (cluster, promoted)
        });
        others.await.unwrap();
        promoted.await.unwrap()
    };
    assert_eq!(promoted, dead + 3);
    let served = async {
        while must_pass(live.decide(&many, user(3).into()).await).is_none() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_millis(1_500), served).await.expect("served soon after the promotion");
    up_within(Duration::from_secs(1), &live).await;
    live.shutdown().await;
    drop(cluster);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_that_is_away_at_the_start_is_found_when_it_comes() {
    let mut cluster = PrivateCluster::start();
    for node in 0..3 {
        cluster.kill9(node);
    }
    let live = timeout(Duration::from_secs(1), connect(&cluster.url(), "tb")).await.unwrap();
    let limit = Duration::from_millis(50);
    let refused = timeout(limit, live.lookup(user(1))).await.expect("at once").unwrap_err();
    assert!(refused.is_transient(), "{refused:?}");
    for node in 0..3 {
        cluster.start_again(node);
    }
    cluster.wait_until_ok();
    up_within(Duration::from_secs(2), &live).await;
    let Lookup::Miss { .. } = live.lookup(user(1)).await.unwrap() else { panic!("a hit") };
    live.shutdown().await;
}

/// A server that hangs fails its own calls, and no others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_hangs_does_not_stand_in_the_way_to_the_others() {
    let cluster = PrivateCluster::start();
    let brief = RedisOptions { deadline: Duration::from_millis(200), ..options(&cluster.url(), "tb") };
    let live = RedisLive::connect(brief).await.unwrap();
    let many = policy(&[(10_000, MINUTE)], 1);
    let hung = cluster.node_of(cluster.slot_of("tb:{3}:3"));
    let is_there = |id: u64| cluster.node_of(cluster.slot_of(&format!("tb:{{{}}}:1", id % 16))) == hung;
    let (there, elsewhere): (Vec<_>, Vec<_>) = (1..=16).partition(|id| is_there(*id));
    for id in 1..=16 {
        live.decide(&many, user(id).into()).await.unwrap();
    }
    cluster.nodes()[hung].pause();
    for id in there.iter().cycle().take(6) {
        assert!(must_pass(live.decide(&many, user(*id).into()).await).is_none());
        for id in &elsewhere {
            assert!(live.decide(&many, user(*id).into()).await.unwrap().allowed());
        }
    }
    cluster.nodes()[hung].resume();
    up_within(Duration::from_secs(5), &live).await;
    live.shutdown().await;
}
