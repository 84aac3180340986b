//! The dashboard's page, as its template takes it: numbers as texts.

use std::{collections::BTreeSet, net::SocketAddr};

use askama::Template;
use tollbar_core::{
    domain::{ApiName, Outcomes, Ranking, Step},
    usecases::{CallWindow, Windowed},
};

use super::{
    chart::{self, Size},
    numbers::Numbers,
    times,
};

/// Of the numbers behind the chart, the latest.
const MOST_ROWS: usize = 60;
const WIDE: Size = Size { width: 1_000, height: 300, times: 8 };
const NARROW: Size = Size { width: 400, height: 260, times: 3 };

/// One choice of several.
pub(crate) struct Choice {
    value: String,
    name: String,
    is_chosen: bool,
}

/// Whether something is as it should be.
pub(crate) struct State {
    name: String,
    is_well: bool,
    said: &'static str,
}

/// Somebody's place among others.
pub(crate) struct Place {
    user: u64,
    calls: String,
    /// Of the first one's, in percent.
    part: u64,
}

/// A row of a table, as texts.
type Row<const N: usize> = [String; N];

#[derive(Template)]
#[template(path = "dashboard.html")]
pub(crate) struct Page {
    version: &'static str,
    at: String,
    apis: Vec<Choice>,
    windows: Vec<Choice>,
    window: &'static str,
    step: &'static str,
    /// What clients call, for those who have not called yet.
    public: SocketAddr,
    is_empty: bool,
    is_stale: bool,
    states: Vec<State>,
    admitted: Option<String>,
    limited: Option<String>,
    refused: Option<String>,
    live_sessions: Option<String>,
    /// What the chart shows, in words.
    summary: String,
    wide: Option<String>,
    narrow: Option<String>,
    rows: Vec<Row<4>>,
    callers: Option<Vec<Place>>,
    callers_error: u64,
    most_limited: Option<Vec<Place>>,
    distinct: Vec<(&'static str, Option<String>)>,
    standard_error: Option<String>,
    latencies: Vec<Row<5>>,
}

impl Page {
    pub(crate) fn new(
        apis: &BTreeSet<ApiName>,
        api: Option<&ApiName>,
        window: CallWindow,
        public: SocketAddr,
        numbers: Numbers,
    ) -> Self {
        let step = window.finest_step();
        let series = numbers.series.as_ref().map(|series| &series.reading.value[..]);
        let sums = series.map(|series| {
            series.iter().fold(Outcomes::default(), |mut sums, (_, outcomes)| {
                sums += *outcomes;
                sums
            })
        });
        let sum = |of: fn(&Outcomes) -> u64| sums.as_ref().map(|sums| times::grouped(of(sums)));
        let is_stale = numbers.series.as_ref().is_some_and(|told| told.reading.stale)
            || [&numbers.callers, &numbers.limited].into_iter().flatten().any(|told| told.reading.stale);
        let standard_error = numbers.distinct.iter().find_map(|(_, told)| told.as_ref());
        let chart = |size| series.and_then(|series| chart::draw(series, step, size));
        Self {
            version: env!("CARGO_PKG_VERSION"),
            at: times::of_day(numbers.at),
            apis: apis
                .iter()
                .map(|known| Choice {
                    value: known.as_str().to_owned(),
                    name: known.as_str().to_owned(),
                    is_chosen: api == Some(known),
                })
                .collect(),
            windows: CallWindow::ALL
                .map(|known| Choice {
                    value: known.name().to_owned(),
                    name: spelled(known).to_owned(),
                    is_chosen: known == window,
                })
                .into(),
            window: spelled(window),
            step: match step {
                Step::Minute => "minute",
                Step::Hour => "hour",
                Step::Day => "day",
            },
            public,
            is_empty: sums.as_ref().is_some_and(|sums| *sums == Outcomes::default())
                && numbers.callers.as_ref().is_some_and(|told| told.reading.value.callers.is_empty()),
            is_stale,
            states: states(&numbers),
            admitted: sum(|sums| sums.admitted),
            limited: sum(|sums| sums.limited),
            refused: sum(|sums| sums.refused),
            live_sessions: numbers.live_sessions.map(|told| times::grouped(told.value)),
            summary: summary(sums.as_ref(), spelled(window)),
            wide: chart(WIDE),
            narrow: chart(NARROW),
            rows: series
                .unwrap_or_default()
                .iter()
                .rev()
                .take(MOST_ROWS)
                .map(|(start, outcomes)| {
                    let Outcomes { admitted, limited, refused, .. } = *outcomes;
                    let [admitted, limited, refused] = [admitted, limited, refused].map(times::grouped);
                    [times::label(*start, step), admitted, limited, refused]
                })
                .collect(),
            callers_error: numbers.callers.as_ref().map_or(0, |told| told.reading.value.error),
            callers: numbers.callers.map(places),
            most_limited: numbers.limited.map(places),
            standard_error: standard_error
                .map(|told| format!("{:.1} %", told.reading.value.standard_error * 100.0)),
            distinct: numbers
                .distinct
                .iter()
                .map(|(window, told)| {
                    let callers = told.as_ref().map(|told| times::grouped(told.reading.value.callers));
                    (spelled(*window), callers)
                })
                .collect(),
            latencies: numbers
                .latencies
                .iter()
                .map(|latency| {
                    let [half, most, nearly_all] = latency.seconds.map(times::span);
                    [latency.of.clone(), format!("{:.0}", latency.times), half, most, nearly_all]
                })
                .collect(),
        }
    }
}

fn spelled(window: CallWindow) -> &'static str {
    match window {
        CallWindow::Today => "today",
        CallWindow::Hours24 => "24 hours",
        CallWindow::Days7 => "7 days",
        CallWindow::Days30 => "30 days",
        CallWindow::AllTime => "all time",
    }
}

fn states(numbers: &Numbers) -> Vec<State> {
    let dependencies = numbers.readiness.dependencies.iter().map(|dependency| State {
        name: dependency.name.to_owned(),
        is_well: dependency.up,
        said: if dependency.up { "up" } else { "down" },
    });
    let breakers = numbers.breakers.iter().map(|(name, is_open)| State {
        name: format!("breaker {name}"),
        is_well: !is_open,
        said: if *is_open { "open: calls are refused" } else { "closed" },
    });
    dependencies.chain(breakers).collect()
}

fn places(told: Windowed<Ranking>) -> Vec<Place> {
    let callers = told.reading.value.callers;
    let most = callers.first().map_or(1, |first| first.calls.max(1));
    let place = |caller: &tollbar_core::domain::Caller| Place {
        user: caller.user.get(),
        calls: times::grouped(caller.calls),
        part: u64::try_from(u128::from(caller.calls) * 100 / u128::from(most)).unwrap_or(100),
    };
    callers.iter().map(place).collect()
}

fn summary(sums: Option<&Outcomes>, window: &str) -> String {
    let Some(Outcomes { admitted, limited, refused, .. }) = sums else {
        return "The numbers are not known, because the database does not answer.".to_owned();
    };
    let [admitted, limited, refused] = [admitted, limited, refused].map(|number| times::grouped(*number));
    format!("Calls over time, {window}: {admitted} admitted, {limited} limited, {refused} refused.")
}
