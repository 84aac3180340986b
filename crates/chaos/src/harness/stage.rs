//! One stage: engines and processes, clients, faults, and the readings at the end.

use std::path::Path;
use std::sync::Arc;

use tokio::task::spawn_blocking;

use super::base::Base;
use super::client::{Client, Shared};
use super::error::ChaosError;
use super::nemesis::torment;
use super::options::Options;
use super::people::People;
use super::plan::StagePlan;
use super::process::Tollbar;
use super::pulse::Pulse;
use super::recorder::Recorder;
use super::settings::terms;
use super::settle;
use super::traffic::{Habits, Traffic};
use super::world::World;
use crate::history::{History, ProcessId};

/// Runs a stage to its end; everything that is known of it.
pub(super) async fn run(options: &Options, stage: &StagePlan, folder: &Path) -> Result<History, ChaosError> {
    let world = {
        let (options, stage, folder) = (options.clone(), stage.clone(), folder.to_owned());
        spawn_blocking(move || World::start(&options, &stage, &folder)).await??
    };
    let pulse = Pulse::start(world.clock, &options.pace, world.redis.url(), world.postgres.url());
    let habits = if stage.drill.is_some() { Habits::HASTY } else { Habits::USUAL };
    let (people, recorder) = (People::new(habits.accounts), Recorder::default());
    let shared = Arc::new(Shared { clock: world.clock, recorder, people });
    let clients = clients(&world, &shared)?;
    let traffic =
        Traffic::start(&clients, options.pace.clients, options.pace.thinks, habits, stage.seed).await?;
    let (faults, mut world) = {
        let (options, stage, mut world) = (options.clone(), stage.clone(), world);
        let tormented = spawn_blocking(move || {
            let faults = torment(&mut world, &stage, &options);
            faults.map(|faults| (faults, world))
        });
        tormented.await??
    };
    traffic.stop().await?;
    settle::ask_everybody(&clients).await?;

    let (events, boards) = shared.recorder.take();
    let (terms, ids) = (terms(stage, &options.pace), shared.people.ids());
    let stalls = spawn_blocking(move || pulse.stop()).await?;
    let history = History { terms, events, boards, faults, stalls, ids, ..History::default() };
    let (redis, postgres) = (world.redis.url(), world.postgres.url());
    let mut history = settle::read(&clients, &redis, &postgres, history).await?;
    let world = spawn_blocking(move || {
        let complaints: Vec<_> = world.processes.iter_mut().filter_map(Tollbar::end).collect();
        world.complaints.extend(complaints);
        world
    });
    let world = world.await?;
    history.unconfirmed = world.told.unconfirmed();
    history.end.complaints = world.complaints.iter().cloned().chain(world.told.errors()).collect();
    // Engines and processes end here, and not on a thread that must not wait.
    spawn_blocking(move || drop(world)).await?;
    Ok(history)
}

fn clients(world: &World, shared: &Arc<Shared>) -> Result<Vec<Client>, ChaosError> {
    let addresses = world.processes.iter().map(Tollbar::address);
    let client = |(process, address): (ProcessId, _)| {
        let shared = Arc::clone(shared);
        Ok(Client { shared, base: Base::new(address)?, process })
    };
    (0..).zip(addresses).map(client).collect()
}
