//! Keys that somebody else has written over: counting goes on, and the ledger's totals mend the rest.
#![allow(clippy::unwrap_used, reason = "tests stop where something fails")]

mod common;

use common::{api, beside, fixture, user};
use tollbar_core::{domain::Caller, ports::CallTracker};

fn overwrite(fixture: &common::Fixture, name: &str) {
    // Users 1 and 17 share a partition.
    let key = format!("{}:{{1}}:{name}:{}", fixture.prefix, api());
    redis::cmd("SET").arg(key).arg("x").exec(&mut beside(fixture.prefix.url())).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_board_or_sketch_is_begun_afresh() {
    let fixture = fixture().await;
    let live = &fixture.live;
    for damaged in ["calls", "board", "sketch"] {
        overwrite(&fixture, damaged);
        live.record(&api(), user(1)).await.unwrap();
        live.raise(&api(), &[Caller { user: user(17), calls: 9 }]).await.unwrap();
        overwrite(&fixture, damaged);
        let asked = (live.top(&api(), 10).await, live.distinct(&api()).await);
        assert!(
            [asked.0.map(drop), asked.1.map(drop)]
                .into_iter()
                .filter_map(Result::err)
                .all(|e| e.is_transient())
        );
        live.raise(&api(), &[Caller { user: user(17), calls: 9 }]).await.unwrap();
        assert_eq!(live.top(&api(), 1).await.unwrap(), [Caller { user: user(17), calls: 9 }]);
        assert!(live.distinct(&api()).await.unwrap() >= 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_that_is_no_user_is_passed_over() {
    let fixture = fixture().await;
    fixture.live.record(&api(), user(1)).await.unwrap();
    let board = format!("{}:{{1}}:board:{}", fixture.prefix, api());
    redis::cmd("APPEND").arg(board).arg(&[0_u8; 15]).exec(&mut beside(fixture.prefix.url())).unwrap();
    assert_eq!(fixture.live.top(&api(), 10).await.unwrap(), [Caller { user: user(1), calls: 1 }]);
}
