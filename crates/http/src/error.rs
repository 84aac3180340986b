//! The one place that turns errors into HTTP: problem details (RFC 9457) with the sentence in `error`.

use std::{borrow::Cow, collections::BTreeMap, fmt, time::Duration};

use actix_web::{
    HttpResponse, ResponseError,
    http::{StatusCode, header},
};
use serde::Serialize;
use tollbar_core::{
    StoreError,
    domain::{ApiName, Decision, PasswordError, UsernameError},
    ports::HashError,
    usecases::{LoginError, ReadinessReport, SignupError},
};
use tracing::{error, warn};

use crate::{answer, sentence};

const ABOUT_BLANK: &str = "about:blank";
const WRONG_CREDENTIALS: &str = "urn:tollbar:problem:invalid-credentials";
const QUOTA_EXCEEDED: &str = "https://iana.org/assignments/http-problem-types#quota-exceeded";
const RETRY_SOON: Duration = Duration::from_secs(1);

/// Why a request was not served. Each variant is one answer.
#[derive(Debug)]
pub enum ApiError {
    /// 400: the request breaks a rule, which the sentence names without repeating what the client sent.
    Invalid(Cow<'static, str>),
    /// 401: the username or the password is wrong.
    WrongCredentials,
    /// 401: no bearer token came.
    NoCredential,
    /// 401: what came is no token of a live session.
    InvalidToken,
    /// 404: there is no such path.
    NotFound,
    /// 405: the path has other methods, which `Allow` lists.
    MethodNotAllowed(&'static str),
    /// 408: the body did not arrive in time; the connection is closed.
    BodyTooSlow,
    /// 413: the body is larger than so many bytes.
    BodyTooLarge(usize),
    /// 415: the body is not said to be JSON.
    NotJson,
    /// 429: over a limit.
    RateLimited(ApiName, Decision),
    /// 503 where trying again may help, else 500: a store failed.
    Store(StoreError),
    /// 503 where the queue is full, else 500: a password was not hashed.
    Hash(HashError),
    /// 503: nothing can be served, or the process stops; the report says what answers.
    NotReady(ReadinessReport),
    /// 500: a mistake of ours, logged where it happened.
    Internal,
}

/// RFC 9457, with the extension member that clients read.
#[derive(Serialize)]
struct Problem<'a> {
    r#type: &'a str,
    title: &'a str,
    status: u16,
    detail: &'a str,
    error: &'a str,
    /// Of [`ApiError::NotReady`] only.
    #[serde(skip_serializing_if = "Option::is_none")]
    dependencies: Option<BTreeMap<&'a str, &'a str>>,
}

impl ApiError {
    /// A 400 with this sentence.
    pub fn invalid(sentence: impl Into<Cow<'static, str>>) -> Self {
        Self::Invalid(sentence.into())
    }

    fn sentence(&self) -> Cow<'_, str> {
        Cow::Borrowed(match self {
            Self::Invalid(sentence) => sentence,
            Self::WrongCredentials => "Username or password was wrong!",
            Self::NoCredential => "A session token is required!",
            Self::InvalidToken => "The session token is invalid or has expired!",
            Self::NotFound => "There is nothing at this path!",
            Self::MethodNotAllowed(_) => "This path has other methods!",
            Self::BodyTooSlow => "The body took too long to arrive!",
            Self::BodyTooLarge(limit) => {
                return format!("The body must have at most {limit} bytes!").into();
            }
            Self::NotJson => "The body must be JSON, and Content-Type must say so!",
            Self::RateLimited(api, decision) => match decision.violated().next() {
                Some(state) => return sentence::rate_limit_exceeded(api, &state.window).into(),
                None => "Rate limit exceeded!",
            },
            Self::Store(error) if error.is_transient() => "The service cannot answer now, try again!",
            Self::NotReady(_) => "The service is not ready!",
            Self::Hash(HashError::Busy { .. }) => "Too many logins and signups at once, try again!",
            Self::Store(_) | Self::Hash(HashError::Failed(_)) | Self::Internal => {
                "The service has made a mistake!"
            }
        })
    }

    fn kind(&self) -> (&'static str, &'static str) {
        match self {
            Self::WrongCredentials => (WRONG_CREDENTIALS, "Invalid credentials"),
            Self::RateLimited(..) => (QUOTA_EXCEEDED, "Rate limit exceeded"),
            _ => (ABOUT_BLANK, self.status_code().canonical_reason().unwrap_or("Error")),
        }
    }

    /// Servers' own failures are told to the log with their cause, and to the client without it.
    fn log(&self) {
        match self {
            Self::Store(error) if error.is_transient() => warn!(?error, "answered 503"),
            Self::Store(error) => error!(?error, "answered 500"),
            Self::Hash(HashError::Failed(cause)) => error!(%cause, "answered 500: no hash"),
            Self::Hash(HashError::Busy { .. }) => warn!("answered 503: the queue for hashing is full"),
            _ => {}
        }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence())
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Invalid(_) => StatusCode::BAD_REQUEST,
            Self::WrongCredentials | Self::NoCredential | Self::InvalidToken => StatusCode::UNAUTHORIZED,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::BodyTooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::BodyTooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NotJson => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::RateLimited(..) => StatusCode::TOO_MANY_REQUESTS,
            Self::Store(error) if error.is_transient() => StatusCode::SERVICE_UNAVAILABLE,
            Self::Hash(HashError::Busy { .. }) | Self::NotReady(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Store(_) | Self::Hash(HashError::Failed(_)) | Self::Internal => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
        }
    }

    fn error_response(&self) -> HttpResponse {
        self.log();
        let status = self.status_code();
        let mut answer = answer::begin(status);
        match self {
            // RFC 6750, section 3: an error code only where a credential came.
            Self::WrongCredentials | Self::NoCredential => {
                answer.insert_header((header::WWW_AUTHENTICATE, "Bearer realm=\"tollbar\""));
            }
            Self::InvalidToken => {
                let challenge = "Bearer realm=\"tollbar\", error=\"invalid_token\"";
                answer.insert_header((header::WWW_AUTHENTICATE, challenge));
            }
            Self::MethodNotAllowed(allow) => {
                answer.insert_header((header::ALLOW, *allow));
            }
            // What is left of the body must not be taken for the next request.
            Self::BodyTooSlow | Self::BodyTooLarge(_) => {
                answer.force_close();
            }
            Self::RateLimited(_, decision) => {
                answer.insert_header((header::RETRY_AFTER, seconds(decision.retry_after())));
            }
            Self::Hash(HashError::Busy { retry_after }) => {
                answer.insert_header((header::RETRY_AFTER, seconds(*retry_after)));
            }
            Self::NotReady(_) => {
                answer.insert_header((header::RETRY_AFTER, seconds(RETRY_SOON)));
            }
            Self::Store(error) if error.is_transient() => {
                answer.insert_header((header::RETRY_AFTER, seconds(RETRY_SOON)));
            }
            _ => {}
        }
        let ((r#type, title), sentence) = (self.kind(), self.sentence());
        let dependencies = match self {
            Self::NotReady(report) => Some(answer::states(report)),
            _ => None,
        };
        let (status, detail, error) = (status.as_u16(), &*sentence, &*sentence);
        let problem = Problem { r#type, title, status, detail, error, dependencies };
        answer.content_type("application/problem+json").json(problem)
    }
}

/// Whole seconds, rounded up, so that a call made then is not too early.
fn seconds(wait: Duration) -> u64 {
    (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1)
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<UsernameError> for ApiError {
    fn from(error: UsernameError) -> Self {
        Self::invalid(error.to_string())
    }
}

impl From<PasswordError> for ApiError {
    fn from(error: PasswordError) -> Self {
        Self::invalid(error.to_string())
    }
}

impl From<SignupError> for ApiError {
    fn from(error: SignupError) -> Self {
        match error {
            SignupError::Password(error) => error.into(),
            SignupError::Taken => Self::invalid("Username already exists!"),
            SignupError::Hash(error) => Self::Hash(error),
            SignupError::Store(error) => Self::Store(error),
        }
    }
}

impl From<LoginError> for ApiError {
    fn from(error: LoginError) -> Self {
        match error {
            LoginError::Wrong => Self::WrongCredentials,
            LoginError::Hash(error) => Self::Hash(error),
            LoginError::Store(error) => Self::Store(error),
        }
    }
}
