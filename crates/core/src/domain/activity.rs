//! What becomes of calls, and how many, by API and time.

use std::{collections::HashMap, ops::AddAssign};

use super::{ApiName, Caller, Step, Tally, Timestamp, UserId};

/// What became of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallOutcome {
    /// It went through.
    Admitted,
    /// It was over a limit.
    Limited {
        /// Who called; `None` where the limit is on something else.
        user: Option<UserId>,
        /// Whether it was denied from memory, as an earlier one had been.
        repeated: bool,
    },
    /// It named no live session.
    Refused,
}

/// How many calls had which outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Outcomes {
    /// Went through.
    pub admitted: u64,
    /// Were over a limit.
    pub limited: u64,
    /// Those of the limited that were denied from memory.
    pub repeated: u64,
    /// Named no live session.
    pub refused: u64,
}

impl AddAssign for Outcomes {
    fn add_assign(&mut self, other: Self) {
        self.admitted += other.admitted;
        self.limited += other.limited;
        self.repeated += other.repeated;
        self.refused += other.refused;
    }
}

impl AddAssign<CallOutcome> for Outcomes {
    fn add_assign(&mut self, call: CallOutcome) {
        match call {
            CallOutcome::Admitted => self.admitted += 1,
            CallOutcome::Limited { repeated, .. } => {
                self.limited += 1;
                self.repeated += u64::from(repeated);
            }
            CallOutcome::Refused => self.refused += 1,
        }
    }
}

/// What became of calls to one API within one hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    /// What was called.
    pub api: ApiName,
    /// When the hour began.
    pub hour: Timestamp,
    /// The outcomes by the minute's beginning, each minute once.
    pub minutes: Vec<(Timestamp, Outcomes)>,
    /// Who was admitted, and how often; each user once.
    pub callers: Vec<Caller>,
    /// Who was limited, and how often; each user once.
    pub limited: Vec<Caller>,
}

/// What an epoch has counted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EpochSums {
    /// Admitted calls; each API and user once.
    pub tallies: Vec<Tally>,
    /// What became of calls; of one API and hour there may be several.
    pub activity: Vec<Activity>,
}

impl EpochSums {
    /// Admitted calls of which it is known only that they came about this moment.
    pub fn about(at: Timestamp, tallies: Vec<Tally>) -> Self {
        let mut callers: HashMap<&ApiName, Vec<Caller>> = HashMap::new();
        for Tally { api, user, calls } in &tallies {
            callers.entry(api).or_default().push(Caller { user: *user, calls: *calls });
        }
        let of_api = |(api, callers): (&ApiName, Vec<Caller>)| {
            let admitted = callers.iter().map(|caller| caller.calls).sum();
            let outcomes = Outcomes { admitted, ..Outcomes::default() };
            Activity {
                api: api.clone(),
                hour: Step::Hour.start(at),
                minutes: vec![(Step::Minute.start(at), outcomes)],
                callers,
                limited: Vec::new(),
            }
        };
        let activity = callers.into_iter().map(of_api).collect();
        Self { tallies, activity }
    }
}
