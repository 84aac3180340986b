//! What a service offers: one struct a use case, over `Arc<dyn Port>`.

mod authorize;
mod call_counts;
mod login;
mod logout;
mod ping;
mod readiness;
mod signup;

pub use authorize::{Authorize, Credential, Fate, Identity, Limits, Question, RequestFacts, Verdict};
pub use call_counts::{CallCounts, Reading, TOP_LIMIT};
pub use login::{Login, LoginError};
pub use logout::Logout;
pub use ping::Ping;
pub use readiness::{DependencyState, Readiness, ReadinessReport};
pub use signup::{Signup, SignupError};
