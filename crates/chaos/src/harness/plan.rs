//! The schedule of faults: a function of the seed.

use std::time::Duration;

use fastrand::Rng;

use super::bug::Bug;
use crate::history::{Engine, FaultKind, LinkFault, Reach};

/// How Redis keeps its data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AppendOnly {
    Off,
    EverySecond,
    Always,
}

impl AppendOnly {
    /// Whether Redis may come back from this without its last writes.
    pub(super) fn loses_by(self, kind: FaultKind) -> bool {
        match kind {
            FaultKind::RedisEmptied | FaultKind::RedisRolledBack => true,
            FaultKind::Killed(Engine::Redis) => self != Self::Always,
            _ => false,
        }
    }

    /// As `redis.conf` has it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::EverySecond => "everysec",
            Self::Always => "always",
        }
    }
}

/// One fault to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Planned {
    pub(super) kind: FaultKind,
    pub(super) reach: Reach,
    /// How long it holds.
    pub(super) lasts: Duration,
    /// How long it is quiet afterwards.
    pub(super) rest: Duration,
}

/// What is fixed for a stage: a part of the run with engines of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StagePlan {
    pub(super) number: usize,
    pub(super) append_only: AppendOnly,
    pub(super) processes: u8,
    pub(super) deny_cache: bool,
    pub(super) session_ttl: Duration,
    pub(super) flush: Duration,
    pub(super) faults: Vec<Planned>,
    /// Instead of them, the mix under which this bug shows.
    pub(super) drill: Option<Bug>,
    /// The bug that the processes have.
    pub(super) bug: Option<Bug>,
    /// For the clients.
    pub(super) seed: u64,
}

/// How long a stage lasts at most: its history is kept in memory.
const LONGEST: Duration = Duration::from_secs(300);
/// How quiet it is before the first fault of a stage, so that there are times to compare with.
pub(super) const CALM: Duration = Duration::from_secs(3);
/// `database.claim`: a process that is hung for longer is adopted.
pub(super) const CLAIM: Duration = Duration::from_secs(2);

/// The stages of a run. Each of Redis' three ways to keep data has its turn, and every kind of fault, before any comes again.
pub(super) fn plan(seed: u64, length: Duration) -> Vec<StagePlan> {
    let mut rng = Rng::with_seed(seed);
    let stages = length.div_duration_f64(LONGEST).ceil().max(3.0);
    let each = length.div_f64(stages);
    let mut deck = Vec::new();
    let mut ways = [AppendOnly::Off, AppendOnly::EverySecond, AppendOnly::Always];
    rng.shuffle(&mut ways);
    let numbers = (0..).take_while(|number| f64::from(*number) < stages);
    numbers.map(|number| stage(number, ways, each, &mut deck, &mut rng)).collect()
}

fn stage(
    number: u32,
    ways: [AppendOnly; 3],
    length: Duration,
    deck: &mut Vec<FaultKind>,
    rng: &mut Rng,
) -> StagePlan {
    let processes = rng.u8(2..=3);
    let (mut faults, mut ends) = (Vec::new(), CALM);
    loop {
        if deck.is_empty() {
            *deck = kinds();
            rng.shuffle(deck);
        }
        let kind = deck.last().copied().unwrap_or(FaultKind::RedisEmptied);
        let planned = fault(kind, processes, rng);
        ends += planned.lasts + planned.rest;
        // A stage has at least one.
        if ends > length && !faults.is_empty() {
            break;
        }
        deck.pop();
        faults.push(planned);
    }
    let number = usize::try_from(number).unwrap_or(usize::MAX);
    StagePlan {
        number,
        append_only: ways[number % ways.len()],
        processes,
        deny_cache: rng.bool(),
        // Long enough to see none expire, or short enough to see many.
        session_ttl: Duration::from_secs(if rng.u8(..3) == 0 { 12 } else { 3_600 }),
        flush: Duration::from_millis(if rng.bool() { 250 } else { 1_000 }),
        faults,
        drill: None,
        bug: None,
        seed: rng.u64(..),
    }
}

fn fault(kind: FaultKind, processes: u8, rng: &mut Rng) -> Planned {
    let one = Reach::One(rng.u8(..processes));
    let reach = match kind {
        FaultKind::Link(..) if rng.bool() => one,
        _ if kind.is_of_process() => one,
        _ => Reach::All,
    };
    let lasts = match kind {
        FaultKind::ProcessPaused => rng.u64(3_000..4_500),
        FaultKind::RedisEmptied => 0,
        FaultKind::ProcessKilled | FaultKind::ProcessEnded => rng.u64(200..1_500),
        _ => rng.u64(1_200..3_200),
    };
    let rest = rng.u64(2_000..2_800);
    Planned { kind, reach, lasts: Duration::from_millis(lasts), rest: Duration::from_millis(rest) }
}

/// Every kind; kills more than once.
fn kinds() -> Vec<FaultKind> {
    use FaultKind::{
        Killed, Link, Paused, PostgresLocked, ProcessEnded, ProcessKilled, ProcessPaused, RedisEmptied,
        RedisFull, RedisReadOnly, RedisRolledBack,
    };
    let links =
        [LinkFault::Refused, LinkFault::Blackholed, LinkFault::Held, LinkFault::Slow, LinkFault::Late];
    let engines = [Engine::Redis, Engine::Postgres];
    let mut kinds: Vec<_> =
        engines.into_iter().flat_map(|engine| links.map(|fault| Link(engine, fault))).collect();
    kinds.extend(engines.map(Paused));
    kinds.extend([RedisEmptied, RedisFull, RedisReadOnly, PostgresLocked, ProcessEnded, ProcessPaused]);
    kinds.extend([Killed(Engine::Redis); 3]);
    kinds.extend([Killed(Engine::Postgres); 2]);
    kinds.extend([RedisRolledBack; 2]);
    kinds.extend([ProcessKilled; 4]);
    kinds
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_seed_always_gives_the_same_plan_and_another_one_another() {
        let of = |seed| plan(seed, Duration::from_secs(600));
        assert_eq!(of(7), of(7));
        assert_ne!(of(7), of(8));
    }

    #[test]
    fn ten_minutes_have_every_kind_of_fault_and_every_way_to_keep_data() {
        let stages = plan(1, Duration::from_secs(600));
        let faults: Vec<_> = stages.iter().flat_map(|stage| &stage.faults).collect();
        let kinds_found: BTreeSet<_> = faults.iter().map(|fault| fault.kind).collect();
        assert_eq!(kinds_found, kinds().into_iter().collect());
        let kills = faults.iter().filter(|fault| fault.kind.is_kill()).count();
        assert!(kills > 34, "{kills} kills: 200 in an hour are wanted");
        let ways: BTreeSet<_> = stages.iter().map(|stage| stage.append_only.name()).collect();
        assert_eq!(ways.len(), 3);
        let processes = |stage: &StagePlan| stage.faults.iter().all(|fault| hits_one_of(fault, stage));
        assert!(stages.iter().all(processes));
    }

    fn hits_one_of(fault: &Planned, stage: &StagePlan) -> bool {
        (0..stage.processes).any(|process| fault.reach.hits(process))
    }

    #[test]
    fn a_stage_fits_into_its_time_and_an_hour_into_stages() {
        let stages = plan(3, Duration::from_secs(3_600));
        assert_eq!(stages.len(), 12);
        for stage in &stages {
            let takes: Duration = stage.faults.iter().map(|fault| fault.lasts + fault.rest).sum();
            assert!(takes + CALM <= LONGEST, "{takes:?}");
        }
        assert_eq!(plan(3, Duration::from_secs(1)).len(), 3);
    }
}
