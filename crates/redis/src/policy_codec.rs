//! A policy as the scripts read it, and the decision that they answer.

use std::time::Duration;

use tollbar_core::domain::{
    Algorithm, Decision, ExactLog, Policy, PolicyName, Timestamp, Window, WindowState,
};

use crate::reply::Misshapen;

/// Units held 4 | reset 7 | wait 7, for each window.
pub(crate) const STATE: usize = 4 + TIME + TIME;
/// A time in microseconds.
pub(crate) const TIME: usize = 7;
/// What stands before the units of a log: how many 2 | longest period 6 | largest quota 2.
pub(crate) const LOG_HEAD: usize = 2 + 6 + 2;

/// Appends: length of the name 1 | name | cost 4 | windows 1, then for each: quota 4 | period 6. The name of a policy of buckets has
/// a tilde before it, which no name has, so that what is kept under it is never taken for units.
pub(crate) fn pack(policy: &Policy, into: &mut Vec<u8>) {
    let name = policy.name().as_str().as_bytes();
    let tilde: &[u8] = match policy.algorithm() {
        Algorithm::Exact => b"",
        Algorithm::Gcra => b"~",
    };
    into.push(u8::try_from(tilde.len() + name.len()).expect("a policy's name has 64 bytes at most"));
    into.extend(tilde);
    into.extend(name);
    into.extend(policy.cost().to_be_bytes());
    into.push(u8::try_from(policy.windows().len()).expect("a policy has 8 windows at most"));
    for window in policy.windows() {
        into.extend(window.quota().to_be_bytes());
        into.extend(&window.period_micros().to_be_bytes()[2..]);
    }
}

/// What the logs of a policy of this name begin with, of either algorithm.
pub(crate) fn tags(name: &PolicyName) -> [Vec<u8>; 2] {
    [&b""[..], b"~"].map(|tilde| {
        let name = [tilde, name.as_str().as_bytes()].concat();
        let length = u8::try_from(name.len()).expect("a policy's name has 64 bytes at most");
        [&[length], &name[..]].concat()
    })
}

/// The decision that was made at this time, from the states of the policy's windows.
pub(crate) fn unpack(at: Timestamp, states: &[u8], policy: &Policy) -> Result<Decision, Misshapen> {
    let (states, []) = states.as_chunks::<STATE>() else { return Err(Misshapen) };
    if states.len() != policy.windows().len() {
        return Err(Misshapen);
    }
    let windows = policy.windows().iter().zip(states).map(|(window, state)| window_state(*window, state));
    Ok(Decision { at, windows: windows.collect(), repeated: false })
}

/// The decision that was made at this time, from all units that are held, newest first; `cost` is what was not charged.
pub(crate) fn unpack_units(
    at: Timestamp,
    units: &[u8],
    policy: &Policy,
    cost: u32,
) -> Result<Decision, Misshapen> {
    let (units, []) = units.as_chunks::<TIME>() else { return Err(Misshapen) };
    let log = ExactLog::of_units(units.iter().map(|unit| Timestamp::from_micros(number(unit))));
    Ok(log.state(policy, cost, at))
}

/// A time at the beginning of an answer, and the rest.
pub(crate) fn split_time(answer: &[u8]) -> Result<(Timestamp, &[u8]), Misshapen> {
    let (time, rest) = answer.split_first_chunk::<TIME>().ok_or(Misshapen)?;
    Ok((Timestamp::from_micros(number(time)), rest))
}

fn window_state(window: Window, state: &[u8; STATE]) -> WindowState {
    let held = u32::from_be_bytes([state[0], state[1], state[2], state[3]]);
    WindowState {
        window,
        remaining: window.quota().saturating_sub(held),
        reset_after: Duration::from_micros(number(&state[4..4 + TIME])),
        retry_after: Duration::from_micros(number(&state[4 + TIME..])),
    }
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |sum, byte| (sum << 8) | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use tollbar_core::domain::{ApiName, Quota};

    use super::*;

    fn policy() -> Policy {
        let window =
            |quota, secs| Window::new(Quota::new(quota).unwrap(), Duration::from_secs(secs)).unwrap();
        let windows = vec![window(7, 1), window(10_000, 400 * 24 * 60 * 60)];
        let policy =
            Policy::new(PolicyName::new("p.1").unwrap(), ApiName::new("a").unwrap(), windows).unwrap();
        policy.with_cost(5).unwrap()
    }

    #[test]
    fn a_policy_is_packed_as_the_scripts_read_it() {
        let mut packed = Vec::new();
        pack(&policy(), &mut packed);
        let second = [0, 0, 0, 7, 0, 0, 0, 15, 66, 64];
        let long = [0, 0, 39, 16, 31, 110, 160, 134, 0, 0];
        assert_eq!(packed, [&[3, b'p', b'.', b'1', 0, 0, 0, 5, 2][..], &second, &long].concat());
        let policy = policy();
        let buckets = Policy::gcra(policy.name().clone(), policy.api().clone(), policy.windows().to_vec());
        let mut packed = Vec::new();
        pack(&buckets.unwrap(), &mut packed);
        assert_eq!(packed[..6], [4, b'~', b'p', b'.', b'1', 0]);
        assert_eq!(tags(policy.name()), [&[3, b'p', b'.', b'1'][..], &packed[..5]]);
    }

    #[test]
    fn an_answer_of_another_length_is_refused() {
        let at = Timestamp::from_micros(3);
        for states in [vec![], vec![0; STATE], vec![0; 2 * STATE + 1], vec![0; 3 * STATE]] {
            assert_eq!(unpack(at, &states, &policy()), Err(Misshapen));
        }
        let mut states = vec![0; 2 * STATE];
        (states[3], states[10], states[17]) = (6, 9, 8);
        let first = unpack(at, &states, &policy()).unwrap().windows[0];
        let micros = Duration::from_micros;
        assert_eq!((first.remaining, first.reset_after, first.retry_after), (1, micros(9), micros(8)));
        assert_eq!(split_time(&[0; 6]), Err(Misshapen));
    }
}
