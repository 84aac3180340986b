//! Boards and sketches on a real engine.
#![allow(clippy::unwrap_used, reason = "tests stop where something fails")]

mod common;

use common::{Fixture, api, fixture, user};
use tollbar_core::{domain::Caller, ports::CallTracker};

fn callers(list: &[(u64, u64)]) -> Vec<Caller> {
    list.iter().map(|&(id, calls)| Caller { user: user(id), calls }).collect()
}

#[tokio::test]
async fn ties_go_to_the_lower_number_across_and_within_partitions() {
    let Fixture { live, prefix: _prefix, .. } = fixture().await;
    // 2 000 users with the same number of calls: 125 ties in each partition; numbers of 1 to 19 digits.
    let ids = (1..=1_980).chain((0..20).map(|power| (1_u64 << (power + 43)) | 5)).collect::<Vec<_>>();
    let mut totals: Vec<_> = ids.iter().rev().map(|&id| Caller { user: user(id), calls: 7 }).collect();
    live.raise(&api(), &totals).await.unwrap();
    let lowest = callers(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map(|id| (id, 7)));
    assert_eq!(live.top(&api(), 10).await.unwrap(), lowest);
    assert_eq!(live.top(&api(), 3).await.unwrap(), lowest[..3]);
    assert_eq!(live.top(&api(), 0).await.unwrap(), []);
    totals.reverse();
    assert_eq!(live.top(&api(), 5_000).await.unwrap(), totals);
    for _ in 0..2 {
        live.record(&api(), user(1 << 62 | 5)).await.unwrap();
    }
    live.record(&api(), user(1_000)).await.unwrap();
    let expected = callers(&[(1 << 62 | 5, 9), (1_000, 8), (1, 7)]);
    assert_eq!(live.top(&api(), 3).await.unwrap(), expected);
}

#[tokio::test]
async fn raising_never_lowers_and_may_be_repeated() {
    let Fixture { live, prefix: _prefix, .. } = fixture().await;
    for _ in 0..3 {
        live.record(&api(), user(1)).await.unwrap();
    }
    for _ in 0..2 {
        live.raise(&api(), &callers(&[(1, 2), (2, 5), (3, 0)])).await.unwrap();
    }
    live.raise(&api(), &[]).await.unwrap();
    assert_eq!(live.top(&api(), 10).await.unwrap(), callers(&[(2, 5), (1, 3)]));
    assert_eq!(live.distinct(&api()).await.unwrap(), 2);
    let other = tollbar_core::domain::ApiName::new("pong").unwrap();
    assert_eq!(live.top(&other, 10).await.unwrap(), []);
    assert_eq!(live.distinct(&other).await.unwrap(), 0);
}

#[tokio::test]
async fn the_distinct_count_is_within_two_percent() {
    let Fixture { live, prefix: _prefix, .. } = fixture().await;
    let mut known = 0;
    for size in [10, 100, 1_000, 10_000, 50_000_u64] {
        let new: Vec<_> = (known + 1..=size).map(|id| Caller { user: user(id), calls: 1 }).collect();
        live.raise(&api(), &new).await.unwrap();
        known = size;
        let off = live.distinct(&api()).await.unwrap().abs_diff(size);
        assert!(off * 100 <= size * 2, "{off} off at {size}");
    }
}
