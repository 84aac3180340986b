//! The one place that turns this API's own errors into HTTP. What the bar denies is turned in `tollbar-wire`, for every framework.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use actix_web::{HttpResponse, ResponseError, http::StatusCode};
use tollbar_core::{
    StoreError,
    domain::{PasswordError, UsernameError},
    ports::HashError,
    usecases::{LoginError, ReadinessReport, SignupError},
};
use tollbar_wire::{ABOUT_BLANK, Answer, Denial, Extras, problem, retry_seconds};
use tracing::{error, warn};

use crate::{answer, request_id};

const WRONG_CREDENTIALS: &str = "urn:tollbar:problem:invalid-credentials";

/// Why a request was not served. Each variant is one answer.
#[derive(Debug)]
pub enum ApiError {
    /// 400: the request breaks a rule, which the sentence names without repeating what the client sent.
    Invalid(Cow<'static, str>),
    /// 401: the username or the password is wrong.
    WrongCredentials,
    /// 401, 403, 429, 503, 500: the bar does not let it through.
    Denied(Denial),
    /// 404: there is no such path.
    NotFound,
    /// 404: no policy counts under this name, and nobody called it within 400 days.
    UnknownApi,
    /// 404: an operator asked about somebody who is not there.
    UnknownUser,
    /// 404: an operator named a policy that is not there.
    UnknownPolicy,
    /// 403: a page of another site asked for what is the operators'.
    ForeignPage,
    /// 403: what is the operators' was asked for by a name that anybody could have given it.
    ForeignHost,
    /// 405: the path has other methods, which `Allow` lists.
    MethodNotAllowed(&'static str),
    /// 408: the body did not arrive in time; the connection is closed.
    BodyTooSlow,
    /// 413: the body is larger than so many bytes.
    BodyTooLarge(usize),
    /// 415: the body is not said to be JSON.
    NotJson,
    /// 503 where the queue is full, else 500: a password was not hashed.
    Hash(HashError),
    /// 503: nothing can be served, or the process stops; the report says what answers.
    NotReady(ReadinessReport),
    /// 500: a mistake of ours, logged where it happened.
    Internal,
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
            Self::Denied(denial) => return denial.sentence(),
            Self::NotFound => "There is nothing at this path!",
            Self::UnknownApi => "No calls are counted under this name!",
            Self::UnknownUser => "There is no such user!",
            Self::UnknownPolicy => "There is no policy of this name!",
            Self::ForeignPage => "This is for operators, and not for pages of other sites!",
            Self::ForeignHost => "Ask by an address, as localhost, or by a name of admin.hosts!",
            Self::MethodNotAllowed(_) => "This path has other methods!",
            Self::BodyTooSlow => "The body took too long to arrive!",
            Self::BodyTooLarge(limit) => {
                return format!("The body must have at most {limit} bytes!").into();
            }
            Self::NotJson => "The body must be JSON, and Content-Type must say so!",
            Self::NotReady(_) => "The service is not ready!",
            Self::Hash(HashError::Busy { .. }) => "Too many logins and signups at once, try again!",
            Self::Hash(HashError::Failed(_)) | Self::Internal => "The service has made a mistake!",
        })
    }

    fn kind(&self) -> (&'static str, &'static str) {
        match self {
            Self::WrongCredentials => (WRONG_CREDENTIALS, "Invalid credentials"),
            _ => (ABOUT_BLANK, self.status_code().canonical_reason().unwrap_or("Error")),
        }
    }

    fn headers(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::WrongCredentials => vec![("www-authenticate", "Bearer realm=\"tollbar\"".to_owned())],
            Self::MethodNotAllowed(allow) => vec![("allow", (*allow).to_owned())],
            Self::Hash(HashError::Busy { retry_after }) => {
                vec![("retry-after", retry_seconds(*retry_after).to_string())]
            }
            Self::NotReady(_) => vec![("retry-after", "1".to_owned())],
            _ => Vec::new(),
        }
    }

    /// What the client is told; the log hears nothing of it.
    pub(crate) fn told(&self, request_id: Option<String>) -> Answer {
        let dependencies = match self {
            Self::Denied(denial) => return denial.told(request_id),
            Self::NotReady(report) => answer::states(report),
            _ => BTreeMap::new(),
        };
        let extras = Extras { dependencies, request_id, ..Extras::default() };
        problem(self.status_code().as_u16(), self.kind(), &self.sentence(), &extras, self.headers())
    }

    /// Servers' own failures are told to the log with their cause, and to the client without it.
    fn log(&self) {
        match self {
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
            Self::WrongCredentials => StatusCode::UNAUTHORIZED,
            Self::Denied(denial) => {
                StatusCode::from_u16(denial.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            }
            Self::NotFound | Self::UnknownApi | Self::UnknownUser | Self::UnknownPolicy => {
                StatusCode::NOT_FOUND
            }
            Self::ForeignPage | Self::ForeignHost => StatusCode::FORBIDDEN,
            Self::MethodNotAllowed(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::BodyTooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::BodyTooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NotJson => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Hash(HashError::Busy { .. }) | Self::NotReady(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Hash(HashError::Failed(_)) | Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error_response(&self) -> HttpResponse {
        self.log();
        let mut response = answer::of(match self {
            Self::Denied(denial) => denial.answer(request_id::current()),
            _ => self.told(request_id::current()),
        });
        // What is left of the body must not be taken for the next request.
        if matches!(self, Self::BodyTooSlow | Self::BodyTooLarge(_)) {
            response.head_mut().set_connection_type(actix_web::http::ConnectionType::Close);
        }
        response
    }
}

impl From<Denial> for ApiError {
    fn from(denial: Denial) -> Self {
        Self::Denied(denial)
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Self::Denied(Denial::Unavailable(error))
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
            SignupError::Store(error) => error.into(),
        }
    }
}

impl From<LoginError> for ApiError {
    fn from(error: LoginError) -> Self {
        match error {
            LoginError::Wrong => Self::WrongCredentials,
            LoginError::Hash(error) => Self::Hash(error),
            LoginError::Store(error) => error.into(),
        }
    }
}
