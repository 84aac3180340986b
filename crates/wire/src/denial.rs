//! The one place that turns what the bar refuses into an answer.

use std::{borrow::Cow, time::Duration};

use tollbar_core::{StoreError, usecases::Limits};
use tracing::{error, warn};

use crate::{ABOUT_BLANK, Answer, Extras, HeaderFormat, problem, sentence};

/// The header that tells a proxy why a request is denied: `unauthenticated`, `limited` or `forbidden`.
pub const REASON: &str = "x-tollbar-reason";

const QUOTA_EXCEEDED: &str = "https://iana.org/assignments/http-problem-types#quota-exceeded";
const RETRY_SOON: Duration = Duration::from_secs(1);

/// Why a request does not go through.
#[derive(Debug, Clone)]
pub enum Denial {
    /// 401: it names no session.
    NoCredential,
    /// 401: what it names is no live session, or two that disagree.
    InvalidToken,
    /// 403: another site may have sent it in its user's name.
    CrossSite,
    /// 403: no policy is for it.
    Unmatched,
    /// 403: whoever tells of it is not trusted to.
    Untrusted,
    /// 403: whoever tells of it does not tell enough.
    Incomplete,
    /// 403: its path or its method means one thing to one program and another to another.
    Ambiguous,
    /// 429: over a limit.
    Limited(Limits, HeaderFormat),
    /// Any of those that are not about a limit, to who was charged before; with the headers that tell of it.
    Charged(Box<Denial>, Vec<(&'static str, String)>),
    /// 503 where trying again may help, else 500: a store failed.
    Unavailable(StoreError),
}

impl Denial {
    /// The status of the answer.
    pub fn status(&self) -> u16 {
        match self {
            Self::NoCredential | Self::InvalidToken => 401,
            Self::CrossSite | Self::Unmatched | Self::Untrusted | Self::Incomplete | Self::Ambiguous => 403,
            Self::Charged(denial, _) => denial.status(),
            Self::Limited(..) => 429,
            Self::Unavailable(error) if error.is_transient() => 503,
            Self::Unavailable(_) => 500,
        }
    }

    /// Why, in a word for proxies; a store that failed is no denial.
    pub fn reason(&self) -> Option<&'static str> {
        match self {
            Self::NoCredential | Self::InvalidToken => Some("unauthenticated"),
            Self::CrossSite | Self::Unmatched | Self::Untrusted | Self::Incomplete | Self::Ambiguous => {
                Some("forbidden")
            }
            Self::Charged(denial, _) => denial.reason(),
            Self::Limited(..) => Some("limited"),
            Self::Unavailable(_) => None,
        }
    }

    /// The same in a sentence for people.
    pub fn sentence(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::NoCredential => "A session token is required!",
            Self::InvalidToken => "The session token is invalid or has expired!",
            Self::CrossSite => "The session cookie came with a request that another site may have made!",
            Self::Unmatched => "No policy allows this request!",
            Self::Untrusted => "Only a trusted proxy may ask this!",
            Self::Incomplete => "The proxy does not say method and path of the request!",
            Self::Ambiguous => "The path or the method means different things to different programs!",
            Self::Charged(denial, _) => return denial.sentence(),
            Self::Limited(limits, _) => match limits.decision.violated().next() {
                Some(state) => {
                    return sentence::rate_limit_exceeded(limits.policy.api(), &state.window).into();
                }
                None => "Rate limit exceeded!",
            },
            Self::Unavailable(error) if error.is_transient() => "The service cannot answer now, try again!",
            Self::Unavailable(_) => "The service has made a mistake!",
        })
    }

    fn kind(&self) -> (&'static str, &'static str) {
        match self.status() {
            401 => (ABOUT_BLANK, "Unauthorized"),
            403 => (ABOUT_BLANK, "Forbidden"),
            429 => (QUOTA_EXCEEDED, "Rate limit exceeded"),
            503 => (ABOUT_BLANK, "Service Unavailable"),
            _ => (ABOUT_BLANK, "Internal Server Error"),
        }
    }

    /// The answer to the request of this id, if it has one. A store's failure is told to the log with its cause, and to the client without
    /// it.
    pub fn answer(&self, request_id: Option<String>) -> Answer {
        self.log();
        self.told(request_id)
    }

    fn log(&self) {
        match self {
            Self::Unavailable(error) if error.is_transient() => warn!(?error, "answered 503"),
            Self::Unavailable(error) => error!(?error, "answered 500"),
            Self::Untrusted => {
                warn!("a forwarded request came from an address that is not in authz.trusted_proxies");
            }
            Self::Incomplete => warn!("a proxy did not say method and path of a request"),
            Self::Charged(denial, _) => denial.log(),
            _ => {}
        }
    }

    /// The same answer, of which the log hears nothing: for a description of it.
    pub fn told(&self, request_id: Option<String>) -> Answer {
        if let Self::Charged(denial, limits) = self {
            let mut answer = denial.told(request_id);
            answer.headers.extend(limits.iter().cloned());
            return answer;
        }
        let (mut headers, mut extras) = (Vec::new(), Extras { request_id, ..Extras::default() });
        match self {
            // RFC 6750, section 3: an error code only where a credential came.
            Self::NoCredential => headers.push(("www-authenticate", "Bearer realm=\"tollbar\"".to_owned())),
            Self::InvalidToken => {
                let challenge = "Bearer realm=\"tollbar\", error=\"invalid_token\"";
                headers.push(("www-authenticate", challenge.to_owned()));
            }
            Self::Limited(limits, format) => {
                let wait = retry_seconds(limits.decision.retry_after());
                headers.push(("retry-after", wait.to_string()));
                headers.extend(format.headers(limits));
                let named = limits.policy.window_names().iter().zip(&limits.decision.windows);
                extras.violated_policies =
                    named.filter(|(_, state)| state.violated()).map(|(name, _)| name.clone()).collect();
            }
            Self::Unavailable(error) if error.is_transient() => {
                headers.push(("retry-after", retry_seconds(RETRY_SOON).to_string()));
            }
            _ => {}
        }
        problem(self.status(), self.kind(), &self.sentence(), &extras, headers)
    }
}

/// Whole seconds, rounded up, so that a call made then is not too early.
pub fn retry_seconds(wait: Duration) -> u64 {
    (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1)
}
