//! An app over mocked ports, and its answer to one request.

use std::{sync::Arc, time::Duration};

use actix_web::{
    App,
    body::to_bytes,
    http::{StatusCode, header::HeaderMap},
    middleware::from_fn,
    test::{TestRequest, init_service, try_call_service},
};
use serde_json::Value;
use tollbar_core::{
    StoreError,
    counts::{BookOptions, CallBook, LiveCounts},
    domain::{
        ApiName, Decision, Incarnation, Policy, PolicyName, Quota, Timestamp, TokenKey, Window, WindowState,
    },
    policies::{PathPattern, Policies, PolicyTable, Rule, RuleOptions, Unmatched},
    ports::{
        ManualClock, MockCallHistory, MockCallLedger, MockCallTracker, MockGate, MockHealthCheck,
        MockPasswordHasher, MockSessionCache, MockSessionStore, MockStandby, MockUserRepo, Published, Ticket,
    },
    sessions::{SessionOptions, TieredSessions},
    usecases::{Analytics, Authorize, CallCounts, Login, Logout, Ping, Readiness, Signup},
};
use tollbar_http::{Bar, BarOptions, Services, Shutdown, configure, not_found, request_span};

use crate::conformance;

/// The ports that a test programs before it makes services of them.
pub(crate) struct Ports {
    pub(crate) users: MockUserRepo,
    pub(crate) hasher: MockPasswordHasher,
    pub(crate) store: MockSessionStore,
    pub(crate) gate: MockGate,
    pub(crate) tracker: MockCallTracker,
    pub(crate) ledger: MockCallLedger,
    pub(crate) history: MockCallHistory,
    pub(crate) durable: MockHealthCheck,
    pub(crate) live: MockHealthCheck,
    pub(crate) options: BarOptions,
}

pub(crate) const KEY: [u8; 32] = [1; 32];

impl Ports {
    pub(crate) fn new() -> Self {
        Self {
            users: MockUserRepo::new(),
            hasher: MockPasswordHasher::new(),
            store: MockSessionStore::new(),
            gate: MockGate::new(),
            tracker: MockCallTracker::new(),
            ledger: MockCallLedger::new(),
            history: MockCallHistory::new(),
            durable: tier("sqlite"),
            live: tier("memory"),
            options: BarOptions::default(),
        }
    }

    pub(crate) fn services(self) -> Services {
        let mut cache = MockSessionCache::new();
        cache.expect_change().returning(|_| Ok(Ticket { at: Timestamp::default(), lease: None }));
        cache.expect_publish().returning(|_, _, _| Ok(Published::Written));
        let sessions = Arc::new(TieredSessions::new(
            Arc::new(self.store),
            Arc::new(cache),
            Arc::new(ManualClock::new()),
            TokenKey::from_bytes(KEY),
            SessionOptions::default(),
        ));
        let (users, hasher) = (Arc::new(self.users), Arc::new(self.hasher));
        let bar = bar(self.gate, self.options);
        let clock = Arc::new(ManualClock::new());
        let (tracker, ledger) = (Arc::new(self.tracker), Arc::new(self.ledger));
        let policies = bar.authorize().policies().clone();
        let counts =
            Arc::new(CallCounts::new(tracker, ledger, clock.clone(), policies, LiveCounts::default()));
        Services {
            signup: Arc::new(Signup::new(users.clone(), hasher.clone(), 7)),
            login: Arc::new(Login::new(users, hasher, sessions.clone())),
            logout: Arc::new(Logout::new(sessions)),
            ping: Arc::new(Ping::new(Duration::ZERO)),
            analytics: Arc::new(Analytics::new(counts, Arc::new(self.history), clock)),
            bar,
            readiness: Arc::new(Readiness::new(
                Arc::new(self.durable),
                Arc::new(self.live),
                Arc::new(ManualClock::new()),
            )),
            body_timeout: Duration::from_millis(100),
            shutdown: Shutdown::default(),
        }
    }
}

/// The bar over this gate, by the policy of `/ping` and the same for `/orders/{id}`; all else needs a session.
pub(crate) fn bar(gate: MockGate, options: BarOptions) -> Bar {
    let rule =
        |path: &str, policy| Rule::new(RuleOptions::new(policy, PathPattern::new(path).unwrap())).unwrap();
    let orders = {
        let ping = policy();
        let (name, api) = (PolicyName::new("orders").unwrap(), ApiName::new("orders").unwrap());
        Policy::new(name, api, ping.windows().to_vec()).unwrap()
    };
    let rules = vec![rule("/ping", policy()), rule("/orders/{id}", orders)];
    let policies = Policies::new(PolicyTable::new(rules, Unmatched::Session).unwrap());
    let author = Incarnation::from_bytes([1; 16]);
    let book = Arc::new(CallBook::new(author, Arc::new(ManualClock::new()), BookOptions::default()));
    let authorize = Authorize::new(policies, Arc::new(gate), Arc::new(MockStandby::new()), None, book);
    Bar::new(Arc::new(authorize), options)
}

pub(crate) fn tier(name: &'static str) -> MockHealthCheck {
    let mut tier = MockHealthCheck::new();
    tier.expect_name().return_const(name);
    tier
}

/// The policy of `/ping`.
pub(crate) fn policy() -> Policy {
    let window =
        |quota, seconds| Window::new(Quota::new(quota).unwrap(), Duration::from_secs(seconds)).unwrap();
    let name = (PolicyName::new("ping").unwrap(), ApiName::new("ping").unwrap());
    let policy = Policy::new(name.0, name.1, vec![window(1, 5), window(2, 60)]).unwrap();
    policy.with_window_names([Some("burst"), Some("minute")]).unwrap()
}

/// A decision by that policy, in which each window makes a call wait for so long.
pub(crate) fn decision(waits: [Duration; 2]) -> Decision {
    let state = |(window, retry_after): (&Window, Duration)| WindowState {
        window: *window,
        remaining: 0,
        reset_after: retry_after,
        retry_after,
    };
    let windows = policy().windows().iter().zip(waits).map(state).collect();
    Decision { at: Timestamp::default(), windows, repeated: false }
}

pub(crate) fn down() -> StoreError {
    StoreError::transient("reach it", "10.0.0.1 refused")
}

pub(crate) fn broken() -> StoreError {
    StoreError::permanent("read it", "column 7 is gone")
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The sentence of a problem, once its form has been checked.
    pub(crate) fn problem(&self, status: u16, title: &str) -> String {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        let problem = self.json();
        assert_eq!((&problem["status"], &problem["title"]), (&status.into(), &title.into()));
        assert_eq!(problem["detail"], problem["error"]);
        assert_eq!(problem["requestId"].as_str(), self.header("x-request-id"));
        assert!(problem["type"].as_str().unwrap().contains(':'));
        problem["error"].as_str().unwrap().to_owned()
    }
}

/// What the whole app answers, which is as it is described.
pub(crate) async fn ask(services: Services, request: TestRequest) -> Answer {
    let app = App::new().configure(configure(services)).configure(not_found).wrap(from_fn(request_span));
    let app = init_service(app).await;
    let request = request.to_request();
    let asked = (request.method().to_string(), request.path().to_owned());
    let (status, headers, body) = match try_call_service(&app, request).await {
        Ok(answer) => {
            let (status, headers) = (answer.status(), answer.headers().clone());
            (status, headers, to_bytes(answer.into_body()).await.unwrap())
        }
        Err(error) => {
            let answer = error.error_response();
            let (status, headers) = (answer.status(), answer.headers().clone());
            (status, headers, to_bytes(answer.into_body()).await.unwrap())
        }
    };
    let answer = Answer { status, headers, body: String::from_utf8(body.to_vec()).unwrap() };
    conformance::check(&asked.0, &asked.1, &answer);
    answer
}

/// A POST of JSON.
pub(crate) fn post(path: &str, body: impl Into<String>) -> TestRequest {
    TestRequest::post().uri(path).insert_header(("content-type", "application/json")).set_payload(body.into())
}

pub(crate) const USER1: &str = r#"{"username":"user1","password":"pass123"}"#;
