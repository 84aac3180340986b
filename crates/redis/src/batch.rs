//! Calls that travel together: the arguments of their script, and the answer to each.

use std::{collections::HashMap, time::Duration};

use fred::types::Value;
use tollbar_core::{
    StoreError,
    domain::{ApiName, EpochId, Policy, SessionToken, Subject, Verifier, Version},
    ports::Crossing,
};

use crate::{
    arguments::Arguments,
    failure::refused_by_script,
    keys::{Count, Keys, Names, Partition},
    pending,
    policy_codec::{LOG_HEAD, STATE, TIME, pack, split_time, unpack, unpack_units},
    reply::{Misshapen, bytes},
};

/// How many calls one script takes: little enough that others need not wait long, and that a place or a policy among them has
/// a number of one byte.
pub(crate) const MOST: usize = 128;

/// One call.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// Who is charged; of a call that is counted, the user.
    pub(crate) who: Subject,
    /// What the session must be: its version and its verifier; `None` where it is known to live.
    pub(crate) session: Option<(Version, Verifier)>,
    /// What it is noted under where it is counted; none: it is not counted.
    pub(crate) epoch: Option<EpochId>,
    pub(crate) policy: Policy,
}

impl Call {
    /// A call whose session is to be checked.
    pub(crate) fn of(token: &SessionToken, policy: &Policy, epoch: EpochId) -> Self {
        let session = Some((token.version(), token.verifier()));
        Self { who: token.user().into(), session, epoch: Some(epoch), policy: policy.clone() }
    }
}

/// The arguments of the script, after its keys and the time: keys are the record of each call, then the boards, calls and
/// sketches of the places that they name, then the limits that are kept apart from the records, then what the counted ones, which are
/// of one epoch, are noted under, and the fence.
pub(crate) fn arguments(calls: &[&Call], keys: &Keys, timed: impl FnOnce(Names) -> Arguments) -> Arguments {
    debug_assert!(calls.len() <= MOST, "a place has a number of one byte");
    let mut policies: Vec<&Policy> = Vec::new();
    let mut places: HashMap<(&ApiName, Partition), u8> = HashMap::new();
    let mut of_places = Vec::new();
    let mut names = Names::default();
    let mut apart = Vec::new();
    let mut packed = Vec::with_capacity(calls.len() * 52);
    for call in calls {
        let place = call.epoch.map(|_| {
            let (api, at) = (call.policy.api(), keys.partition(call.who));
            let next = one_byte(places.len());
            *places.entry((api, at)).or_insert_with(|| {
                of_places.push((api, at));
                next
            })
        });
        let policy = (!call.policy.windows().is_empty()).then(|| {
            let known = policies.iter().position(|known| known.is_same_but_for_path(&call.policy));
            one_byte(known.unwrap_or_else(|| {
                policies.push(&call.policy);
                policies.len() - 1
            }))
        });
        names.record(keys, call.who);
        let limits = call.policy.path().map(|path| {
            apart.push((call.who, path));
            one_byte(apart.len() - 1)
        });
        let or_none = Option::unwrap_or_default;
        packed.extend([or_none(policy), u8::from(call.session.is_some()), or_none(limits), or_none(place)]);
        let user = match call.who {
            Subject::User(user) => user.get(),
            Subject::Other(_) => 0,
        };
        packed.extend(user.to_be_bytes());
        match &call.session {
            Some((version, verifier)) => {
                packed.extend(version.get().to_be_bytes());
                packed.extend(verifier.as_bytes());
            }
            None => packed.extend([0; 8 + 32]),
        }
    }
    for count in [Count::Board, Count::Calls, Count::Sketch] {
        for (api, at) in &of_places {
            names.count(keys, count, api, *at);
        }
    }
    for (who, path) in &apart {
        names.limits(keys, *who, *path);
    }
    // Anywhere among the partitions of a batch: who adopts looks into all of them.
    let noted = calls.iter().find_map(|call| Some((call.epoch?, keys.partition(call.who))));
    if let Some((epoch, at)) = noted {
        names.pending(keys, epoch, at);
    }
    let mut of_policies = Vec::new();
    for policy in policies {
        pack(policy, &mut of_policies);
    }
    timed(names)
        .bytes(of_policies)
        .bytes(packed)
        .number(apart.len() as u64)
        .bytes(pending::header(of_places.iter().map(|(api, _)| *api)))
}

/// The number of the next thing, from 1.
fn one_byte(index: usize) -> u8 {
    u8::try_from(index + 1).expect("a batch names no more things than it has calls")
}

/// A number at the beginning of an answer's part.
fn two_bytes(body: &[u8]) -> Result<u16, Misshapen> {
    body.first_chunk().map(|bytes| u16::from_be_bytes(*bytes)).ok_or(Misshapen)
}

/// The answer to each call, in order.
pub(crate) fn answers(
    answer: &Value,
    calls: &[&Call],
    operation: &'static str,
    deadline: Duration,
) -> Result<Vec<Result<Crossing, StoreError>>, Misshapen> {
    let (at, mut rest) = split_time(bytes(answer)?)?;
    let mut answers = Vec::with_capacity(calls.len());
    for call in calls {
        let (kind, body) = rest.split_first().ok_or(Misshapen)?;
        let length = match kind {
            b'A' | b'L' => call.policy.windows().len() * STATE,
            b'a' | b'l' => LOG_HEAD + usize::from(two_bytes(body)?) * TIME,
            b'D' | b'U' => 0,
            b'E' => 2 + usize::from(two_bytes(body)?),
            _ => return Err(Misshapen),
        };
        let (body, others) = body.split_at_checked(length).ok_or(Misshapen)?;
        rest = others;
        answers.push(match kind {
            b'A' => Ok(Crossing::Admitted(unpack(at, body, &call.policy)?)),
            b'L' => Ok(Crossing::Limited(unpack(at, body, &call.policy)?)),
            b'a' => Ok(Crossing::Admitted(unpack_units(at, &body[LOG_HEAD..], &call.policy, 0)?)),
            b'l' => {
                let units = &body[LOG_HEAD..];
                Ok(Crossing::Limited(unpack_units(at, units, &call.policy, call.policy.cost())?))
            }
            b'D' => Ok(Crossing::Dead),
            b'U' => Ok(Crossing::Unknown),
            _ => Err(refused_by_script(operation, deadline, &String::from_utf8_lossy(&body[2..]))),
        });
    }
    if rest.is_empty() { Ok(answers) } else { Err(Misshapen) }
}

#[cfg(test)]
mod tests {
    use tollbar_core::domain::{PolicyName, Quota, UserId, Window};

    use super::*;

    fn call() -> Call {
        let window = Window::new(Quota::new(3).unwrap(), Duration::from_secs(1)).unwrap();
        let policy =
            Policy::new(PolicyName::new("p").unwrap(), ApiName::new("a").unwrap(), vec![window]).unwrap();
        Call { who: UserId::new(1).unwrap().into(), session: None, epoch: None, policy }
    }

    fn read(answer: &[u8]) -> Result<Vec<Result<Crossing, StoreError>>, Misshapen> {
        let call = call();
        let answer = [&[0; TIME], answer].concat();
        answers(&Value::Bytes(answer.into()), &[&call], "admit", Duration::from_millis(5))
    }

    #[test]
    fn an_answer_that_is_cut_off_or_goes_on_is_refused() {
        let log = [&b"a\0\x02"[..], &[0; LOG_HEAD - 2 + 2 * TIME]].concat();
        let denied = [&b"l"[..], &log[1..]].concat();
        let states = [&b"A"[..], &[0; STATE]].concat();
        let limited = [&b"L"[..], &[0; STATE]].concat();
        for whole in
            [&log, &denied, &states, &limited, &b"D".to_vec(), &b"U".to_vec(), &b"E\0\x03ERR".to_vec()]
        {
            assert_eq!(read(whole).unwrap().len(), 1, "{whole:?}");
            for length in 0..whole.len() {
                assert!(read(&whole[..length]).is_err(), "{whole:?} cut to {length}");
            }
            assert!(read(&[whole, &b"D"[..]].concat()).is_err(), "{whole:?} and more");
        }
        assert!(read(b"?").is_err());
    }
}
