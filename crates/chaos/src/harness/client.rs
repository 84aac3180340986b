//! Speaks to one process and notes everything.

use std::sync::Arc;

use fastrand::Rng;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::base::{Base, send};
use super::clock::Clock;
use super::people::{Account, People, Token};
use super::recorder::Recorder;
use crate::history::{Answer, Api, Board, Event, Op, Place, ProcessId, User};

const PASSWORD: &str = "correct horse";

/// What all clients of a stage share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) clock: Clock,
    pub(super) recorder: Recorder,
    pub(super) people: People,
}

/// A client of one process.
#[derive(Debug, Clone)]
pub(super) struct Client {
    pub(super) shared: Arc<Shared>,
    pub(super) base: Base,
    pub(super) process: ProcessId,
}

impl Client {
    /// Opens a new account.
    pub(super) async fn sign_up(&self, rng: &mut Rng) -> (Answer, Option<Arc<Account>>) {
        let account = self.shared.people.newcomer(rng);
        let request = self.base.request(Method::POST, "/signup").json(&credentials(&account));
        let (event, _) = self.exchange(request, Op::Signup, Some(account.user), 0).await;
        self.shared.recorder.note(event);
        let is_new = event.answer.code() == Some(200);
        (event.answer, is_new.then(|| self.shared.people.welcome(account, rng)))
    }

    /// Opens a session.
    pub(super) async fn log_in(&self, account: &Account) -> Answer {
        let request = self.base.request(Method::POST, "/login").json(&credentials(account));
        let (mut event, body) = self.exchange(request, Op::Login, Some(account.user), 0).await;
        if event.answer.code() == Some(200)
            && let Some(token) = body["sessionToken"].as_str().and_then(Token::read)
        {
            event.version = token.version;
            self.shared.people.know(account.user, token.id);
            account.learn(token);
        }
        self.shared.recorder.note(event);
        event.answer
    }

    /// Ends a session.
    pub(super) async fn log_out(&self, account: &Account, token: &Token) {
        let request = self.base.request(Method::POST, "/logout").bearer_auth(&token.text);
        let (event, _) = self.exchange(request, Op::Logout, Some(account.user), token.version).await;
        if event.answer.code().is_some() {
            // After a 503 it may have ended, too; then it is asked about as one that did.
            account.ended(token.version);
        }
        self.shared.recorder.note(event);
    }

    /// Calls an API.
    pub(super) async fn call(&self, account: &Account, token: &Token, api: Api) {
        let request = match api {
            Api::Closed => self.base.request(Method::GET, "/ping"),
            other => self
                .base
                .request(Method::GET, "/authz/forward")
                .header("x-forwarded-method", "GET")
                .header("x-forwarded-uri", format!("/{}", other.name())),
        };
        let request = request.bearer_auth(&token.text);
        let (event, _) = self.exchange(request, Op::Call(api), Some(account.user), token.version).await;
        if event.answer.code() == Some(401) {
            account.ended(token.version);
        }
        self.shared.recorder.note(event);
    }

    /// Reads the leaderboard; the places where it was given.
    pub(super) async fn top(&self) -> Option<Vec<Place>> {
        let (event, body) = self.ask("/top", Op::Top).await;
        let places = body["top"].as_array().filter(|_| event.answer.code() == Some(200))?;
        let place =
            |place: &Value| Some(Place { id: place["userId"].as_u64()?, calls: place["calls"].as_u64()? });
        let places: Vec<_> = places.iter().filter_map(place).collect();
        let Event { sent, received, process, .. } = event;
        let is_stale = body["stale"].as_bool().unwrap_or(false);
        self.shared.recorder.note_board(Board { sent, received, process, is_stale, places: places.clone() });
        Some(places)
    }

    /// Reads the number of callers, where it was given.
    pub(super) async fn count(&self) -> Option<u64> {
        let (event, body) = self.ask("/count", Op::Count).await;
        body["estimatedCount"].as_u64().filter(|_| event.answer.code() == Some(200))
    }

    /// Asks whether it is ready.
    pub(super) async fn ready(&self) {
        self.ask("/readyz", Op::Ready).await;
    }

    async fn ask(&self, path: &str, op: Op) -> (Event, Value) {
        let asked = self.exchange(self.base.request(Method::GET, path), op, None, 0).await;
        self.shared.recorder.note(asked.0);
        asked
    }

    async fn exchange(
        &self,
        request: RequestBuilder,
        op: Op,
        user: Option<User>,
        version: u64,
    ) -> (Event, Value) {
        let sent = self.shared.clock.now();
        let (answer, body) = send(request).await;
        let received = self.shared.clock.now();
        (Event { sent, received, user, version, process: self.process, op, answer }, body)
    }
}

fn credentials(account: &Account) -> Value {
    json!({ "username": account.name, "password": PASSWORD })
}
