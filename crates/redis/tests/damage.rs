//! Keys that somebody else has written over: counting goes on, and the ledger's totals mend the rest.
#![allow(clippy::unwrap_used, reason = "tests stop where something fails")]

mod common;

use std::time::Duration;

use common::{Fixture, api, beside, epoch, fixture, log_in, policy, user};
use tollbar_core::{
    StoreError,
    domain::Caller,
    ports::{CallTracker, Crossing, OneTrip},
};

/// A key of partition 1, where users 1 and 17 are.
fn key(fixture: &Fixture, name: &str) -> String {
    format!("{}:{{1}}:{name}:{}", fixture.prefix, api())
}

fn damage(way: &str, key: &str, engine: &mut redis::Connection) {
    let mut write = |value: &[u8]| redis::cmd("SET").arg(key).arg(value).exec(engine).unwrap();
    match way {
        "text" => write(b"x"),
        "out of order" => write(&[0xff; 150]),
        "corrupt" => write(b"HYLL\x01\0\0\0\0\0\0\0\0\0\0\x80\xff"),
        _ => {
            redis::cmd("DEL").arg(key).exec(engine).unwrap();
            redis::cmd("LPUSH").arg(key).arg(way).exec(engine).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damaged_counts_are_begun_afresh() {
    let of_all = [("calls", "text"), ("board", "text"), ("sketch", "text")];
    let of_type = [("calls", "another type"), ("board", "another type"), ("sketch", "another type")];
    let of_one = [("board", "out of order"), ("sketch", "corrupt")];
    for (name, way) in of_all.into_iter().chain(of_type).chain(of_one) {
        let fixture = fixture().await;
        let live = &fixture.live;
        let (token, many) = (log_in(live, 1).await, policy(&[(100, Duration::from_secs(60))], 1));
        let overwrite = || damage(way, &key(&fixture, name), &mut beside(fixture.prefix.url()));
        let totals = [Caller { user: user(17), calls: 9 }];
        live.raise(&api(), &totals).await.unwrap();
        assert!(!live.raise(&api(), &totals).await.unwrap(), "all is there");
        overwrite();
        let admitted = live.admit(&token, &many, epoch()).await.unwrap();
        assert!(matches!(admitted, Crossing::Admitted(_)), "{way} {name}: {admitted:?}");
        overwrite();
        live.record(&api(), user(1), epoch()).await.unwrap();
        overwrite();
        let asked = [live.top(&api(), 10).await.map(drop), live.distinct(&api()).await.map(drop)];
        let passes = |error: StoreError| error.is_transient();
        assert!(asked.into_iter().filter_map(Result::err).all(passes), "{way} {name}");
        assert!(live.raise(&api(), &totals).await.unwrap(), "{way} {name}: what was lost is told");
        assert!(!live.raise(&api(), &totals).await.unwrap(), "{way} {name}");
        assert_eq!(live.top(&api(), 1).await.unwrap(), totals, "{way} {name}");
        assert!(live.distinct(&api()).await.unwrap() >= 1, "{way} {name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_total_that_is_no_number_is_begun_afresh() {
    let fixture = fixture().await;
    let live = &fixture.live;
    let (token, many) = (log_in(live, 1).await, policy(&[(100, Duration::from_secs(60))], 1));
    let overwrite = || {
        let (key, field) = (key(&fixture, "calls"), 1_u64.to_be_bytes());
        redis::cmd("HSET").arg(key).arg(&field).arg("x").exec(&mut beside(fixture.prefix.url())).unwrap();
    };
    overwrite();
    assert!(matches!(live.admit(&token, &many, epoch()).await.unwrap(), Crossing::Admitted(_)));
    overwrite();
    live.record(&api(), user(1), epoch()).await.unwrap();
    assert_eq!(live.top(&api(), 10).await.unwrap(), [Caller { user: user(1), calls: 1 }]);
    overwrite();
    assert!(live.raise(&api(), &[Caller { user: user(1), calls: 7 }]).await.unwrap());
    assert_eq!(live.top(&api(), 10).await.unwrap(), [Caller { user: user(1), calls: 7 }]);
}

/// A known caller does not begin a board that was lost: it would be taken for whole.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_board_that_was_lost_is_raised_and_not_begun_with_one() {
    let fixture = fixture().await;
    let live = &fixture.live;
    let totals = [17, 33].map(|id| Caller { user: user(id), calls: 9 });
    live.raise(&api(), &totals).await.unwrap();
    redis::cmd("DEL").arg(key(&fixture, "board")).exec(&mut beside(fixture.prefix.url())).unwrap();
    live.record(&api(), user(17), epoch()).await.unwrap();
    let flushed = [Caller { user: user(17), calls: 10 }];
    assert!(live.raise(&api(), &flushed).await.unwrap());
    live.raise(&api(), &totals).await.unwrap();
    let [_, other] = totals;
    assert_eq!(live.top(&api(), 10).await.unwrap(), [flushed[0], other]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_that_is_no_user_is_passed_over() {
    let fixture = fixture().await;
    fixture.live.record(&api(), user(1), epoch()).await.unwrap();
    let board = key(&fixture, "board");
    redis::cmd("APPEND").arg(board).arg(&[0_u8; 15]).exec(&mut beside(fixture.prefix.url())).unwrap();
    assert_eq!(fixture.live.top(&api(), 10).await.unwrap(), [Caller { user: user(1), calls: 1 }]);
}
