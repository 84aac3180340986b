//! What a rate limiter says of one call.

use std::time::Duration;

use super::{Timestamp, Window};

/// The state of one window at the time of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowState {
    /// The window.
    pub window: Window,
    /// Units that it would still admit now, the decided call's own already taken off.
    pub remaining: u32,
    /// When `remaining` rises next, because the oldest unit leaves; zero where no unit is held.
    pub reset_after: Duration,
    /// How long until this window would admit the call; zero where it does.
    pub retry_after: Duration,
}

impl WindowState {
    /// Whether this window is why the call was denied.
    pub fn violated(&self) -> bool {
        !self.retry_after.is_zero()
    }
}

/// One call's fate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The time of the decision, on the clock of the engine that made it.
    pub at: Timestamp,
    /// Every window's state, in the policy's order.
    pub windows: Vec<WindowState>,
    /// Whether it repeats an earlier denial from memory, and no engine was asked.
    pub repeated: bool,
}

impl Decision {
    /// Whether every window admits the call.
    pub fn allowed(&self) -> bool {
        !self.windows.iter().any(WindowState::violated)
    }

    /// The windows that deny the call, in the policy's order.
    pub fn violated(&self) -> impl Iterator<Item = &WindowState> {
        self.windows.iter().filter(|state| state.violated())
    }

    /// The wait after which a retry is admitted (if nothing else is meanwhile); zero if the call is.
    pub fn retry_after(&self) -> Duration {
        self.windows.iter().map(|state| state.retry_after).max().unwrap_or_default()
    }
}
