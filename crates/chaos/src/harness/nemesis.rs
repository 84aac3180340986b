//! Breaks one thing after the other, by the plan.

use std::thread::sleep;

use super::drill;
use super::error::ChaosError;
use super::fault::{Late, inject};
use super::options::Options;
use super::plan::{CALM, StagePlan};
use super::world::World;
use crate::history::{Fault, Reach};

/// Injects the faults of a stage; what was injected, and when. It blocks its thread.
pub(super) fn torment(
    world: &mut World,
    stage: &StagePlan,
    options: &Options,
) -> Result<Vec<Fault>, ChaosError> {
    if let Some(mix) = stage.drill {
        drill::torment(world, mix, options);
        return Ok(Vec::new());
    }
    let late = Late {
        redis: options.pace.redis_deadline.mul_f64(1.5),
        postgres: options.pace.postgres_deadline.mul_f64(1.3),
    };
    let mut faults = Vec::new();
    sleep(CALM);
    for (number, planned) in stage.faults.iter().enumerate() {
        let whom = match planned.reach {
            Reach::All => "all".to_owned(),
            Reach::One(process) => format!("process {process}"),
        };
        let at = world.clock.now() / 1000;
        (options.say)(&format!(
            "stage {} fault {number} at {at} ms: {} for {} ms ({whom})",
            stage.number,
            planned.kind,
            planned.lasts.as_millis()
        ));
        let fault = inject(world, *planned, late)?;
        faults.push(Fault { loses_state: stage.append_only.loses_by(planned.kind), ..fault });
        sleep(planned.rest);
        revive(world)?;
    }
    Ok(faults)
}

/// A process must not end by itself; where one has, that is noted, and it is started again.
fn revive(world: &mut World) -> Result<(), ChaosError> {
    let mut complaints = Vec::new();
    for process in world.hit(Reach::All) {
        if let Some(complaint) = process.died() {
            complaints.push(complaint);
            process.kill9();
            process.launch()?;
        }
    }
    world.complaints.extend(complaints);
    Ok(())
}
