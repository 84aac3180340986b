//! Faults that a bug shows under, one mix for each: more than a promise is for, and as fast as they do it.

use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use fastrand::Rng;
use tollbar_testkit::Proxy;

use super::bug::Bug;
use super::clock::micros;
use super::plan::{AppendOnly, StagePlan};
use super::run::keep;
use super::world::World;
use super::{ChaosError, Options, Pace, stage};
use crate::checker::{Report, check};
use crate::history::{Engine, Reach};

/// What a drill found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drill {
    /// How often the bug showed in processes that do not have it.
    pub without: u64,
    /// How often it showed in those that do.
    pub with: u64,
}

impl Drill {
    /// Whether the bug was found where it is, and only there.
    pub fn caught(self) -> bool {
        self.without == 0 && self.with > 0
    }
}

/// Runs the same faults over sound processes and over processes with the bug.
///
/// # Errors
/// It could not be carried out.
pub async fn drill(options: &Options, bug: Bug) -> Result<Drill, ChaosError> {
    // Many changes, and many readers beside each.
    let pace = Pace { clients: 20, thinks: Duration::from_millis(25), ..options.pace };
    let options = &Options { pace, ..options.clone() };
    let without = run(options, bug, None, &options.folder.join(bug.name()).join("without")).await?;
    let with = run(options, bug, Some(bug), &options.folder.join(bug.name()).join("with")).await?;
    Ok(Drill { without: bug.found(&without), with: bug.found(&with) })
}

async fn run(options: &Options, mix: Bug, bug: Option<Bug>, folder: &Path) -> Result<Report, ChaosError> {
    let _ = std::fs::remove_dir_all(folder);
    std::fs::create_dir_all(folder).map_err(ChaosError::file(folder))?;
    let stage = StagePlan {
        number: 0,
        append_only: AppendOnly::Off,
        processes: 2,
        deny_cache: false,
        session_ttl: Duration::from_secs(3_600),
        flush: Duration::from_millis(250),
        faults: Vec::new(),
        drill: Some(mix),
        bug,
        seed: options.seed,
    };
    let history = stage::run(options, &stage, folder).await?;
    let report = check(&history);
    keep(&history, &report, folder)?;
    Ok(report)
}

/// Goes on for about as long as the options say. It blocks its thread.
pub(super) fn torment(world: &mut World, mix: Bug, options: &Options) {
    let mut rng = Rng::with_seed(options.seed);
    let ends = world.clock.now() + micros(options.length);
    if matches!(mix, Bug::NoLease | Bug::LogoutKeepsLease) {
        // Readers at process 0 learn late what they read; changes are made at the other one.
        world.links(Engine::Postgres, Reach::One(0)).for_each(|link| link.delay(Duration::ZERO, READ_LATE));
    }
    while world.clock.now() < ends {
        round(world, mix, &mut rng);
    }
    for engine in [Engine::Redis, Engine::Postgres] {
        world.links(engine, Reach::All).for_each(Proxy::pass);
    }
}

const READ_LATE: Duration = Duration::from_millis(100);
const SLOW: Duration = Duration::from_millis(15);

fn round(world: &mut World, mix: Bug, rng: &mut Rng) {
    let mut wait = |millis| sleep(Duration::from_millis(rng.u64(millis)));
    match mix {
        // An entry is lost after a change, and before a reader fills that read before it.
        Bug::NoLease => {
            wait(100..400);
            world.redis.flush_all();
        }
        Bug::LogoutKeepsLease => wait(200..400),
        Bug::NoStamp => {
            let saved = world.redis.save_state();
            wait(500..1_000);
            world.redis.restore_state(&saved);
            wait(300..500);
        }
        // A transaction commits, and whoever sent it does not learn of it.
        Bug::NoEpochGuard => {
            world.links(Engine::Postgres, Reach::All).for_each(|link| link.delay(SLOW, SLOW));
            wait(500..900);
            world.links(Engine::Postgres, Reach::All).for_each(Proxy::hold_answers);
            wait(50..150);
            world.links(Engine::Postgres, Reach::All).for_each(Proxy::refuse);
        }
        // Calls are decided, and whoever sent them does not learn of it.
        Bug::ResendLostReply => {
            wait(200..400);
            world.links(Engine::Redis, Reach::All).for_each(Proxy::hold_answers);
            wait(10..60);
            world.links(Engine::Redis, Reach::All).for_each(Proxy::refuse);
            world.links(Engine::Redis, Reach::All).for_each(Proxy::pass);
        }
    }
}
