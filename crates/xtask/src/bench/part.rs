//! What can be measured, and what of it this run measures.

use clap::ValueEnum;

use super::subject::Subject;

/// A part of the benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// A bare actix-web
    Hello,
    /// Tollbar inside another app, on SQLite and memory
    Embedded,
    /// The binary, every call over its limit
    Denied,
    /// The binary, every call admitted
    Admitted,
    /// The same with a thousand policies
    Listed,
    /// The binary, asked as nginx asks, every call admitted
    Authz,
    /// A trip to Redis a step
    Steps,
    /// actix-session and actix-limitation
    Peer,
    /// The same, over connections that are kept
    PeerKept,
    /// Admitted and steps over a longer way to Redis
    Delay,
    /// Logins beside bcrypt itself
    Login,
    /// Pings beside logins
    Beside,
    /// The leaderboard at few users and at many
    Top,
    /// Redis' memory a user
    Memory,
    /// What became of calls, at many callers
    History,
    /// Start-up and size
    Startup,
}

/// What a run does.
pub(crate) struct Plan {
    parts: Vec<Part>,
    whole: bool,
    pub(crate) rounds: u32,
    pub(crate) seconds: u32,
    /// Who call in turn.
    pub(crate) users: u32,
    /// Whose bytes in Redis are counted.
    pub(crate) stored_users: u32,
    /// On the longer leaderboard.
    pub(crate) board_users: u32,
    /// How often each leaderboard is asked for.
    pub(crate) board_asks: u32,
}

impl Plan {
    /// What the command line asks for.
    pub(crate) fn new(
        quick: bool,
        only: &[Part],
        rounds: Option<u32>,
        seconds: Option<u32>,
        users: u32,
    ) -> Self {
        let parts = if only.is_empty() { Part::value_variants().to_vec() } else { only.to_vec() };
        let rounds = rounds.unwrap_or(if quick { 1 } else { 5 });
        let seconds = seconds.unwrap_or(if quick { 2 } else { 5 });
        Self {
            parts,
            whole: only.is_empty() && !quick && rounds >= 5 && seconds >= 5,
            rounds,
            seconds,
            users,
            stored_users: if quick { 10_000 } else { 100_000 },
            board_users: if quick { 100_000 } else { 1_000_000 },
            board_asks: if quick { 200 } else { 2_000 },
        }
    }

    /// Whether this part is measured.
    pub(crate) fn has(&self, part: Part) -> bool {
        self.parts.contains(&part)
    }

    /// Whether all is measured, as long as it should be.
    pub(crate) fn is_whole(&self) -> bool {
        self.whole
    }

    /// Whose throughput is compared, in the order of a round.
    pub(crate) fn subjects(&self) -> Vec<Subject> {
        Subject::ALL.into_iter().filter(|subject| self.has(subject.part())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_long_run_of_everything_is_whole() {
        assert!(Plan::new(false, &[], None, None, 1).is_whole());
        assert!(!Plan::new(true, &[], None, None, 1).is_whole());
        assert!(!Plan::new(false, &[], Some(1), None, 1).is_whole());
        let some = Plan::new(false, &[Part::Hello, Part::Top], Some(3), Some(4), 1);
        assert!(!some.is_whole() && some.has(Part::Top) && !some.has(Part::Login));
        assert_eq!((some.subjects(), some.rounds, some.seconds), (vec![Subject::Hello], 3, 4));
    }
}
