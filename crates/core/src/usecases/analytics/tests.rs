//! Which part of the history is read for which window, and what is made of it.

use std::time::Duration;

use super::*;
use crate::{
    counts::LiveCounts,
    domain::{Caller, UserId},
    policies::{Policies, PolicyTable, Unmatched},
    ports::{ManualClock, MockCallHistory, MockCallLedger, MockCallTracker},
};

fn ping() -> ApiName {
    ApiName::new("ping").unwrap()
}

fn caller(id: u64, calls: u64) -> Caller {
    Caller { user: UserId::new(id).unwrap(), calls }
}

fn summary(callers: &[Caller], limited: &[Caller]) -> Sketches {
    let mut summary = Sketches::default();
    summary.add_callers(callers);
    summary.add_limited(limited);
    summary
}

fn analytics(tracker: MockCallTracker, history: MockCallHistory) -> (Analytics, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new());
    // Well within an hour, and a day.
    let tomorrow = Step::Day.start(clock.now()) + Step::Day.length();
    clock.advance(tomorrow.since(clock.now()) + Duration::from_secs(90));
    let policies = Policies::new(PolicyTable::new(vec![], Unmatched::Session).unwrap());
    let (tracker, ledger) = (Arc::new(tracker), Arc::new(MockCallLedger::new()));
    let counts = Arc::new(CallCounts::new(tracker, ledger, clock.clone(), policies, LiveCounts::default()));
    (Analytics::new(counts, Arc::new(history), clock.clone()), clock)
}

#[tokio::test]
async fn a_window_is_the_union_of_its_hours_or_days() {
    let mut history = MockCallHistory::new();
    history.expect_sketches().times(2).returning(|api, span, from, _| {
        assert_eq!(*api, ping());
        let second = match span {
            SketchSpan::Hour => [caller(1, 1)],
            SketchSpan::Day => [caller(2, 9)],
            SketchSpan::Ever => panic!("from {from:?}"),
        };
        Ok(vec![summary(&[caller(1, 4)], &[caller(3, 1)]), summary(&second, &[])])
    });
    let (analytics, clock) = analytics(MockCallTracker::new(), history);
    for (window, step, best, distinct) in
        [(CallWindow::Today, Step::Hour, caller(1, 5), 1), (CallWindow::Days7, Step::Day, caller(2, 9), 2)]
    {
        let top = analytics.top(&ping(), window, RankedBy::Calls, 1).await.unwrap();
        let reading = Reading { value: Ranking { callers: vec![best], error: 0 }, stale: false };
        assert_eq!(top, Windowed { from: Some(window.start(step, clock.now())), reading });
        assert_eq!(analytics.distinct(&ping(), window).await.unwrap().reading.value.callers, distinct);
        let limited = analytics.top(&ping(), window, RankedBy::Limited, 10).await.unwrap();
        assert_eq!(limited.reading.value.callers, [caller(3, 1)]);
    }
}

#[tokio::test]
async fn of_all_time_the_live_tier_tells_who_called_and_a_summary_who_was_limited() {
    let (mut tracker, mut history) = (MockCallTracker::new(), MockCallHistory::new());
    tracker.expect_top().returning(|_, _| Ok(vec![caller(1, 4)]));
    tracker.expect_distinct().returning(|_| Ok(150));
    history
        .expect_sketches()
        .once()
        .withf(|_, span, from, _| (*span, *from) == (SketchSpan::Ever, Timestamp::default()))
        .returning(|_, _, _, _| Ok(vec![summary(&[], &[caller(3, 1)])]));
    let (analytics, _) = analytics(tracker, history);
    let top = async |by| {
        let told = analytics.top(&ping(), CallWindow::AllTime, by, 10).await.unwrap();
        assert_eq!(told.from, None);
        told.reading.value.callers
    };
    assert_eq!(top(RankedBy::Calls).await, [caller(1, 4)]);
    assert_eq!(top(RankedBy::Limited).await, [caller(3, 1)]);
    let distinct = analytics.distinct(&ping(), CallWindow::AllTime).await.unwrap();
    assert_eq!(distinct.reading.value.callers, 150);
}

#[tokio::test]
async fn a_series_has_every_step_and_is_stale_where_the_store_is_away() {
    let (mut history, admitted) = (MockCallHistory::new(), Outcomes { admitted: 3, ..Outcomes::default() });
    let mut is_first = true;
    history.expect_series().returning(move |_, step, from, _| {
        if !std::mem::take(&mut is_first) {
            return Err(StoreError::transient("test", "down"));
        }
        Ok(vec![(from + step.length() * 2, admitted)])
    });
    let (analytics, clock) = analytics(MockCallTracker::new(), history);
    let Windowed { from, reading: Reading { value: points, stale } } =
        analytics.series(&ping(), CallWindow::Hours24, Step::Hour).await.unwrap();
    assert!(!stale && from == Some(points[0].0));
    assert_eq!(points.len(), 25, "the hour of 24 hours ago is among them");
    assert!(points.windows(2).all(|two| two[1].0 == two[0].0 + Step::Hour.length()));
    let outcomes: Vec<_> = points.iter().map(|(_, outcomes)| *outcomes).collect();
    assert!(outcomes[2] == admitted && outcomes.iter().filter(|one| **one == admitted).count() == 1);
    clock.advance(Duration::from_secs(1));
    let again = analytics.series(&ping(), CallWindow::Hours24, Step::Hour).await.unwrap();
    assert_eq!(again, Windowed { from, reading: Reading { value: points, stale: true } });
}

#[tokio::test]
async fn of_what_came_after_the_last_reading_nothing_is_said() {
    let (mut history, mut is_first) = (MockCallHistory::new(), true);
    history.expect_series().returning(move |_, _, _, _| {
        if std::mem::take(&mut is_first) { Ok(vec![]) } else { Err(StoreError::transient("test", "down")) }
    });
    let (analytics, clock) = analytics(MockCallTracker::new(), history);
    let minutes = async || {
        let told = analytics.series(&ping(), CallWindow::Today, Step::Minute).await;
        told.map(|told| (told.reading.value.len(), told.reading.stale))
    };
    assert_eq!(minutes().await.unwrap(), (2, false));
    clock.advance(Duration::from_secs(600));
    assert_eq!(minutes().await.unwrap(), (2, true), "they are not known to be zero");
    clock.advance(Step::Day.length());
    assert!(minutes().await.is_err(), "of another day nothing is known");
}

#[tokio::test]
async fn a_step_that_began_before_the_window_is_told_whole() {
    let mut history = MockCallHistory::new();
    let admitted = Outcomes { admitted: 3, ..Outcomes::default() };
    history.expect_series().returning(move |_, step, from, _| {
        assert_eq!(from, step.start(from), "or its row would be missing");
        Ok(vec![(from, admitted)])
    });
    let (analytics, _) = analytics(MockCallTracker::new(), history);
    let told = analytics.series(&ping(), CallWindow::Hours24, Step::Day).await.unwrap();
    let points: Vec<_> = told.reading.value.iter().map(|(_, outcomes)| outcomes.admitted).collect();
    assert_eq!(points, [3, 0], "yesterday and today");
}

#[tokio::test]
async fn of_all_time_a_series_begins_with_the_first_call() {
    let mut history = MockCallHistory::new();
    history.expect_series().returning(|api, step, from, _| {
        let none = api.as_str() == "nobody";
        Ok(if none { vec![] } else { vec![(from + step.length() * 391, Outcomes::default())] })
    });
    let (analytics, _) = analytics(MockCallTracker::new(), history);
    let points = async |api: &str| {
        let api = ApiName::new(api).unwrap();
        analytics.series(&api, CallWindow::AllTime, Step::Day).await.unwrap().reading.value.len()
    };
    assert_eq!((points("ping").await, points("nobody").await), (10, 0));
}

#[tokio::test]
async fn an_api_is_known_by_a_policy_or_by_its_calls() {
    let mut history = MockCallHistory::new();
    history.expect_apis().once().returning(|| Ok(vec![ping()]));
    let (analytics, _) = analytics(MockCallTracker::new(), history);
    let [unmatched, other] = ["unmatched", "other"].map(|name| ApiName::new(name).unwrap());
    let knows = async |api| analytics.knows(api).await.unwrap();
    assert_eq!((knows(&unmatched).await, knows(&ping()).await, knows(&other).await), (true, true, false));
}
