//! What a caller may do how often: a policy is a name, the API that it counts, and its windows.

use std::{fmt, sync::Arc, time::Duration};

use super::{ApiName, api_name};

/// The largest quota that is kept exactly, one stored time a unit.
pub const MAX_EXACT_QUOTA: u32 = 10_000;
/// The longest period of a window.
pub const MAX_PERIOD: Duration = Duration::from_secs(400 * 24 * 60 * 60);
/// The most windows of one policy.
pub const MAX_WINDOWS: usize = 8;

/// How many units a window admits: 1 to [`MAX_EXACT_QUOTA`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quota(u32);

impl Quota {
    /// Takes a number that came from outside.
    pub fn new(units: u32) -> Result<Self, PolicyError> {
        if (1..=MAX_EXACT_QUOTA).contains(&units) { Ok(Self(units)) } else { Err(PolicyError::Quota(units)) }
    }

    /// The number of units.
    pub fn get(self) -> u32 {
        self.0
    }
}

/// At most `quota` admitted units in any half-open interval `(t − period, t]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Window {
    quota: Quota,
    period: Duration,
}

impl Window {
    /// Takes a period of 1 ms to [`MAX_PERIOD`], in whole microseconds.
    pub fn new(quota: Quota, period: Duration) -> Result<Self, PolicyError> {
        let whole = period.subsec_nanos().is_multiple_of(1_000);
        if !whole || period < Duration::from_millis(1) || period > MAX_PERIOD {
            return Err(PolicyError::Period(period));
        }
        Ok(Self { quota, period })
    }

    /// How many units it admits.
    pub fn quota(&self) -> u32 {
        self.quota.get()
    }

    /// Over how long.
    pub fn period(&self) -> Duration {
        self.period
    }

    /// The period in microseconds.
    pub fn period_micros(&self) -> u64 {
        u64::try_from(self.period.as_micros()).expect("`new` refused periods over MAX_PERIOD")
    }
}

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

/// All windows admit a call or none is charged for it. Cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct Policy(Arc<Parts>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Parts {
    name: PolicyName,
    api: ApiName,
    windows: Vec<Window>,
    cost: u32,
}

/// Which rule a policy breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// The name cannot become part of a key.
    #[error("a policy's name has 1 to 64 characters of a-z, 0-9, '.', '_' and '-'")]
    Name,
    /// A quota of nothing, or of more than is kept exactly.
    #[error("quota {0} is not from 1 to {MAX_EXACT_QUOTA}")]
    Quota(u32),
    /// A period that is too short, too long or too fine.
    #[error("period {0:?} is not whole microseconds from 1 ms to 400 days")]
    Period(Duration),
    /// No window or too many.
    #[error("a policy has 1 to {MAX_WINDOWS} windows, not {0}")]
    Windows(usize),
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
    /// A policy that charges one unit a call. Windows keep their order: it is the order of error messages.
    pub fn new(name: PolicyName, api: ApiName, windows: Vec<Window>) -> Result<Self, PolicyError> {
        if windows.is_empty() || windows.len() > MAX_WINDOWS {
            return Err(PolicyError::Windows(windows.len()));
        }
        Ok(Self(Arc::new(Parts { name, api, windows, cost: 1 })))
    }

    /// The same policy, charging `cost` units a call.
    pub fn with_cost(mut self, cost: u32) -> Result<Self, PolicyError> {
        let quota = self.windows().iter().map(Window::quota).min().unwrap_or(0);
        if cost == 0 || cost > quota {
            return Err(PolicyError::Cost { cost, quota });
        }
        Arc::make_mut(&mut self.0).cost = cost;
        Ok(self)
    }

    /// The name that its state is kept under.
    pub fn name(&self) -> &PolicyName {
        &self.0.name
    }

    /// The API that admitted calls are counted under.
    pub fn api(&self) -> &ApiName {
        &self.0.api
    }

    /// Its windows, in the order they were given; at least one.
    pub fn windows(&self) -> &[Window] {
        &self.0.windows
    }

    /// The units that a call is charged in every window.
    pub fn cost(&self) -> u32 {
        self.0.cost
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
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(quota: u32, period: Duration) -> Result<Window, PolicyError> {
        Window::new(Quota::new(quota)?, period)
    }

    fn policy(windows: Vec<Window>) -> Result<Policy, PolicyError> {
        Policy::new(PolicyName::new("p").unwrap(), ApiName::new("a").unwrap(), windows)
    }

    #[test]
    fn refuses_what_could_not_be_kept() {
        assert_eq!(Quota::new(0), Err(PolicyError::Quota(0)));
        assert_eq!(Quota::new(MAX_EXACT_QUOTA + 1), Err(PolicyError::Quota(MAX_EXACT_QUOTA + 1)));
        for period in [Duration::ZERO, Duration::from_nanos(1_000_001), MAX_PERIOD + Duration::from_secs(1)] {
            assert_eq!(window(1, period), Err(PolicyError::Period(period)));
        }
        assert_eq!(policy(vec![]), Err(PolicyError::Windows(0)));
        assert_eq!(PolicyName::new("a:b"), Err(PolicyError::Name));
    }

    #[test]
    fn a_cost_above_a_quota_is_an_error_and_not_a_denial() {
        let second = Duration::from_secs(1);
        let policy = policy(vec![window(5, second).unwrap(), window(3, second * 2).unwrap()]).unwrap();
        assert!(policy.clone().with_cost(3).is_ok());
        assert_eq!(policy.clone().with_cost(4), Err(PolicyError::Cost { cost: 4, quota: 3 }));
        assert_eq!(policy.with_cost(0), Err(PolicyError::Cost { cost: 0, quota: 3 }));
    }
}
