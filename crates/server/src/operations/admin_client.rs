//! Asks a process that serves, at its operator listener.

use std::{fmt, str::FromStr, sync::Arc, time::Duration};

use reqwest::{Client, RequestBuilder, Response, StatusCode, Url, redirect};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    About, AccountAnswer, AccountQuestion, LogoutAnswer, PeekAnswer, PeekQuestion, ResetAnswer,
    ResetQuestion, SessionsAnswer, TopAnswer, TopQuestion,
};

/// How long an answer may take; a process gives up on its own tiers before.
const DEADLINE: Duration = Duration::from_secs(40);
/// How long a process may take to say who it is, for which it asks nobody.
const PATIENCE: Duration = Duration::from_secs(5);
/// Bytes that no answer exceeds: a hundred callers, or all sessions of a user.
const LONGEST_ANSWER: usize = 4 << 20;
/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(2);

/// Where an operator listener is. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdminUrl(Arc<Url>);

impl FromStr for AdminUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let must_be = || "it is http://HOST:PORT, or HOST:PORT".to_owned();
        let text = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let url: Url = text.parse().map_err(|_| must_be())?;
        let is_bare = url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        if url.scheme() == "http" && url.has_host() && is_bare {
            Ok(Self(Arc::new(url)))
        } else {
            Err(must_be())
        }
    }
}

impl fmt::Display for AdminUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

/// Why a process did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// Nobody listens there.
    #[error("nobody listens for operators at {0}")]
    Nobody(AdminUrl, #[source] reqwest::Error),
    /// Something else listens there.
    #[error("what listens at {0} is no operator listener of this version of Tollbar")]
    Stranger(AdminUrl),
    /// The connection failed, or the answer took too long; it may have been done.
    #[error("the process at {0} gave no answer")]
    Silent(AdminUrl, #[source] reqwest::Error),
    /// It refused, or failed.
    #[error("the process at {process} answered {status}: {sentence}")]
    Failed {
        /// Who was asked.
        process: AdminUrl,
        /// What HTTP says of it.
        status: u16,
        /// What it says itself.
        sentence: String,
    },
    /// There is nothing of that name.
    #[error("{0}")]
    Unknown(String),
}

/// One process, which was found to be there.
#[derive(Debug, Clone)]
pub(crate) struct AdminClient {
    http: Client,
    process: AdminUrl,
    about: About,
}

#[derive(Deserialize)]
struct Problem {
    error: String,
}

impl AdminClient {
    /// Asks who is there.
    pub(crate) async fn reach(process: &AdminUrl) -> Result<Self, AdminError> {
        let http = Client::builder()
            // A proxy for the web has no business here.
            .no_proxy()
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT)
            .timeout(DEADLINE)
            .build()
            .map_err(|error| AdminError::Silent(process.clone(), error))?;
        let asked = http.get(address(process, "about")).timeout(PATIENCE).send().await;
        let silent = |error: reqwest::Error| AdminError::Silent(process.clone(), error.without_url());
        let answer = asked.map_err(|error| {
            if error.is_connect() {
                AdminError::Nobody(process.clone(), error.without_url())
            } else {
                silent(error)
            }
        })?;
        let stranger = || AdminError::Stranger(process.clone());
        if answer.status() != StatusCode::OK {
            return Err(stranger());
        }
        let about = json(answer).await.map_err(|failure| match failure {
            Unread::Failed(error) if error.is_timeout() => silent(error),
            _ => stranger(),
        })?;
        Ok(Self { http, process: process.clone(), about })
    }

    /// Who it is.
    pub(crate) fn about(&self) -> &About {
        &self.about
    }

    /// Where it is.
    pub(crate) fn place(&self) -> &AdminUrl {
        &self.process
    }

    pub(crate) async fn top(&self, question: &TopQuestion) -> Result<TopAnswer, AdminError> {
        self.get("top", question).await
    }

    pub(crate) async fn account(&self, question: &AccountQuestion) -> Result<AccountAnswer, AdminError> {
        self.get("user", question).await
    }

    pub(crate) async fn sessions(&self, question: &AccountQuestion) -> Result<SessionsAnswer, AdminError> {
        self.get("user/sessions", question).await
    }

    pub(crate) async fn logout(&self, question: &AccountQuestion) -> Result<LogoutAnswer, AdminError> {
        self.post("user/logout", question).await
    }

    pub(crate) async fn reset(&self, question: &ResetQuestion) -> Result<ResetAnswer, AdminError> {
        self.post("limits/reset", question).await
    }

    pub(crate) async fn peek(&self, question: &PeekQuestion) -> Result<PeekAnswer, AdminError> {
        self.post("limits/peek", question).await
    }

    /// Asks by parameters: the members of the question that are set.
    async fn get<A: DeserializeOwned>(&self, path: &str, question: &impl Serialize) -> Result<A, AdminError> {
        let mut url = address(&self.process, path);
        let members = serde_json::to_value(question).expect("a question is JSON");
        {
            let mut parameters = url.query_pairs_mut();
            for (name, value) in members.as_object().into_iter().flatten() {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                parameters.append_pair(name, &text);
            }
        }
        self.ask(self.http.get(url)).await
    }

    async fn post<A: DeserializeOwned>(
        &self,
        path: &str,
        question: &impl Serialize,
    ) -> Result<A, AdminError> {
        self.ask(self.http.post(address(&self.process, path)).json(question)).await
    }

    async fn ask<A: DeserializeOwned>(&self, request: RequestBuilder) -> Result<A, AdminError> {
        let silent = |error: reqwest::Error| AdminError::Silent(self.process.clone(), error.without_url());
        let answer = request.send().await.map_err(silent)?;
        let status = answer.status();
        if status.is_success() {
            return json(answer).await.map_err(|failure| match failure {
                Unread::Failed(error) => silent(error),
                Unread::Strange => AdminError::Stranger(self.process.clone()),
            });
        }
        let sentence = match json::<Problem>(answer).await {
            Ok(problem) => within_a_line(&problem.error),
            Err(_) => "it does not say why".to_owned(),
        };
        if status == StatusCode::NOT_FOUND {
            return Err(AdminError::Unknown(sentence));
        }
        Err(AdminError::Failed { process: self.process.clone(), status: status.as_u16(), sentence })
    }
}

/// Why there is no answer.
enum Unread {
    /// The connection failed, or it took too long.
    Failed(reqwest::Error),
    /// It is none of ours: too long, or not what it should be.
    Strange,
}

/// What an answer says. Whoever listens may be anybody, so that it is not read without end.
async fn json<A: DeserializeOwned>(mut answer: Response) -> Result<A, Unread> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(Unread::Failed)? {
        if body.len() + chunk.len() > LONGEST_ANSWER {
            return Err(Unread::Strange);
        }
        body.extend_from_slice(&chunk);
    }
    serde_json::from_slice(&body).map_err(|_| Unread::Strange)
}

/// A sentence of a problem, as it stands behind a colon.
fn within_a_line(sentence: &str) -> String {
    let sentence = sentence.trim_end_matches('!');
    let mut letters = sentence.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

fn address(process: &AdminUrl, path: &str) -> Url {
    let mut url = Url::clone(&process.0);
    url.set_path(&format!("/admin/v1/{path}"));
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_host_and_a_port() {
        for (text, place) in [
            ("127.0.0.1:9090", "http://127.0.0.1:9090"),
            ("http://[::1]:9090/", "http://[::1]:9090"),
            ("tollbar-0:80", "http://tollbar-0"),
        ] {
            assert_eq!(text.parse::<AdminUrl>().unwrap().to_string(), place);
        }
        for refused in ["", "https://h:1", "h:1/x", "http://u:p@h:1", "http://h:1?x", "file:///x", "h:x"] {
            assert!(refused.parse::<AdminUrl>().is_err(), "{refused}");
        }
    }
}
