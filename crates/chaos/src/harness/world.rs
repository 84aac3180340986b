//! What a stage stands on: engines of its own, a breakable link from each process to each engine, and the processes.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tollbar_testkit::{PrivatePostgres, PrivateRedis, Proxy};

use super::clock::Clock;
use super::error::ChaosError;
use super::log::Told;
use super::options::Options;
use super::plan::{AppendOnly, StagePlan};
use super::process::{Recipe, Tollbar};
use super::settings::{policies, variables};
use crate::history::{Engine, Reach};

/// Everything that can break.
#[derive(Debug)]
pub(super) struct World {
    // Before the links and engines, which they would miss.
    pub(super) processes: Vec<Tollbar>,
    links: Vec<[Proxy; 2]>,
    pub(super) redis: PrivateRedis,
    pub(super) postgres: PrivatePostgres,
    pub(super) told: Arc<Told>,
    pub(super) clock: Clock,
    /// Of its processes, what they did wrong.
    pub(super) complaints: Vec<String>,
}

impl World {
    /// Starts everything; logs go to this folder.
    pub(super) fn start(options: &Options, stage: &StagePlan, folder: &Path) -> Result<Self, ChaosError> {
        let redis = match stage.append_only {
            AppendOnly::Off => PrivateRedis::options(),
            way => PrivateRedis::options().append_only().config("appendfsync", way.name()),
        };
        let redis = redis.try_start()?;
        let postgres = PrivatePostgres::options().setting("max_connections", "100").try_start()?;
        let config = folder.join("policies.toml");
        fs::write(&config, policies()).map_err(ChaosError::file(&config))?;
        let (told, clock) = (Arc::new(Told::default()), Clock::start());
        let (processes, links) = (Vec::new(), Vec::new());
        let complaints = Vec::new();
        let mut world = Self { processes, links, redis, postgres, told, clock, complaints };
        for number in 0..stage.processes {
            world.add(options, stage, number, &config, folder.join(format!("process-{number}.log")))?;
        }
        Ok(world)
    }

    fn add(
        &mut self,
        options: &Options,
        stage: &StagePlan,
        number: u8,
        config: &Path,
        log: PathBuf,
    ) -> Result<(), ChaosError> {
        let (redis, postgres) = (self.redis.url(), self.postgres.url());
        let links = [Proxy::to_url(&redis), Proxy::to_url(&postgres)];
        let variables = variables(stage, &options.pace, &links[0].url(&redis), &links[1].url(&postgres));
        self.links.push(links);
        let (binary, config) = (options.tollbar.clone(), config.to_owned());
        let recipe = Recipe { binary, config, variables, log };
        self.processes.push(Tollbar::start(number, recipe, Arc::clone(&self.told), self.clock)?);
        Ok(())
    }

    /// The links of these processes to an engine.
    pub(super) fn links(&self, engine: Engine, reach: Reach) -> impl Iterator<Item = &Proxy> {
        let hit = (0..).zip(&self.links).filter(move |(process, _)| reach.hits(*process));
        hit.map(move |(_, [redis, postgres])| match engine {
            Engine::Redis => redis,
            Engine::Postgres => postgres,
        })
    }

    /// The processes that a fault is for.
    pub(super) fn hit(&mut self, reach: Reach) -> impl Iterator<Item = &mut Tollbar> {
        (0..).zip(&mut self.processes).filter(move |(process, _)| reach.hits(*process)).map(|(_, hit)| hit)
    }
}
