//! The generic cell rate algorithm, for quotas whose units are too many to be kept one by one.

use std::time::Duration;

use super::{Decision, Policy, Timestamp, Window, WindowState};

/// By how many microseconds a bucket may be overfull: more than the rounding of its own arithmetic makes of the longest period,
/// and far less than a unit takes.
const TOLERANCE: f64 = 1.0 / 64.0;

/// One subject's buckets under one policy (ITU-T I.371, the virtual scheduling form): for each window, how far the theoretical
/// arrival time is ahead of the time of the last charge. A bucket is full where that is the whole period.
///
/// Engines keep the same numbers in the same order of operations (IEEE 754 doubles, microseconds), so that all decide alike.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GcraLog {
    /// Of the last charge.
    at: Timestamp,
    /// By the place of the window in its policy.
    ahead: Vec<f64>,
}

impl GcraLog {
    /// Decides one call and, where every bucket has room, charges its cost.
    pub fn decide(&mut self, policy: &Policy, now: Timestamp) -> Decision {
        self.step_back(now);
        let denied = self.state(policy, policy.cost(), now);
        if !denied.allowed() {
            return denied;
        }
        let after =
            |(at, window): (usize, &Window)| self.level(at, window, now) + spent(window, policy.cost());
        self.ahead = policy.windows().iter().enumerate().map(after).collect();
        self.at = now;
        self.state(policy, 0, now)
    }

    /// What [`decide`](Self::decide) would say now, writing nothing.
    pub fn peek(&self, policy: &Policy, now: Timestamp) -> Decision {
        let mut copy = self.clone();
        copy.step_back(now);
        copy.state(policy, policy.cost(), now)
    }

    /// Whether every bucket is empty again, so that the log may be dropped.
    pub fn is_spent(&self, now: Timestamp) -> bool {
        let longest = self.ahead.iter().fold(0.0, |longest: f64, ahead| longest.max(*ahead));
        self.at <= now && micros(now.since(self.at)) >= longest
    }

    /// The clock stepped back: a charge from the future becomes one of now.
    fn step_back(&mut self, now: Timestamp) {
        self.at = self.at.min(now);
    }

    /// How far a window's theoretical arrival time is ahead of now. A window that is shorter than it was holds a period at most.
    fn level(&self, at: usize, window: &Window, now: Timestamp) -> f64 {
        let ahead = self.ahead.get(at).copied().unwrap_or(0.0).min(micros(window.period()));
        (ahead - micros(now.since(self.at))).max(0.0)
    }

    /// Every bucket's state, and its wait for `cost` more units (0: the call is charged already).
    fn state(&self, policy: &Policy, cost: u32, now: Timestamp) -> Decision {
        let state = |(at, window): (usize, &Window)| {
            let (level, period) = (self.level(at, window, now), micros(window.period()));
            let unit = spent(window, 1);
            let room = period + TOLERANCE - level;
            let remaining = (room / unit).floor().max(0.0);
            let over = level + spent(window, cost) - period;
            let is_over = cost > 0 && over > TOLERANCE;
            WindowState {
                window: *window,
                remaining: whole(remaining),
                reset_after: if level > 0.0 {
                    span(level - (period - (remaining + 1.0) * unit))
                } else {
                    Duration::ZERO
                },
                retry_after: if is_over { span(over) } else { Duration::ZERO },
            }
        };
        Decision {
            at: now,
            windows: policy.windows().iter().enumerate().map(state).collect(),
            repeated: false,
        }
    }
}

/// The time that so many units of a window take to refill.
#[expect(clippy::cast_precision_loss, reason = "a period of 400 days is far below 2^53 microseconds")]
fn spent(window: &Window, units: u32) -> f64 {
    f64::from(units) * window.period_micros() as f64 / f64::from(window.quota())
}

#[expect(clippy::cast_precision_loss, reason = "times of this age are below 2^53 microseconds")]
fn micros(span: Duration) -> f64 {
    span.as_micros() as f64
}

/// Whole microseconds, rounded up, so that what is said to come then has come; one at least.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast of a float saturates")]
fn span(micros: f64) -> Duration {
    Duration::from_micros(micros.ceil().max(1.0) as u64)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast of a float saturates")]
fn whole(units: f64) -> u32 {
    units as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ApiName, PolicyName, Quota};

    fn policy(windows: &[(u32, u64)]) -> Policy {
        let window = |&(quota, millis): &(u32, u64)| {
            Window::new(Quota::new(quota).unwrap(), Duration::from_millis(millis)).unwrap()
        };
        let windows = windows.iter().map(window).collect();
        Policy::gcra(PolicyName::new("p").unwrap(), ApiName::new("a").unwrap(), windows).unwrap()
    }

    fn at(micros: u64) -> Timestamp {
        Timestamp::from_micros(1_700_000_000_000_000 + micros)
    }

    #[test]
    fn a_burst_of_the_quota_and_then_a_unit_as_each_refills() {
        for (quota, period) in [(3, 1_000), (7, 1_000), (100_000, 60_000), (999_999, 86_400_000)] {
            let (policy, mut log) = (policy(&[(quota, period)]), GcraLog::default());
            let cost = quota / 3;
            let by = policy.clone().with_cost(cost).unwrap();
            for third in 1..=3 {
                let decision = log.decide(&by, at(0));
                assert!(decision.allowed(), "{quota}: {third}");
                assert_eq!(decision.windows[0].remaining, quota - third * cost, "{quota}: {third}");
            }
            for _ in 0..quota % 3 {
                assert!(log.decide(&policy, at(0)).allowed());
            }
            let denied = log.decide(&policy, at(0));
            let wait = u64::try_from(denied.retry_after().as_micros()).unwrap();
            assert_eq!(wait, (period * 1_000).div_ceil(u64::from(quota)), "{quota}");
            assert_eq!(denied.windows[0].reset_after, denied.retry_after());
            if wait > 1 {
                assert!(!log.decide(&policy, at(wait - 1)).allowed(), "{quota}");
            }
            assert!(log.decide(&policy, at(wait)).allowed(), "{quota}");
            assert!(!log.decide(&policy, at(wait)).allowed(), "{quota}");
        }
    }

    #[test]
    fn all_windows_admit_or_none_is_charged() {
        let (policy, mut log) = (policy(&[(2, 1_000), (3, 60_000)]), GcraLog::default());
        for allowed in [true, true, false, false] {
            assert_eq!(log.decide(&policy, at(0)).allowed(), allowed);
        }
        assert_eq!(log.peek(&policy, at(0)).windows[1].remaining, 1, "denials were charged");
        assert!(log.decide(&policy, at(500_000)).allowed());
        let denied = log.decide(&policy, at(1_000_000));
        assert_eq!(denied.violated().map(|state| state.window.quota()).collect::<Vec<_>>(), [3]);
        assert!(!log.is_spent(at(59_999_000)) && log.is_spent(at(61_000_000)));
    }

    #[test]
    fn a_clock_that_steps_back_denies_for_no_longer_than_a_period() {
        let (policy, mut log) = (policy(&[(2, 1_000)]), GcraLog::default());
        log.decide(&policy, at(9_000_000));
        log.decide(&policy, at(9_000_000));
        assert_eq!(log.decide(&policy, at(0)).retry_after(), Duration::from_millis(500));
        assert!(log.decide(&policy, at(500_000)).allowed());
    }
}
