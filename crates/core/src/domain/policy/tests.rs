//! What a policy refuses, and what it is called.

use super::*;
use crate::domain::{MAX_PERIOD, Quota};

fn window(quota: u32, period: Duration) -> Window {
    Window::new(Quota::new(quota).unwrap(), period).unwrap()
}

fn names() -> (PolicyName, ApiName) {
    (PolicyName::new("p").unwrap(), ApiName::new("a").unwrap())
}

fn policy(windows: Vec<Window>) -> Result<Policy, PolicyError> {
    Policy::new(names().0, names().1, windows)
}

fn gcra(windows: Vec<Window>) -> Result<Policy, PolicyError> {
    Policy::gcra(names().0, names().1, windows)
}

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn refuses_what_could_not_be_kept() {
    assert_eq!(policy(vec![]), Err(PolicyError::Windows(0)));
    assert_eq!(policy(vec![window(1, SECOND); 9]), Err(PolicyError::Windows(9)));
    assert_eq!(PolicyName::new("a:b"), Err(PolicyError::Name));
    assert!(policy(vec![window(MAX_EXACT_QUOTA, MAX_PERIOD)]).is_ok());
    let above = MAX_EXACT_QUOTA + 1;
    assert_eq!(policy(vec![window(above, MAX_PERIOD)]), Err(PolicyError::Exact(above)));
    assert!(policy(vec![window(above, SECOND)]).unwrap_err().to_string().contains("gcra"));
}

#[test]
fn a_bucket_takes_any_quota_up_to_a_unit_a_microsecond() {
    assert!(gcra(vec![window(MAX_QUOTA, SECOND * 1_000)]).is_ok());
    assert!(gcra(vec![window(1_000_000, SECOND)]).is_ok());
    let too_fast = PolicyError::Rate { quota: 1_000_001, period: SECOND };
    assert_eq!(gcra(vec![window(1_000_001, SECOND)]), Err(too_fast));
}

#[test]
fn a_cost_above_a_quota_is_an_error_and_not_a_denial() {
    let policy = policy(vec![window(5, SECOND), window(3, SECOND * 2)]).unwrap();
    assert!(policy.clone().with_cost(3).is_ok());
    assert_eq!(policy.clone().with_cost(4), Err(PolicyError::Cost { cost: 4, quota: 3 }));
    assert_eq!(policy.with_cost(0), Err(PolicyError::Cost { cost: 0, quota: 3 }));
}

#[test]
fn windows_are_called_by_their_periods_unless_they_have_names() {
    let policy = policy(vec![window(1, SECOND * 5), window(2, SECOND * 60), window(3, SECOND * 5)]).unwrap();
    assert_eq!(policy.window_names(), ["5s", "1m", "5s-2"]);
    let named = policy.clone().with_window_names([Some("burst"), None, Some("x")]).unwrap();
    assert_eq!(named.window_names(), ["burst", "1m", "x"]);
    assert_ne!(named, policy);
    for bad in [[Some("1m"), None, None], [Some("a\"b"), None, None], [Some(""), None, None]] {
        assert_eq!(policy.clone().with_window_names(bad), Err(PolicyError::WindowName));
    }
}

#[test]
fn a_path_makes_another_state_of_the_same_policy() {
    let policy = policy(vec![window(5, SECOND)]).unwrap();
    let [one, other] = ["/a", "/b"].map(|path| policy.at_path(Fingerprint::of_path(path)));
    assert!(one != other && one != policy && one.is_same_but_for_path(&other));
    assert_eq!(one.stretched(3).path(), one.path());
    assert_eq!(one.stretched(3).windows(), [window(5, SECOND * 3)]);
    assert!(one.without_windows().windows().is_empty());
}
