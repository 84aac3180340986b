//! The board keeps the best ten of a partition only: what it shows is what a board of all callers would.
#![allow(clippy::unwrap_used, reason = "tests stop where something fails")]

mod common;

use std::{cmp::Reverse, collections::HashMap, time::Duration};

use common::{api, beside, epoch, options, policy, user};
use futures_util::future::join_all;
use proptest::{prelude::*, test_runner::TestRunner};
use tollbar_core::{
    domain::Caller,
    ports::{CallTracker, MAX_TOP, OneTrip},
};
use tollbar_redis::{RedisLive, RedisOptions};
use tollbar_testkit::RedisPrefix;

#[derive(Debug, Clone)]
enum Step {
    /// Calls of these users, at the same time.
    Calls(Vec<u64>),
    /// A call by the port of its own.
    Record(u64),
    Raise(Vec<(u64, u64)>),
    /// The board is lost alone, and the ledger's totals raise it.
    LoseBoard,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    // Many users with few calls each: ties at every place.
    let id = || prop_oneof![1..=400_u64, 1..=30_u64];
    let step = prop_oneof![
        20 => prop::collection::vec(id(), 1..60).prop_map(Step::Calls),
        5 => id().prop_map(Step::Record),
        2 => prop::collection::vec((id(), 1..12_u64), 1..40).prop_map(Step::Raise),
        1 => Just(Step::LoseBoard),
    ];
    prop::collection::vec(step, 1..80)
}

struct Played {
    live: RedisLive,
    prefix: RedisPrefix,
    totals: HashMap<u64, u64>,
}

impl Played {
    async fn play(&mut self, step: Step) {
        let many = policy(&[(10_000, Duration::from_secs(1))], 1);
        match step {
            Step::Calls(ids) => {
                let calls = ids.iter().map(|&id| self.live.charge(user(id), &many, epoch()));
                assert!(join_all(calls).await.into_iter().all(|answer| answer.unwrap().allowed()));
                for id in ids {
                    *self.totals.entry(id).or_default() += 1;
                }
            }
            Step::Record(id) => {
                self.live.record(&api(), user(id), epoch()).await.unwrap();
                *self.totals.entry(id).or_default() += 1;
            }
            Step::Raise(totals) => {
                let callers: HashMap<_, _> = totals.into_iter().collect();
                let callers: Vec<_> =
                    callers.iter().map(|(&id, &calls)| Caller { user: user(id), calls }).collect();
                self.live.raise(&api(), &callers).await.unwrap();
                for caller in callers {
                    let total = self.totals.entry(caller.user.get()).or_default();
                    *total = caller.calls.max(*total);
                }
            }
            Step::LoseBoard => {
                let board = format!("{}:{{0}}:board:ping", self.prefix);
                redis::cmd("DEL").arg(board).exec(&mut beside(self.prefix.url())).unwrap();
                self.live.raise(&api(), &self.ranked()).await.unwrap();
            }
        }
    }

    fn ranked(&self) -> Vec<Caller> {
        let caller = |(&id, &calls): (&u64, &u64)| Caller { user: user(id), calls };
        let mut callers: Vec<Caller> = self.totals.iter().map(caller).collect();
        callers.sort_unstable_by_key(|caller| (Reverse(caller.calls), caller.user));
        callers
    }
}

#[test]
fn the_top_ten_is_that_of_all_totals_at_every_step() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut runner = TestRunner::new(ProptestConfig { cases: 12, ..ProptestConfig::default() });
    let run = |steps: Vec<Step>| {
        runtime.block_on(async {
            let prefix = RedisPrefix::new();
            let options =
                RedisOptions { partitions: 1.try_into().unwrap(), ..options(prefix.url(), prefix.as_str()) };
            let live = RedisLive::connect(options).await.unwrap();
            let mut played = Played { live, prefix, totals: HashMap::new() };
            for step in steps {
                played.play(step).await;
                let mut expected = played.ranked();
                expected.truncate(MAX_TOP);
                prop_assert_eq!(played.live.top(&api(), 1_000).await.unwrap(), expected);
            }
            played.live.shutdown().await;
            Ok(())
        })
    };
    runner.run(&steps(), run).unwrap();
}

/// A caller who is far from the board is one of the distinct callers from the first call on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_call_counts_among_the_distinct_callers_however_full_the_board() {
    let prefix = RedisPrefix::new();
    let options =
        RedisOptions { partitions: 1.try_into().unwrap(), ..options(prefix.url(), prefix.as_str()) };
    let live = RedisLive::connect(options).await.unwrap();
    let many = policy(&[(10_000, Duration::from_secs(1))], 1);
    for id in (1..=12).chain(1..=12).chain(101..=120) {
        assert!(live.charge(user(id), &many, epoch()).await.unwrap().allowed());
    }
    let distinct = live.distinct(&api()).await.unwrap();
    assert!((31..=33).contains(&distinct), "{distinct} of 32");
    live.shutdown().await;
}
