//! A set of sessions as bytes: only verifiers travel, never a token.

use std::time::Duration;

use tollbar_core::domain::{Session, SessionSet, Timestamp, Verifier, Version};

use crate::reply::Misshapen;

/// version 8 | verifier 32 | remaining time or deadline 7, as the scripts have it.
const SESSION: usize = 8 + 32 + TIME;
const TIME: usize = 7;

/// Keeps deadlines within the numbers that Lua counts exactly, until the year 2150.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// The sessions for a publish.
pub(crate) fn pack(set: &SessionSet) -> Vec<u8> {
    let mut packed = Vec::with_capacity(set.sessions.len() * SESSION);
    for session in &set.sessions {
        let remaining = u64::try_from(session.remaining.min(LONGEST).as_micros());
        let remaining = remaining.expect("a hundred years of microseconds fit");
        packed.extend(session.version.get().to_be_bytes());
        packed.extend(session.verifier.as_bytes());
        packed.extend(&remaining.to_be_bytes()[8 - TIME..]);
    }
    packed
}

/// The set of a hit: version 8 | end of the entry 7, then the sessions, each with its deadline. Sessions that have ended are
/// left out.
pub(crate) fn unpack(entry: &[u8], now: Timestamp) -> Result<SessionSet, Misshapen> {
    let (version, rest) = entry.split_first_chunk::<8>().ok_or(Misshapen)?;
    let (_end, sessions) = rest.split_first_chunk::<TIME>().ok_or(Misshapen)?;
    let (sessions, []) = sessions.as_chunks::<SESSION>() else { return Err(Misshapen) };
    let live =
        sessions.iter().map(|packed| session(packed, now)).filter(|session| !session.remaining.is_zero());
    Ok(SessionSet { version: Version::new(u64::from_be_bytes(*version)), sessions: live.collect() })
}

fn session(packed: &[u8; SESSION], now: Timestamp) -> Session {
    let (version, rest) = packed.split_first_chunk::<8>().expect("a session is 47 bytes");
    let (verifier, deadline) = rest.split_first_chunk::<32>().expect("a session is 47 bytes");
    let deadline = deadline.iter().fold(0, |sum, byte| (sum << 8) | u64::from(*byte));
    Session {
        version: Version::new(u64::from_be_bytes(*version)),
        verifier: Verifier::from_bytes(*verifier),
        remaining: Timestamp::from_micros(deadline).since(now),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(remaining: &[Duration]) -> SessionSet {
        let session = |(at, &remaining): (usize, &Duration)| Session {
            version: Version::new(u64::MAX - at as u64),
            verifier: Verifier::from_bytes([at.to_be_bytes()[7]; 32]),
            remaining,
        };
        SessionSet {
            version: Version::new(u64::MAX),
            sessions: remaining.iter().enumerate().map(session).collect(),
        }
    }

    fn entry(set: &SessionSet) -> Vec<u8> {
        [&set.version.get().to_be_bytes()[..], &[0; TIME], &pack(set)].concat()
    }

    #[test]
    fn comes_back_without_what_has_ended() {
        let seconds = [3, 1, 2].map(Duration::from_secs);
        let back = unpack(&entry(&set(&seconds)), Timestamp::from_micros(1_000_000)).unwrap();
        let left: Vec<_> = back.sessions.iter().map(|session| session.remaining.as_secs()).collect();
        assert_eq!(left, [2, 1]);
        assert_eq!(back.sessions[1].version, Version::new(u64::MAX - 2));
        assert_eq!(unpack(&entry(&set(&[])), Timestamp::default()).unwrap(), set(&[]));
    }

    #[test]
    fn a_time_without_end_is_cut_to_a_hundred_years() {
        let back = unpack(&entry(&set(&[Duration::MAX])), Timestamp::default()).unwrap();
        assert_eq!(back.sessions[0].remaining, LONGEST);
    }

    #[test]
    fn refuses_what_is_cut_off() {
        let whole = entry(&set(&[Duration::from_secs(1)]));
        for length in (0..whole.len()).filter(|length| *length != 15) {
            assert_eq!(unpack(&whole[..length], Timestamp::default()), Err(Misshapen), "{length}");
        }
    }
}
