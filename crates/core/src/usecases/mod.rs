//! What a service offers: one struct a use case, over `Arc<dyn Port>`.

mod accounts;
mod analytics;
mod authorize;
mod call_counts;
mod call_window;
mod limit_states;
mod live_sessions;
mod login;
mod logout;
mod ping;
mod readiness;
mod readings;
mod signup;
mod verdict;

pub use accounts::{AccountReport, Accounts};
pub use analytics::{Analytics, Distinct, RankedBy, Series, Windowed};
pub use authorize::{Authorize, Credential, Question, RequestFacts};
pub use call_counts::{CallCounts, TOP_LIMIT, TOP_MOST};
pub use call_window::CallWindow;
pub use limit_states::{LimitStates, ResetError};
pub use live_sessions::LiveSessions;
pub use login::{Login, LoginError};
pub use logout::Logout;
pub use ping::Ping;
pub use readiness::{DependencyState, Readiness, ReadinessReport};
pub use readings::Reading;
pub use signup::{Signup, SignupError};
pub use verdict::{Fate, Identity, Limits, Verdict};
