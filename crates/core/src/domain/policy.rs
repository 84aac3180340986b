//! What a caller may do how often: a policy is a name, the API that it counts, and its windows.

use std::{fmt, sync::Arc, time::Duration};

use super::{ApiName, Fingerprint, MAX_QUOTA, Window, api_name};

/// The largest quota that is kept exactly, one stored time of 7 bytes a unit.
pub const MAX_EXACT_QUOTA: u32 = 10_000;
/// The most windows of one policy.
pub const MAX_WINDOWS: usize = 8;

/// The name that a policy's state is kept under: 1 to 64 of `a`-`z`, digits, `.`, `_` and `-`. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PolicyName(Arc<str>);

impl PolicyName {
    /// Takes a name that came from outside.
    pub fn new(name: &str) -> Result<Self, PolicyError> {
        if api_name::is_key_part(name) { Ok(Self(name.into())) } else { Err(PolicyError::Name) }
    }

    /// The name itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PolicyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How a window is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Algorithm {
    /// By the times of its last admitted units: no interval ever holds more than the quota.
    #[default]
    Exact,
    /// By a bucket that holds the quota and refills evenly (the generic cell rate algorithm, ITU-T I.371): a few bytes, whatever
    /// the quota, but an interval may hold up to twice the quota, since what refills may be spent at once.
    Gcra,
}

/// All windows admit a call or none is charged for it. Cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct Policy {
    parts: Arc<Parts>,
    path: Option<Fingerprint>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Parts {
    name: PolicyName,
    api: ApiName,
    windows: Vec<Window>,
    window_names: Vec<String>,
    algorithm: Algorithm,
    cost: u32,
}

/// Which rule a policy breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// The name cannot become part of a key.
    #[error("a policy's name has 1 to 64 characters of a-z, 0-9, '.', '_' and '-'")]
    Name,
    /// A quota of nothing, or of too much.
    #[error("quota {0} is not from 1 to {MAX_QUOTA}")]
    Quota(u32),
    /// A quota of more than is kept exactly.
    #[error(
        "quota {0} is more than the {MAX_EXACT_QUOTA} units whose times are kept exactly; algorithm \"gcra\" takes it"
    )]
    Exact(u32),
    /// A bucket that would refill by more than a unit in a microsecond, which is the resolution of all times here.
    #[error("quota {quota} over {period:?} is more than one unit a microsecond")]
    Rate {
        /// Units.
        quota: u32,
        /// Within how long.
        period: Duration,
    },
    /// A period that is too short, too long or too fine.
    #[error("period {0:?} is not whole microseconds from 1 ms to 400 days")]
    Period(Duration),
    /// No window or too many.
    #[error("a policy has 1 to {MAX_WINDOWS} windows, not {0}")]
    Windows(usize),
    /// A window's name cannot stand in a header, or is another's of the same policy.
    #[error(
        "a window's name has 1 to 64 characters of a-z, 0-9, '.', '_' and '-', and is no other's of its policy"
    )]
    WindowName,
    /// A call could never be admitted.
    #[error("cost {cost} is not from 1 to the smallest quota, {quota}")]
    Cost {
        /// What a call would cost.
        cost: u32,
        /// The smallest quota of the policy's windows.
        quota: u32,
    },
}

impl Policy {
    /// An exact policy that charges one unit a call. Windows keep their order: it is the order of error messages.
    pub fn new(name: PolicyName, api: ApiName, windows: Vec<Window>) -> Result<Self, PolicyError> {
        if let Some(window) = windows.iter().find(|window| window.quota() > MAX_EXACT_QUOTA) {
            return Err(PolicyError::Exact(window.quota()));
        }
        Self::of(name, api, windows, Algorithm::Exact)
    }

    /// The same with buckets that refill evenly, for quotas above [`MAX_EXACT_QUOTA`].
    pub fn gcra(name: PolicyName, api: ApiName, windows: Vec<Window>) -> Result<Self, PolicyError> {
        let too_fast = |window: &&Window| u64::from(window.quota()) > window.period_micros();
        if let Some(window) = windows.iter().find(too_fast) {
            return Err(PolicyError::Rate { quota: window.quota(), period: window.period() });
        }
        Self::of(name, api, windows, Algorithm::Gcra)
    }

    /// A policy without a window: its calls are counted, and never limited.
    pub fn unlimited(name: PolicyName, api: ApiName) -> Self {
        Self::made(name, api, Vec::new(), Algorithm::Exact)
    }

    fn of(
        name: PolicyName,
        api: ApiName,
        windows: Vec<Window>,
        algorithm: Algorithm,
    ) -> Result<Self, PolicyError> {
        if windows.is_empty() || windows.len() > MAX_WINDOWS {
            return Err(PolicyError::Windows(windows.len()));
        }
        Ok(Self::made(name, api, windows, algorithm))
    }

    fn made(name: PolicyName, api: ApiName, windows: Vec<Window>, algorithm: Algorithm) -> Self {
        let mut window_names: Vec<String> = Vec::with_capacity(windows.len());
        for window in &windows {
            let period = window.default_name();
            let mut name = period.clone();
            let mut number = 1;
            while window_names.contains(&name) {
                number += 1;
                name = format!("{period}-{number}");
            }
            window_names.push(name);
        }
        let parts = Parts { name, api, windows, window_names, algorithm, cost: 1 };
        Self { parts: Arc::new(parts), path: None }
    }

    /// The same policy, charging `cost` units a call.
    pub fn with_cost(mut self, cost: u32) -> Result<Self, PolicyError> {
        let quota = self.windows().iter().map(Window::quota).min().unwrap_or(u32::MAX);
        if cost == 0 || cost > quota {
            return Err(PolicyError::Cost { cost, quota });
        }
        Arc::make_mut(&mut self.parts).cost = cost;
        Ok(self)
    }

    /// The same policy with names for its windows, in their order; `None` keeps the one that its period gives it.
    pub fn with_window_names<'a>(
        mut self,
        names: impl IntoIterator<Item = Option<&'a str>>,
    ) -> Result<Self, PolicyError> {
        let mut all = self.parts.window_names.clone();
        for (known, given) in all.iter_mut().zip(names) {
            if let Some(given) = given {
                given.clone_into(known);
            }
        }
        let is_good = |(at, name): (usize, &String)| api_name::is_key_part(name) && !all[..at].contains(name);
        if !all.iter().enumerate().all(is_good) {
            return Err(PolicyError::WindowName);
        }
        Arc::make_mut(&mut self.parts).window_names = all;
        Ok(self)
    }

    /// The same policy with a state of its own for this path.
    #[must_use]
    pub fn at_path(&self, path: Fingerprint) -> Self {
        Self { parts: Arc::clone(&self.parts), path: Some(path) }
    }

    /// The same quotas over periods so many times as long.
    #[must_use]
    pub fn stretched(&self, times: u32) -> Self {
        let windows = self.windows().iter().map(|window| window.stretched(times)).collect();
        let parts = Parts { windows, ..Parts::clone(&self.parts) };
        Self { parts: Arc::new(parts), path: self.path }
    }

    /// The policy that counts the same calls and limits none.
    #[must_use]
    pub fn without_windows(&self) -> Self {
        Self::unlimited(self.name().clone(), self.api().clone())
    }

    /// The name that its state is kept under.
    pub fn name(&self) -> &PolicyName {
        &self.parts.name
    }

    /// The path that its state is for, where every path has one of its own.
    pub fn path(&self) -> Option<Fingerprint> {
        self.path
    }

    /// The API that admitted calls are counted under.
    pub fn api(&self) -> &ApiName {
        &self.parts.api
    }

    /// Its windows, in the order they were given; none where it limits nothing.
    pub fn windows(&self) -> &[Window] {
        &self.parts.windows
    }

    /// What each window is called.
    pub fn window_names(&self) -> &[String] {
        &self.parts.window_names
    }

    /// How its windows are judged.
    pub fn algorithm(&self) -> Algorithm {
        self.parts.algorithm
    }

    /// The units that a call is charged in every window.
    pub fn cost(&self) -> u32 {
        self.parts.cost
    }

    /// Whether this is the other policy, whatever path either is for.
    pub fn is_same_but_for_path(&self, other: &Self) -> bool {
        self.parts == other.parts
    }

    /// The longest period of its windows.
    pub fn longest_period(&self) -> Duration {
        self.windows().iter().map(Window::period).max().unwrap_or_default()
    }

    /// The largest quota of its windows.
    pub fn largest_quota(&self) -> u32 {
        self.windows().iter().map(Window::quota).max().unwrap_or_default()
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts.fmt(f)
    }
}

#[cfg(test)]
mod tests;
