//! What Tollbar reads and says over HTTP, for any web framework.
#![doc = include_str!("../README.md")]

mod bar;
mod cookie;
mod credential;
mod denial;
mod forwarded;
mod headers;
mod incoming;
mod origin;
mod problem;
mod rate_limit;
mod sentence;

pub use bar::{Bar, BarOptions, Passed};
pub use cookie::{COOKIE_NAME, ended_cookie, session_cookie};
pub use denial::{Denial, REASON, retry_seconds};
pub use forwarded::TrustedProxies;
pub use headers::Headers;
pub use incoming::Incoming;
pub use problem::{ABOUT_BLANK, Answer, Extras, PROBLEM_JSON, problem};
pub use rate_limit::HeaderFormat;
