//! The policies of the subjects.

use std::time::Duration;

use tollbar_core::{
    domain::{ApiName, Policy, PolicyName, Quota, Window},
    policies::{PathPattern, Policies, PolicyTable, Rule, RuleOptions, Unmatched},
};

use crate::Failure;

/// Quota and seconds of windows so wide that every call of the benchmark is admitted.
pub(crate) const WIDE: [(u32, u64); 2] = [(100, 1), (150, 2)];
/// Quota and seconds of the windows of the default configuration.
pub(crate) const DEFAULT: [(u32, u64); 2] = [(1, 5), (2, 60)];

/// A policy of this name, for an API of the same name.
pub(crate) fn policy(name: &str, windows: &[(u32, u64)]) -> Result<Policy, Failure> {
    let window = |(quota, seconds): &(u32, u64)| -> Result<Window, Failure> {
        Ok(Window::new(Quota::new(*quota)?, Duration::from_secs(*seconds))?)
    };
    let windows = windows.iter().map(window).collect::<Result<_, _>>()?;
    Ok(Policy::new(PolicyName::new(name)?, ApiName::new(name)?, windows)?)
}

/// The list whose one policy is this, for `/ping`.
pub(crate) fn policies(name: &str, windows: &[(u32, u64)]) -> Result<Policies, Failure> {
    let rule = Rule::new(RuleOptions::new(policy(name, windows)?, PathPattern::new("/ping")?))?;
    Ok(Policies::new(PolicyTable::new(vec![rule], Unmatched::Session)?))
}
