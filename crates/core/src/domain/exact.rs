//! The exact rate limit: the times of the last admitted units, and the rule that judges them.

use std::{collections::VecDeque, time::Duration};

use super::{Decision, Policy, Timestamp, Window, WindowState};

/// One subject's admitted units under one policy.
///
/// No half-open interval `(t − period, t]` ever holds more than the quota of a window, and a denied call changes nothing but
/// what a clock that stepped back makes necessary. Policies may change between calls: what is known acts at once.
#[derive(Debug, Clone, Default)]
pub struct ExactLog {
    /// Times of admitted units, newest first.
    units: VecDeque<Timestamp>,
    /// The longest period and the largest quota that it was ever asked for: what bounds what it keeps.
    period: Duration,
    quota: usize,
}

impl ExactLog {
    /// The log of these units, newest first, as an engine keeps them; for [`state`](Self::state), not to be decided on.
    pub fn of_units(units: impl IntoIterator<Item = Timestamp>) -> Self {
        Self { units: units.into_iter().collect(), ..Self::default() }
    }

    /// Decides one call and, where every window admits it, charges its cost.
    pub fn decide(&mut self, policy: &Policy, now: Timestamp) -> Decision {
        self.step_back(now);
        let cost = policy.cost();
        let denied = policy.windows().iter().any(|window| !self.wait(window, cost, now).is_zero());
        if denied {
            return self.state(policy, cost, now);
        }
        for _ in 0..cost {
            self.units.push_front(now);
        }
        self.period = self.period.max(policy.longest_period());
        self.quota = self.quota.max(policy.largest_quota() as usize);
        while self.units.back().is_some_and(|&oldest| now.since(oldest) >= self.period) {
            self.units.pop_back();
        }
        self.units.truncate(self.quota);
        self.state(policy, 0, now)
    }

    /// What [`decide`](Self::decide) would say now, writing nothing.
    pub fn peek(&self, policy: &Policy, now: Timestamp) -> Decision {
        let mut copy = self.clone();
        copy.step_back(now);
        copy.state(policy, policy.cost(), now)
    }

    /// Whether nothing that is kept can matter any more, so that the log may be dropped.
    pub fn is_spent(&self, now: Timestamp) -> bool {
        self.units.front().is_none_or(|&newest| now.since(newest) >= self.period && newest <= now)
    }

    /// The clock stepped back: a unit from the future becomes one of now.
    fn step_back(&mut self, now: Timestamp) {
        for unit in self.units.iter_mut().take_while(|unit| **unit > now) {
            *unit = now;
        }
    }

    /// How long until a window would admit `cost` units: until the unit leaves that is one too many.
    fn wait(&self, window: &Window, cost: u32, now: Timestamp) -> Duration {
        let Some(spare) = window.quota().checked_sub(cost) else { return window.period() };
        match self.units.get(spare as usize) {
            Some(&unit) => window.period().saturating_sub(now.since(unit)),
            None => Duration::ZERO,
        }
    }

    /// Every window's state, and its wait for `cost` more units (0: the call is charged already).
    pub fn state(&self, policy: &Policy, cost: u32, now: Timestamp) -> Decision {
        let state = |window: &Window| {
            let held = self.units.partition_point(|&unit| now.since(unit) < window.period());
            let oldest = held.checked_sub(1).and_then(|at| self.units.get(at));
            WindowState {
                window: *window,
                remaining: window.quota().saturating_sub(u32::try_from(held).unwrap_or(u32::MAX)),
                reset_after: oldest
                    .map_or(Duration::ZERO, |&unit| window.period().saturating_sub(now.since(unit))),
                retry_after: if cost == 0 { Duration::ZERO } else { self.wait(window, cost, now) },
            }
        };
        Decision { at: now, windows: policy.windows().iter().map(state).collect(), repeated: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ApiName, PolicyName, Quota};

    fn policy(windows: &[(u32, u64)]) -> Policy {
        let window = |&(quota, secs): &(u32, u64)| {
            Window::new(Quota::new(quota).unwrap(), Duration::from_secs(secs)).unwrap()
        };
        let windows = windows.iter().map(window).collect();
        Policy::new(PolicyName::new("ping").unwrap(), ApiName::new("ping").unwrap(), windows).unwrap()
    }

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_micros(1_700_000_000_000_000 + millis * 1_000)
    }

    #[test]
    fn two_windows_admit_and_deny_together() {
        let (ping, mut log) = (policy(&[(1, 5), (2, 60)]), ExactLog::default());
        assert!(log.decide(&ping, at(0)).allowed());
        let denied = log.decide(&ping, at(4_999));
        assert_eq!(denied.violated().map(|s| s.window.quota()).collect::<Vec<_>>(), [1]);
        assert_eq!(denied.retry_after(), Duration::from_millis(1));
        assert!(log.decide(&ping, at(5_000)).allowed());
        let denied = log.decide(&ping, at(6_000));
        assert_eq!(denied.violated().count(), 2);
        assert_eq!(denied.retry_after(), Duration::from_secs(54));
        assert!(!log.decide(&ping, at(59_999)).allowed());
        assert!(log.decide(&ping, at(60_000)).allowed());
    }

    #[test]
    fn remaining_and_reset_are_of_after_the_call() {
        let (ping, mut log) = (policy(&[(3, 10)]), ExactLog::default());
        log.decide(&ping, at(0));
        let second = log.decide(&ping, at(4_000)).windows[0];
        assert_eq!((second.remaining, second.reset_after), (1, Duration::from_secs(6)));
        let untouched = ExactLog::default().peek(&ping, at(0)).windows[0];
        assert_eq!((untouched.remaining, untouched.reset_after), (3, Duration::ZERO));
    }

    #[test]
    fn keeps_no_more_than_the_largest_quota_and_the_longest_period() {
        let (ping, mut log) = (policy(&[(5, 1)]), ExactLog::default());
        for step in 0..1_000 {
            log.decide(&ping, at(step * 50));
        }
        assert!(log.units.len() <= 5);
        log.decide(&ping, at(1_000_000));
        assert_eq!(log.units.len(), 1);
        assert!(log.is_spent(at(1_001_000)) && !log.is_spent(at(1_000_999)));
    }
}
