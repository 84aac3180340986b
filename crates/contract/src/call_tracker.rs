//! What a [`CallTracker`](tollbar_core::ports::CallTracker) promises.

use tollbar_core::{
    domain::{ApiName, Caller, UserId},
    ports::{MAX_TOP, RaiseId},
};

use crate::{CallTrackerHarness, epoch, together};

fn api(name: &str) -> ApiName {
    ApiName::new(name).unwrap()
}

fn user(id: u64) -> UserId {
    UserId::new(id).unwrap()
}

fn caller(id: u64, calls: u64) -> Caller {
    Caller { user: user(id), calls }
}

suite! {
    ($) call_tracker_suite, call_tracker, CallTrackerHarness;

    /// Nothing is known of an API that nobody called.
    async fn an_uncalled_api_has_no_callers(harness) {
        let tracker = harness.call_tracker();
        assert_eq!(tracker.top(&api("ping"), 10).await.unwrap(), []);
        assert_eq!(tracker.distinct(&api("ping")).await.unwrap(), 0);
    }

    /// Each recorded call counts once, most calls first.
    async fn the_most_frequent_callers_come_first(harness) {
        let (tracker, ping) = (harness.call_tracker(), api("ping"));
        for (id, calls) in [(1, 2), (2, 5), (3, 1)] {
            for _ in 0..calls {
                tracker.record(&ping, user(id), epoch()).await.unwrap();
            }
        }
        assert_eq!(tracker.top(&ping, 10).await.unwrap(), [caller(2, 5), caller(1, 2), caller(3, 1)]);
        assert_eq!(tracker.top(&ping, 2).await.unwrap(), [caller(2, 5), caller(1, 2)]);
        assert_eq!(tracker.distinct(&ping).await.unwrap(), 3);
    }

    /// Among equals the lower number comes first, also where the board is cut.
    async fn ties_go_to_the_lower_number_and_ten_are_shown(harness) {
        let (tracker, ping) = (harness.call_tracker(), api("ping"));
        // Numbers whose text sorts otherwise than their value, over all partitions.
        let ids = [9, 10, 99, 100, 2, 20, 200, 2_000, 16, 17, 18, 32, 33, 160, 1_600, 1, 11, 111, 1_111, 5_000_000_000];
        for id in ids {
            tracker.record(&ping, user(id), epoch()).await.unwrap();
        }
        tracker.record(&ping, user(5_000_000_000), epoch()).await.unwrap();
        let mut sorted = ids;
        sorted.sort_unstable();
        let mut expected = vec![caller(5_000_000_000, 2)];
        expected.extend(sorted[..9].iter().map(|&id| caller(id, 1)));
        assert_eq!(tracker.top(&ping, 10).await.unwrap(), expected);
    }

    /// Many ties within one partition and over all of them.
    async fn many_ties_are_cut_at_the_lowest_numbers(harness) {
        let (tracker, ping) = (harness.call_tracker(), api("ping"));
        let callers: Vec<Caller> = (1..=3_000).rev().map(|id| caller(id, 7)).collect();
        tracker.raise(&ping, &callers).await.unwrap();
        let expected: Vec<Caller> = (1..=10).map(|id| caller(id, 7)).collect();
        assert_eq!(tracker.top(&ping, 10).await.unwrap(), expected);
    }

    /// However many are asked for, no more than ten are given, and those are the right ones.
    async fn no_more_than_ten_are_given(harness) {
        let (tracker, ping) = (harness.call_tracker(), api("ping"));
        let callers: Vec<Caller> = (1..=300).map(|id| caller(id, 7 + id / 10)).collect();
        tracker.raise(&ping, &callers).await.unwrap();
        let mut expected = callers;
        expected.sort_by_key(|caller| (std::cmp::Reverse(caller.calls), caller.user));
        assert_eq!(MAX_TOP, 10);
        for limit in [10, 11, 1_000, usize::MAX] {
            assert_eq!(tracker.top(&ping, limit).await.unwrap(), expected[..10], "{limit}");
        }
        assert_eq!(tracker.top(&ping, 9).await.unwrap(), expected[..9]);
        assert_eq!(tracker.top(&ping, 0).await.unwrap(), []);
    }

    /// Calls that are recorded at once are all counted.
    async fn concurrent_calls_are_all_counted(harness) {
        let (tracker, ping) = (harness.call_tracker(), api("ping"));
        together(50, |index| {
            let (tracker, ping) = (tracker.clone(), ping.clone());
            async move {
                for _ in 0..4 {
                    tracker.record(&ping, user(index as u64 % 5 + 1), epoch()).await.unwrap();
                }
            }
        })
        .await;
        let expected: Vec<Caller> = (1..=5).map(|id| caller(id, 40)).collect();
        assert_eq!(tracker.top(&ping, 10).await.unwrap(), expected);
        assert_eq!(tracker.distinct(&ping).await.unwrap(), 5);
    }

    /// APIs do not mix.
    async fn apis_are_kept_apart(harness) {
        let tracker = harness.call_tracker();
        tracker.record(&api("ping"), user(1), epoch()).await.unwrap();
        tracker.record(&api("ping.x"), user(2), epoch()).await.unwrap();
        assert_eq!(tracker.top(&api("ping"), 10).await.unwrap(), [caller(1, 1)]);
        assert_eq!(tracker.distinct(&api("ping.x")).await.unwrap(), 1);
    }

    /// A raise lifts the board to the totals it is given, lowers nothing, may be repeated, and tells whether there was need.
    async fn a_raise_lifts_and_never_lowers(harness) {
        let (tracker, ping) = (harness.call_tracker(), api("ping"));
        for _ in 0..3 {
            tracker.record(&ping, user(1), epoch()).await.unwrap();
        }
        for was_behind in [true, false] {
            let raised = tracker.raise(&ping, &[caller(1, 2), caller(2, 9), caller(3, 0)]).await.unwrap();
            assert_eq!(raised, was_behind);
        }
        assert_eq!(tracker.top(&ping, 10).await.unwrap(), [caller(2, 9), caller(1, 3)]);
        assert_eq!(tracker.distinct(&ping).await.unwrap(), 2, "users of a raise are callers");
        tracker.record(&ping, user(2), epoch()).await.unwrap();
        tracker.raise(&ping, &[caller(1, 4)]).await.unwrap();
        assert_eq!(tracker.top(&ping, 10).await.unwrap(), [caller(2, 10), caller(1, 4)]);
    }

    /// At 10,000 users the distinct count is within 2 %, whether they were raised or recorded.
    async fn ten_thousand_callers_are_counted_within_two_percent(harness) {
        let (tracker, ping) = (harness.call_tracker(), api("ping"));
        let callers: Vec<Caller> = (1..=9_000).map(|id| caller(id, 1)).collect();
        tracker.raise(&ping, &callers).await.unwrap();
        together(10, |index| {
            let (tracker, ping) = (tracker.clone(), ping.clone());
            async move {
                for step in 1..=100 {
                    tracker.record(&ping, user(9_000 + index as u64 * 100 + step), epoch()).await.unwrap();
                }
            }
        })
        .await;
        let distinct = tracker.distinct(&ping).await.unwrap();
        assert!((9_800..=10_200).contains(&distinct), "{distinct}");
    }

    /// The counts are whole from the end of a raise on.
    async fn counts_are_whole_when_they_have_been_raised(harness) {
        let (tracker, ping) = (harness.call_tracker(), api("ping"));
        assert!(!tracker.is_whole().await.unwrap(), "nobody has raised them yet");
        let (raise, again) = (RaiseId(7), RaiseId(u64::MAX));
        assert!(tracker.begin_raise(raise).await.unwrap(), "nobody else raises them");
        tracker.raise(&ping, &[caller(1, 2)]).await.unwrap();
        assert!(!tracker.is_whole().await.unwrap(), "the raise has not ended");
        for _ in 0..2 {
            assert!(tracker.end_raise(raise).await.unwrap());
            assert!(tracker.is_whole().await.unwrap());
        }
        assert!(tracker.begin_raise(again).await.unwrap(), "nobody else raises them");
        assert!(tracker.end_raise(again).await.unwrap());
    }

    /// A raise that broke off is begun again by whoever began it, at once.
    async fn a_raise_is_begun_again_by_its_own(harness) {
        let tracker = harness.call_tracker();
        for _ in 0..3 {
            assert!(tracker.begin_raise(RaiseId(7)).await.unwrap());
        }
        assert!(tracker.end_raise(RaiseId(7)).await.unwrap());
    }
}
