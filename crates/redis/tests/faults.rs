//! An engine that is away, hung, full or forgetful: calls end in time and tell what passes.
#![allow(clippy::unwrap_used, reason = "tests stop where something fails")]

mod common;

use std::{future::Future, time::Duration};

use common::{api, connect, epoch, log_in, options, policy, set, user};
use tokio::time::{sleep, timeout};
use tollbar_core::{
    StoreError,
    ports::{CallTracker, HealthCheck, Lookup, OneTrip, Published, RateLimiter, SessionCache, WhichLimits},
};
use tollbar_redis::{RedisLive, RedisOptions};
use tollbar_testkit::{PrivateRedis, Proxy};

const DEADLINE: Duration = Duration::from_millis(200);

async fn impatient(url: &str) -> RedisLive {
    RedisLive::connect(RedisOptions { deadline: DEADLINE, ..options(url, "tb") }).await.unwrap()
}

async fn within<T>(limit: Duration, call: impl Future<Output = T>) -> T {
    timeout(limit, call).await.expect("the call ends in time")
}

async fn up(live: &RedisLive) {
    while live.check().await.is_err() {
        sleep(Duration::from_millis(5)).await;
    }
}

fn passes<T: std::fmt::Debug>(answer: Result<T, StoreError>) {
    let error = answer.expect_err("the engine cannot do this now");
    assert!(error.is_transient(), "{error:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_engine_that_is_away_at_the_start_is_found_when_it_comes() {
    let mut redis = PrivateRedis::start();
    redis.kill9();
    let live = within(Duration::from_secs(1), impatient(&redis.url())).await;
    for _ in 0..5 {
        passes(within(DEADLINE / 4, live.lookup(user(1))).await);
        sleep(Duration::from_millis(150)).await;
    }
    redis.start_again();
    within(Duration::from_secs(1), up(&live)).await;
    live.record(&api(), user(1), epoch()).await.unwrap();
    redis.kill9();
    sleep(Duration::from_millis(100)).await;
    passes(within(DEADLINE / 4, live.record(&api(), user(1), epoch())).await);
    redis.start_again();
    within(Duration::from_secs(1), up(&live)).await;
    live.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_to_a_hung_engine_end_within_the_deadline() {
    let redis = PrivateRedis::start();
    let live = impatient(&redis.url()).await;
    let ping = policy(&[(1, Duration::from_secs(60))], 1);
    live.check().await.unwrap();
    redis.pause();
    let limit = DEADLINE + Duration::from_millis(50);
    for id in 1..=4 {
        passes(within(limit, live.decide(&ping, user(id).into())).await);
        passes(within(limit, live.lookup(user(id))).await);
        passes(within(limit, live.top(&api(), 10)).await);
    }
    passes(within(limit, live.check()).await);
    redis.resume();
    within(Duration::from_secs(2), up(&live)).await;
    assert!(live.decide(&ping, user(99).into()).await.unwrap().allowed());
    redis.pause();
    within(Duration::from_secs(2), live.shutdown()).await;
    redis.resume();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_engine_comes_to_when_nobody_waits_any_more_is_not_done() {
    let redis = PrivateRedis::start();
    let live = impatient(&redis.url()).await;
    let ten = policy(&[(10, Duration::from_secs(60))], 1);
    let token = log_in(&live, 1).await;
    live.admit(&token, &ten, epoch()).await.unwrap();
    live.record(&api(), user(2), epoch()).await.unwrap();
    live.decide(&ten, user(3).into()).await.unwrap();
    redis.pause();
    let (place, epoch) = (api(), epoch());
    let (admitted, recorded, decided) = tokio::join!(
        live.admit(&token, &ten, epoch),
        live.record(&place, user(2), epoch),
        live.decide(&ten, user(3).into())
    );
    passes(admitted);
    passes(recorded);
    passes(decided);
    redis.resume();
    within(Duration::from_secs(2), up(&live)).await;
    // What was written to it while it hung has had its turn.
    sleep(Duration::from_millis(100)).await;
    for id in [1, 3] {
        assert_eq!(live.peek(&ten, user(id).into()).await.unwrap().windows[0].remaining, 9, "{id}");
    }
    let top = live.top(&api(), 10).await.unwrap();
    assert!(top.len() == 2 && top.iter().all(|caller| caller.calls == 1), "{top:?}");
    live.admit(&token, &ten, epoch).await.unwrap();
    live.shutdown().await;
}

/// Long enough for connections to be given up one by one, while others are still there to be written to.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_done_late_of_all_that_an_engine_was_sent_in_a_long_hang() {
    let redis = PrivateRedis::start();
    let live = impatient(&redis.url()).await;
    let many = policy(&[(1_000, Duration::from_secs(60))], 1);
    let token = log_in(&live, 1).await;
    live.admit(&token, &many, epoch()).await.unwrap();
    redis.pause();
    let calls = (0..50).map(|_| async {
        passes(live.admit(&token, &many, epoch()).await);
        passes(live.decide(&many, user(3).into()).await);
        sleep(Duration::from_millis(20)).await;
    });
    let hung = async {
        for call in calls {
            call.await;
        }
    };
    // The breaker lets few through, so this is over long before the hang is.
    let _ =
        timeout(Duration::from_secs(4), async { tokio::join!(hung, sleep(Duration::from_secs(3))) }).await;
    redis.resume();
    within(Duration::from_secs(2), up(&live)).await;
    sleep(Duration::from_millis(100)).await;
    assert_eq!(live.peek(&many, user(1).into()).await.unwrap().windows[0].remaining, 999);
    assert_eq!(live.peek(&many, user(3).into()).await.unwrap().windows[0].remaining, 1_000);
    live.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_answer_is_asked_for_again_only_where_that_does_no_harm() {
    let redis = PrivateRedis::start();
    let proxy = Proxy::to_url(&redis.url());
    let live = connect(&proxy.url(&redis.url()), "tb").await;
    let three = policy(&[(3, Duration::from_secs(60))], 1);
    live.record(&api(), user(1), epoch()).await.unwrap();
    assert!(live.decide(&three, user(2).into()).await.unwrap().allowed());
    // The engine must know all five scripts, or it would answer that it does not and run nothing.
    live.lookup(user(3)).await.unwrap();
    let ticket = live.change(user(3)).await.unwrap();
    live.publish(user(3), &set(1, &[1], Duration::from_secs(9)), ticket).await.unwrap();
    proxy.hold_answers();
    let (counting, deciding, looking) = (live.clone(), live.clone(), live.clone());
    let (changing, publishing) = (live.clone(), live.clone());
    let decided = tokio::spawn({
        let three = three.clone();
        async move { deciding.decide(&three, user(2).into()).await }
    });
    let mut counted = tokio::spawn(async move { counting.record(&api(), user(1), epoch()).await });
    let looked = tokio::spawn(async move { looking.lookup(user(1)).await });
    let changed = tokio::spawn(async move { changing.change(user(4)).await });
    let published = tokio::spawn(async move {
        publishing.publish(user(3), &set(2, &[2], Duration::from_secs(9)), ticket).await
    });
    sleep(Duration::from_millis(100)).await;
    // The connection breaks and is back long before the deadline.
    proxy.refuse();
    sleep(Duration::from_millis(50)).await;
    proxy.pass();
    let early = timeout(Duration::from_millis(500), &mut counted).await;
    assert!(early.is_err(), "told so while it could still have been done");
    passes(counted.await.unwrap());
    passes(decided.await.unwrap());
    // The first copy of these could be executed after a later change, and then hand out the lease anew.
    passes(looked.await.unwrap());
    passes(changed.await.unwrap());
    // It was run twice, and the second run found the set written.
    assert_eq!(published.await.unwrap().unwrap(), Published::Refused);
    within(Duration::from_secs(2), up(&live)).await;
    assert_eq!(live.top(&api(), 1).await.unwrap()[0].calls, 2);
    assert_eq!(live.peek(&three, user(2).into()).await.unwrap().windows[0].remaining, 1);
    live.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_calls_are_under_way_than_agreed() {
    let redis = PrivateRedis::start();
    let options = RedisOptions { max_in_flight: 3.try_into().unwrap(), ..options(&redis.url(), "tb") };
    let live = RedisLive::connect(options).await.unwrap();
    redis.pause();
    let held = (0..3).map(|id| {
        let live = live.clone();
        tokio::spawn(async move { live.lookup(user(id + 1)).await })
    });
    let held: Vec<_> = held.collect();
    sleep(Duration::from_millis(50)).await;
    let refused = within(Duration::from_millis(20), live.lookup(user(9))).await.unwrap_err();
    assert!(refused.is_transient() && format!("{refused:?}").contains("too many callers"), "{refused:?}");
    redis.resume();
    for call in held {
        call.await.unwrap().unwrap();
    }
    live.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_engine_that_forgets_its_scripts_is_told_again() {
    let redis = PrivateRedis::start();
    let live = connect(&redis.url(), "tb").await;
    let ping = policy(&[(1_000, Duration::from_secs(600))], 1);
    let tasks = (1..=10).map(|id| {
        let (live, ping) = (live.clone(), ping.clone());
        tokio::spawn(async move {
            for _ in 0..200 {
                assert!(live.decide(&ping, user(id).into()).await.unwrap().allowed());
                live.record(&api(), user(id), epoch()).await.unwrap();
            }
        })
    });
    let tasks: Vec<_> = tasks.collect();
    for _ in 0..20 {
        redis.run(&["SCRIPT", "FLUSH"]);
        sleep(Duration::from_millis(5)).await;
    }
    for task in tasks {
        task.await.unwrap();
    }
    let top = live.top(&api(), 10).await.unwrap();
    assert!(top.len() == 10 && top.iter().all(|caller| caller.calls == 200), "{top:?}");
    live.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_engine_still_takes_what_revokes() {
    let redis = PrivateRedis::start();
    let live = connect(&redis.url(), "tb").await;
    let ping = policy(&[(1, Duration::from_secs(60))], 1);
    let Lookup::Miss { ticket } = live.lookup(user(1)).await.unwrap() else { panic!("a hit") };
    live.publish(user(1), &set(1, &[1], Duration::from_secs(60)), ticket).await.unwrap();
    assert!(live.decide(&ping, user(2).into()).await.unwrap().allowed());
    redis.run(&["CONFIG", "SET", "maxmemory", "1"]);
    passes(live.decide(&ping, user(1).into()).await);
    passes(live.record(&api(), user(1), epoch()).await);
    live.peek(&ping, user(1).into()).await.unwrap();
    let change = live.change(user(1)).await.unwrap();
    let published = live.publish(user(1), &set(2, &[], Duration::from_secs(60)), change).await.unwrap();
    assert_eq!(published, Published::Written);
    assert_eq!(
        live.reset(user(2).into(), &WhichLimits::default()).await.unwrap(),
        1,
        "nor does a reset need room"
    );
    redis.run(&["CONFIG", "SET", "maxmemory", "0"]);
    assert!(live.decide(&ping, user(2).into()).await.unwrap().allowed());
    assert!(live.decide(&ping, user(1).into()).await.unwrap().allowed(), "the refused call was not charged");
    live.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shutdown_leaves_no_connection() {
    let redis = PrivateRedis::start();
    let connected = || match redis.run(&["CLIENT", "LIST", "TYPE", "normal"]) {
        redis::Value::BulkString(list) => String::from_utf8(list).unwrap().lines().count() - 1,
        redis::Value::VerbatimString { text, .. } => text.lines().count() - 1,
        other => panic!("{other:?}"),
    };
    let live = connect(&redis.url(), "tb").await;
    assert_eq!(connected(), 2);
    live.shutdown().await;
    sleep(Duration::from_millis(50)).await;
    assert_eq!(connected(), 0);
    passes(within(DEADLINE / 4, live.check()).await);
    let dropped = connect(&redis.url(), "tb").await;
    drop(dropped);
    sleep(Duration::from_millis(800)).await;
    assert_eq!(connected(), 0);
}
