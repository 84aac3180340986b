//! The dashboard, as a person sees it, in a real browser.

use std::{
    collections::BTreeSet,
    env,
    path::{Path, PathBuf},
    time::Duration,
};

use nix::sys::signal::Signal;
use reqwest::Method;
use serde_json::json;
use thirtyfour::{Key, prelude::*};
use tollbar_core::{
    domain::{
        Activity, ApiName, Caller, Epoch, EpochId, EpochSums, Incarnation, Outcomes, Step, Tally, Timestamp,
        UserId,
    },
    ports::{CallLedger as _, Clock as _, SystemClock},
};
use tollbar_sqlite::{SqliteOptions, SqliteStore};

use crate::{browser::Browser, process::Process, support::Client, tiers::Tiers};

const BIND: (&str, &str) = ("TOLLBAR__ADMIN__BIND", "127.0.0.1:0");
const FLUSH: (&str, &str) = ("TOLLBAR__COUNTS__FLUSH", "100ms");

/// One call that is admitted, and two that are over the limit.
async fn call(process: &Process, token: &str) {
    for status in [200, 429, 429] {
        assert_eq!(process.client.ping(token).await.0, status);
    }
}

async fn open(process: &Process, query: &str) -> Browser {
    let browser = Browser::start().await;
    let operators = process.operators.expect("it listens for operators");
    browser.page.goto(format!("http://{operators}/dashboard{query}")).await.unwrap();
    browser
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbers_change_as_calls_arrive_and_windows_are_switched() {
    for tiers in [Tiers::embedded(), Tiers::new(true, true)] {
        let process = Process::start(&tiers, &[BIND, FLUSH]).await;
        let browser = open(&process, "").await;
        assert_eq!(browser.page.title().await.unwrap(), "Tollbar: calls, 24 hours");
        assert!(browser.text("notes").await.contains("No calls yet"));
        let ping = format!("curl http://{}/ping", process.address);
        assert!(browser.text("notes").await.contains(&ping), "a newcomer is told what to do");
        browser.until("state", "Live").await;
        assert_eq!(
            (browser.text("admitted").await, browser.text("sessions").await),
            ("0".into(), "0".into())
        );
        // A page that was loaded anew would not have it.
        browser.run("window.wasHere = true").await;

        process.client.signup("somebody").await;
        let token = process.client.login("somebody").await;
        call(&process, &token).await;
        assert_eq!(process.client.ping("tbs_x").await.0, 401);
        for (id, text) in
            [("admitted", "1"), ("limited", "2"), ("refused", "1"), ("sessions", "1"), ("notes", "")]
        {
            browser.until(id, text).await;
        }
        browser.until("callers", "1 1 100 %").await;
        browser.until("limited-callers", "1 2 100 %").await;
        assert!(
            browser
                .text("distinct-callers")
                .await
                .starts_with("today 1\n24 hours 1\n7 days 1\n30 days 1\nall time 1\n")
        );
        assert!(
            browser.text("latencies").await.contains("GET /ping 4 "),
            "{}",
            browser.text("latencies").await
        );
        let states = browser.text("states").await;
        let engines =
            if tiers.redis.is_some() { ["postgres up", "redis up"] } else { ["sqlite up", "memory up"] };
        assert!(engines.iter().all(|state| states.contains(state)) && states.contains("closed"), "{states}");
        assert_eq!(
            browser
                .run("return document.querySelectorAll('.wide polyline[stroke-width=\"2\"]').length")
                .await,
            3
        );

        // By the keyboard alone.
        let window = browser.page.find(By::Css("select[name=window]")).await.unwrap();
        window.send_keys("7").await.unwrap();
        browser.until("window", "7 days").await;
        browser.until("step", "hour").await;
        assert!(browser.page.current_url().await.unwrap().as_str().ends_with("?api=ping&window=7d"));
        browser.until("admitted", "1").await;
        assert_eq!(browser.run("return document.activeElement.name").await, "window", "the focus stays");
        assert_eq!(browser.run("return window.wasHere").await, true);
        let pause = browser.page.find(By::Id("pause")).await.unwrap();
        pause.send_keys(Key::Enter + "").await.unwrap();
        browser.until("state", "Paused").await;
        pause.click().await.unwrap();
        browser.until("state", "Live").await;

        assert_eq!(browser.complaints().await, Vec::<String>::new());
        process.signal(Signal::SIGTERM);
        assert_eq!(process.end().await.0, Some(0));
        browser.until("state", "No answer; trying again").await;
        assert_eq!(browser.text("admitted").await, "1", "what is known stays");
        browser.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_read_by_any_eye_at_any_width_and_without_one() {
    let tiers = Tiers::embedded();
    yesterday(&tiers.folder.path().join("tollbar.db")).await;
    let process = Process::start(&tiers, &[BIND, FLUSH]).await;
    process.client.signup("somebody").await;
    process.client.login("somebody").await;
    let browser = open(&process, "?window=24h").await;
    browser.until("state", "Live").await;
    browser.until("sessions", "1").await;
    let background = "return getComputedStyle(document.body).backgroundColor";
    let shown =
        "return [...document.querySelectorAll('.wide, .narrow')].map((chart) => chart.offsetWidth > 0)";
    for (name, width, height, dark, charts) in [
        ("light", 1_120, 1_420, false, [true, false]),
        ("dark", 1_120, 1_420, true, [true, false]),
        ("phone", 375, 812, false, [false, true]),
        ("phone-dark", 375, 812, true, [false, true]),
    ] {
        browser.look(width, height, dark).await;
        let colour = if dark { "rgb(20, 22, 26)" } else { "rgb(255, 255, 255)" };
        assert_eq!(browser.run(background).await, colour, "{name}");
        let is_cut = "return document.documentElement.scrollWidth > document.documentElement.clientWidth";
        assert_eq!(browser.run(is_cut).await, false, "{name}");
        assert_eq!(browser.run(shown).await, json!(charts), "{name}");
        screenshot(&browser, name).await;
    }
    // What a screen reader is told: each thing that is operated or looked at has a name.
    let tree = browser.ask("Accessibility.getFullAXTree", json!({})).await;
    let named: BTreeSet<_> = tree["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|node| node["ignored"] == false)
        .map(|node| {
            (node["role"]["value"].as_str().unwrap_or(""), node["name"]["value"].as_str().unwrap_or(""))
        })
        .collect();
    for wanted in
        [("combobox", "API"), ("combobox", "Window"), ("button", "Pause"), ("link", "Skip to the numbers")]
    {
        assert!(named.contains(&wanted), "{wanted:?} in {named:?}");
    }
    let is_chart =
        |(role, name): &&(&str, &str)| matches!(*role, "image" | "img") && name.contains(" admitted, ");
    assert!(named.iter().any(|node| is_chart(&node)), "{named:?}");
    let nameless = |(role, name): &&(&str, &str)| {
        matches!(*role, "combobox" | "button" | "link" | "region") && name.is_empty()
    };
    assert_eq!(named.iter().find(nameless), None);
    let body = browser.page.find(By::Tag("body")).await.unwrap();
    body.send_keys(Key::Tab + "").await.unwrap();
    assert_eq!(
        browser.run("return document.activeElement.className").await,
        "skip",
        "the keyboard begins there"
    );
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.end().await;
}

/// For a person to look at: where `TOLLBAR_SCREENSHOTS` says, else among what tests leave in the target folder.
async fn screenshot(browser: &Browser, name: &str) {
    let folder =
        env::var_os("TOLLBAR_SCREENSHOTS").map_or_else(|| env!("CARGO_TARGET_TMPDIR").into(), PathBuf::from);
    let file = folder.join(format!("dashboard-{name}.png"));
    browser.page.screenshot(&file).await.unwrap();
    assert!(std::fs::metadata(&file).unwrap().len() > 10_000, "{}", file.display());
}

/// A day of calls: few by night, many by day, some of them over a limit.
async fn yesterday(file: &Path) {
    let store =
        SqliteStore::open(SqliteOptions::from_url(&format!("sqlite://{}", file.display())).unwrap()).await;
    let (store, api, now) = (store.unwrap(), ApiName::new("ping").unwrap(), SystemClock.now());
    let (author, user) = (Incarnation::from_bytes([7; 16]), |id| UserId::new(id).unwrap());
    store.begin(author, author).await.unwrap();
    let mut sums = EpochSums::default();
    for hour in 0..24_u64 {
        let start = Step::Hour.start(Timestamp::from_micros(now.as_micros() - (23 - hour) * 3_600_000_000));
        let minutes = (0..60_u64).map(|minute| (start + Duration::from_secs(minute * 60), minute));
        let minutes: Vec<_> = minutes
            .filter(|(at, _)| *at <= now)
            .map(|(at, minute)| {
                let of_day = hour * 60 + minute;
                let light = 15 + 360 * of_day * (1_440 - of_day) / (1_440 * 1_440);
                let admitted = light + (minute * minute + hour * 31) % 13;
                let limited =
                    if hour == 15 && minute > 12 { 30 + (minute * minute) % 17 } else { admitted / 9 };
                (at, Outcomes { admitted, limited, repeated: limited / 2, refused: minute % 4 })
            })
            .collect();
        let sum = |of: fn(&Outcomes) -> u64| minutes.iter().map(|(_, outcomes)| of(outcomes)).sum::<u64>();
        let share =
            |all: u64| (1..=12).map(|id| Caller { user: user(id), calls: (all / (id + 1)).max(1) }).collect();
        let (callers, limited) = (share(sum(|all| all.admitted) / 2), share(sum(|all| all.limited) / 2));
        sums.activity.push(Activity { api: api.clone(), hour: start, minutes, callers, limited });
    }
    for id in 1..=12 {
        let all = sums.activity.iter().flat_map(|activity| &activity.callers);
        let calls = all.filter(|caller| caller.user == user(id)).map(|caller| caller.calls).sum();
        sums.tallies.push(Tally { api: api.clone(), user: user(id), calls });
    }
    let id = EpochId { incarnation: author, epoch: Epoch::FIRST };
    store.add(id, &sums).await.unwrap();
    store.close(author, &[]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_loads_nothing_of_elsewhere_and_clients_do_not_reach_it() {
    let process = Process::start(&Tiers::embedded(), &[BIND]).await;
    let operators = Client::of(process.operators.unwrap());
    for (path, kind) in [
        ("/dashboard", "text/html; charset=utf-8"),
        ("/dashboard?api=nobody&window=never&x=%ff", "text/html; charset=utf-8"),
        ("/dashboard/dashboard.css", "text/css; charset=utf-8"),
        ("/dashboard/dashboard.js", "text/javascript; charset=utf-8"),
        ("/dashboard/icon.svg", "image/svg+xml"),
    ] {
        let answer = operators.send(Method::GET, path, None).await;
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["content-type"]),
            (200, &kind.parse().unwrap()),
            "{path}"
        );
        let policy = answer.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; ") && !policy.contains("unsafe"), "{policy}");
        let text = answer.text().await.unwrap();
        let elsewhere = text
            .replace("http://www.w3.org/2000/svg", "")
            .replace(&format!("http://{}/", process.address), "");
        assert!(!elsewhere.contains("://"), "{path}: {elsewhere}");
        assert_eq!(
            process.client.send(Method::GET, path, None).await.status(),
            404,
            "{path} is not for clients"
        );
    }
    let rebound = reqwest::Client::new().get(format!("http://{}/dashboard", process.operators.unwrap()));
    let rebound = rebound.header("host", "elsewhere.example:9090").send().await.unwrap();
    assert_eq!(rebound.status(), 403, "a page of elsewhere that gave its name this address");
    assert_eq!(operators.send(Method::GET, "/", None).await.status(), 200, "it leads to the dashboard");
    assert_eq!(operators.send(Method::GET, "/dashboard/x", None).await.status(), 404);
    assert_eq!(operators.send(Method::POST, "/dashboard", None).await.status(), 405);
    process.signal(Signal::SIGTERM);
    assert_eq!(process.end().await.0, Some(0));
}
