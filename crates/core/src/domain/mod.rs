//! The words of the domain: values that are valid from the moment they exist.

mod api_name;
mod counts;
mod decision;
mod exact;
mod gcra;
mod limit_log;
mod password;
mod policy;
mod session;
mod subject;
mod time;
mod token;
mod user_id;
mod username;
mod version;
mod window;

pub use api_name::{ApiName, ApiNameError};
pub use counts::{Caller, Epoch, EpochId, Incarnation, Tally};
pub use decision::{Decision, WindowState};
pub use exact::ExactLog;
pub use gcra::GcraLog;
pub use limit_log::LimitLog;
pub use password::{Password, PasswordError, PasswordHash};
pub use policy::{Algorithm, MAX_EXACT_QUOTA, MAX_WINDOWS, Policy, PolicyError, PolicyName};
pub use session::{Check, Session, SessionSet, Verifier};
pub use subject::{Fingerprint, Subject};
pub use time::Timestamp;
pub use token::{ForgedToken, Secret, SessionToken, TOKEN_PREFIX, TokenKey};
pub use user_id::{UserId, UserIdError};
pub use username::{Username, UsernameError};
pub use version::Version;
pub use window::{MAX_PERIOD, MAX_QUOTA, Quota, Window};
