//! Injects one fault and takes it back.

use std::thread::sleep;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio_postgres::{Client, NoTls};

use super::error::ChaosError;
use super::plan::Planned;
use super::world::World;
use crate::history::{Engine, Fault, FaultKind, LinkFault, Micros};

/// Well within every deadline, even for a few trips.
const SLOW: Duration = Duration::from_millis(10);
/// How long a server is down before it is put back with old data.
const DOWN: Duration = Duration::from_millis(300);
/// All that changes sessions, and all that counts.
const LOCK: &str = "BEGIN; LOCK TABLE users, sessions, call_totals IN ACCESS EXCLUSIVE MODE";

/// Does all of it: breaks, waits, heals. `late` is longer than an engine's deadline.
pub(super) fn inject(world: &mut World, planned: Planned, late: Late) -> Result<Fault, ChaosError> {
    let Planned { kind, reach, lasts, .. } = planned;
    let begun = world.clock.now();
    let (applied, healing) = match kind {
        FaultKind::Link(engine, fault) => {
            for link in world.links(engine, reach) {
                match fault {
                    LinkFault::Refused => link.refuse(),
                    LinkFault::Blackholed => link.blackhole(),
                    LinkFault::Held => link.hold_answers(),
                    LinkFault::Slow => link.delay(SLOW, SLOW),
                    LinkFault::Late => link.delay(Duration::ZERO, late.than(engine)),
                }
            }
            let held = hold(world, lasts);
            world.links(engine, reach).for_each(tollbar_testkit::Proxy::pass);
            held
        }
        FaultKind::Killed(Engine::Redis) => {
            world.redis.kill9();
            let held = hold(world, lasts);
            world.redis.start_again();
            held
        }
        FaultKind::Killed(Engine::Postgres) => {
            world.postgres.stop_at_once();
            let held = hold(world, lasts);
            world.postgres.start_again();
            held
        }
        FaultKind::Paused(Engine::Redis) => {
            world.redis.pause();
            let held = hold(world, lasts);
            world.redis.resume();
            held
        }
        FaultKind::Paused(Engine::Postgres) => {
            world.postgres.pause();
            let held = hold(world, lasts);
            world.postgres.resume();
            held
        }
        FaultKind::RedisEmptied => {
            world.redis.flush_all();
            hold(world, lasts)
        }
        FaultKind::RedisRolledBack => {
            let saved = world.redis.save_state();
            sleep(lasts);
            world.redis.kill9();
            let held = hold(world, DOWN);
            world.redis.restore_state(&saved);
            held
        }
        FaultKind::RedisFull => configured(world, "maxmemory", ["1", "0"], lasts),
        FaultKind::RedisReadOnly => configured(world, "min-replicas-to-write", ["1", "0"], lasts),
        FaultKind::PostgresLocked => {
            let session = locking_session(&world.postgres.url())?;
            let held = hold(world, lasts);
            drop(session);
            held
        }
        FaultKind::ProcessKilled | FaultKind::ProcessEnded | FaultKind::ProcessPaused => {
            process_fault(world, planned)?
        }
    };
    let healed = world.clock.now();
    // The stage tells what Redis loses by it.
    Ok(Fault { kind, reach, begun, applied, healing, healed, loses_state: false })
}

/// Delays that are longer than a deadline.
#[derive(Debug, Clone, Copy)]
pub(super) struct Late {
    pub(super) redis: Duration,
    pub(super) postgres: Duration,
}

impl Late {
    fn than(self, engine: Engine) -> Duration {
        match engine {
            Engine::Redis => self.redis,
            Engine::Postgres => self.postgres,
        }
    }
}

/// Lets what is broken be so; from when until when it was.
fn hold(world: &World, lasts: Duration) -> (Micros, Micros) {
    let applied = world.clock.now();
    sleep(lasts);
    (applied, world.clock.now())
}

fn configured(world: &World, name: &str, [broken, whole]: [&str; 2], lasts: Duration) -> (Micros, Micros) {
    world.redis.run(&["CONFIG", "SET", name, broken]);
    let held = hold(world, lasts);
    world.redis.run(&["CONFIG", "SET", name, whole]);
    held
}

fn process_fault(world: &mut World, planned: Planned) -> Result<(Micros, Micros), ChaosError> {
    let mut complaints = Vec::new();
    for process in world.hit(planned.reach) {
        match planned.kind {
            FaultKind::ProcessKilled => process.kill9(),
            FaultKind::ProcessPaused => process.pause(),
            _ => complaints.extend(process.end()),
        }
    }
    world.complaints.extend(complaints);
    let held = hold(world, planned.lasts);
    for process in world.hit(planned.reach) {
        match planned.kind {
            FaultKind::ProcessPaused => process.resume(),
            _ => process.launch()?,
        }
    }
    Ok(held)
}

/// A session that holds the tables until it is dropped.
fn locking_session(url: &str) -> Result<Client, ChaosError> {
    Handle::current().block_on(async {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
        tokio::spawn(connection);
        client.batch_execute(LOCK).await?;
        Ok(client)
    })
}
