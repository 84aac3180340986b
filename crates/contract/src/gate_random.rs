//! The fast gate decides as the plain one does, over any history of logins, logouts, calls and mishaps.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use proptest::{
    collection::vec,
    prelude::{Just, Strategy},
    prop_oneof,
    test_runner::{Config, TestCaseError, TestRunner},
};
use tokio::runtime::Handle;
use tollbar_core::{
    domain::{Caller, Decision, Fingerprint, Policy, Tally, UserId},
    ports::{Admission, Gate, MAX_TOP},
    sessions::{SessionOptions, TieredSessions},
};

use crate::{
    FastGateHarness, GateHarness, Harness, TiersHarness,
    gate::flush,
    one_trip::{counted_as, sealed},
    rate_limiter::{policy, secs},
    rate_limiter_gcra::buckets,
};

const HISTORIES: u32 = 30;
const USERS: usize = 3;

/// One step of a history; users are numbered within it.
#[derive(Debug, Clone)]
enum Step {
    Login(usize),
    /// With one of the user's tokens, counted from the newest.
    Logout(usize, usize),
    Call(usize, Token, usize),
    Pass(Duration),
    Back(Duration),
    Evict(usize),
    Lapse(usize),
}

/// What a caller presents.
#[derive(Debug, Clone)]
enum Token {
    /// A token that a login gave, counted from the newest: it may have been ended since.
    Given(usize),
    /// One under our seal with a secret that no login made, of this version.
    Sealed(u64),
    Nonsense,
}

fn span() -> impl Strategy<Value = Duration> {
    prop_oneof![
        3 => (0_u64..4_000_000).prop_map(Duration::from_micros),
        3 => (0_u64..12).prop_map(secs),
        1 => (20_u64..70).prop_map(secs),
        1 => Just(Duration::from_micros(1)),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let user = || 0..USERS;
    let token = prop_oneof![
        10 => Just(Token::Given(0)),
        3 => (1_usize..3).prop_map(Token::Given),
        1 => (0_u64..5).prop_map(Token::Sealed),
        1 => Just(Token::Nonsense),
    ];
    let step = prop_oneof![
        16 => (user(), token, prop_oneof![Just(0), 0_usize..8]).prop_map(|(user, token, policy)| Step::Call(user, token, policy)),
        6 => span().prop_map(Step::Pass),
        1 => (0_u64..3_000_000).prop_map(|micros| Step::Back(Duration::from_micros(micros))),
        2 => user().prop_map(Step::Login),
        1 => (user(), 0_usize..3).prop_map(|(user, token)| Step::Logout(user, token)),
        1 => user().prop_map(Step::Evict),
        1 => user().prop_map(Step::Lapse),
    ];
    vec(step, 30..120)
}

/// Several policies: two of one name whose windows differ, two that cost more than one under another API, and one of each other kind.
fn policies() -> Vec<Policy> {
    let dear = |name: &str, windows: &[(u32, Duration)], cost| {
        counted_as("pong", &policy(name, windows)).with_cost(cost).unwrap()
    };
    vec![
        policy("ping", &[(1, secs(5)), (2, secs(60))]),
        policy("changing", &[(3, secs(20))]),
        policy("changing", &[(1, secs(7)), (4, secs(45))]),
        dear("dear", &[(5, secs(30))], 2),
        dear("dearest", &[(7, secs(50)), (6, secs(10))], 3),
        buckets("bucket", &[(4, secs(9)), (6, secs(40))]),
        policy("unlimited", &[(1, secs(1))]).without_windows(),
        policy("changing", &[(2, secs(20))]).at_path(Fingerprint::of_path("/a")),
    ]
}

/// What is said to a step.
#[derive(Debug, PartialEq)]
enum Answer {
    Nothing,
    /// To a logout: whether a session ended.
    Ended(bool),
    Call(Admission),
}

/// One gate, and what its side of the history has come to.
struct Side<H> {
    harness: H,
    sessions: Arc<TieredSessions>,
    gate: Arc<dyn Gate>,
    users: Vec<UserId>,
    /// Of each user, oldest first.
    tokens: Vec<Vec<String>>,
}

impl<H: GateHarness> Side<H> {
    fn of(harness: H, options: SessionOptions) -> Self {
        let sessions = Arc::new(harness.process_with(options));
        let gate = harness.gate_of(Arc::clone(&sessions));
        Self { harness, sessions, gate, users: Vec::new(), tokens: Vec::new() }
    }

    /// Begins a history, with users of its own who are logged in.
    async fn begin(&mut self, history: usize) {
        (self.users, self.tokens) = (Vec::new(), vec![Vec::new(); USERS]);
        for user in 0..USERS {
            self.users.push(self.harness.user(&format!("user{history}.{user}")).await);
            self.login(user).await;
        }
    }

    async fn login(&mut self, user: usize) {
        let opened = self.sessions.open(self.users[user]).await.unwrap().expect("the user exists");
        self.tokens[user].push(opened.token.expose());
    }

    fn token(&self, user: usize, token: &Token) -> String {
        match token {
            Token::Given(age) => self.tokens[user][self.tokens[user].len().saturating_sub(age + 1)].clone(),
            Token::Sealed(version) => sealed(self.users[user], *version, 9).expose(),
            Token::Nonsense => "tbs_nonsense".to_owned(),
        }
    }

    async fn play(&mut self, step: &Step, policies: &[Policy]) -> Answer {
        match *step {
            Step::Login(user) => self.login(user).await,
            Step::Logout(user, age) => {
                let token = self.token(user, &Token::Given(age));
                return Answer::Ended(self.sessions.close(&token).await.unwrap());
            }
            Step::Call(user, ref token, policy) => {
                let token = self.token(user, token);
                return Answer::Call(self.gate.admit(&token, &policies[policy]).await.unwrap());
            }
            Step::Pass(span) => self.harness.pass(span),
            Step::Back(span) => self.harness.step_back(span),
            Step::Evict(user) => self.harness.evict(self.users[user]).await,
            Step::Lapse(user) => self.harness.lapse(self.users[user]).await,
        }
        Answer::Nothing
    }

    /// All that the history has left: the units of each user under each policy, the boards and the distinct counts.
    async fn left(&self, policies: &[Policy]) -> (Vec<Decision>, Vec<(Vec<Caller>, u64)>) {
        let (mut units, mut counts) = (Vec::new(), Vec::new());
        for policy in policies {
            for &user in &self.users {
                units.push(self.harness.rate_limiter().peek(policy, user.into()).await.unwrap());
            }
            let tracker = self.harness.call_tracker();
            let top = tracker.top(policy.api(), MAX_TOP).await.unwrap();
            counts.push((top, tracker.distinct(policy.api()).await.unwrap()));
        }
        (units, counts)
    }
}

/// The same answer, to the letter; where a denial may be remembered, a window that denies nothing may have more left than is said.
fn alike(plain: &Answer, fast: &Answer, remembers: bool) -> bool {
    match (plain, fast) {
        (
            Answer::Call(Admission::Limited { user, decision }),
            Answer::Call(Admission::Limited { user: other, decision: said }),
        ) if remembers => {
            let windows = decision.windows.iter().zip(&said.windows);
            let mut waits = windows.map(|(is, said)| {
                said.remaining <= is.remaining
                    && (said.window, said.retry_after) == (is.window, is.retry_after)
            });
            (user, decision.at, decision.windows.len()) == (other, said.at, said.windows.len())
                && waits.all(|same| same)
        }
        _ => plain == fast,
    }
}

/// Both gates, each over tiers of its own.
struct Play<H: FastGateHarness> {
    plain: Side<H::Plain>,
    fast: Side<H>,
}

impl<H: FastGateHarness> Play<H> {
    async fn history(&mut self, number: usize, steps: &[Step]) -> Result<(), String> {
        let policies = policies();
        self.plain.begin(number).await;
        self.fast.begin(number).await;
        for (index, step) in steps.iter().enumerate() {
            let plain = self.plain.play(step, &policies).await;
            let fast = self.fast.play(step, &policies).await;
            if !alike(&plain, &fast, H::REMEMBERS) {
                return Err(format!(
                    "step {index}, {step:?}: the plain gate says {plain:?}, the fast one {fast:?}"
                ));
            }
        }
        let (plain, fast) = (self.plain.left(&policies).await, self.fast.left(&policies).await);
        if plain == fast {
            Ok(())
        } else {
            Err(format!("the plain gate leaves {plain:?}, the fast one {fast:?}"))
        }
    }
}

/// The ledger's totals after a flush.
async fn flushed(harness: &impl GateHarness) -> Vec<Tally> {
    flush(harness, 1).await;
    harness.call_ledger().totals(None, usize::from(u16::MAX)).await.unwrap()
}

suite! {
    ($) gate_random_suite, gate_random, FastGateHarness;

    /// Step by step the same answers, and in the end the same limits, boards, distinct counts and ledger.
    async fn any_history_is_decided_alike(harness) {
        let plain = H::Plain::start().await;
        // Two clocks that began at different times show the same from here on.
        let (one, other) = (plain.clock().now(), harness.clock().now());
        plain.pass(other.since(one));
        harness.pass(one.since(other));
        // What a gate remembers does not see that a session ended by its age, or what another session of its user was admitted.
        let options = if H::REMEMBERS {
            SessionOptions { ttl: secs(86_400), ..SessionOptions::default() }
        } else {
            let max_per_user = 2.try_into().expect("two is not zero");
            SessionOptions { ttl: secs(90), max_per_user, ..SessionOptions::default() }
        };
        let play = Play::<H> { plain: Side::of(plain, options), fast: Side::of(harness, options) };
        let number = AtomicUsize::new(0);
        let aside = tokio::task::spawn_blocking(move || {
            let play = std::sync::Mutex::new(play);
            let config = Config { cases: HISTORIES, failure_persistence: None, ..Config::default() };
            let outcome = TestRunner::new(config).run(&steps(), |steps| {
                let mut play = play.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                let history = play.history(number.fetch_add(1, Relaxed), &steps);
                Handle::current().block_on(history).map_err(TestCaseError::fail)
            });
            if let Err(failure) = outcome {
                panic!("{failure}");
            }
            play.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
        });
        let play = aside.await.expect("every history is decided alike");
        let (plain, fast) = (flushed(&play.plain.harness).await, flushed(&play.fast.harness).await);
        assert!(!plain.is_empty());
        assert_eq!(plain, fast);
    }
}
