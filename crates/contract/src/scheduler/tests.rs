//! That the scheduler plays every order, once.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
};

use super::*;

/// Plays every schedule of actors that take these steps; gives how many ran and the different orders seen at each place.
async fn explore(actors: &[&[Place]], orders: Orders, fate: Fate) -> (usize, HashSet<String>) {
    let (mut queue, mut runs, mut seen) = (vec![Branch::default()], 0, HashSet::new());
    while let Some(branch) = queue.pop() {
        let log = Arc::new(Mutex::new(String::new()));
        let make = |(index, steps): (usize, &&[Place])| {
            let (log, steps) = (Arc::clone(&log), steps.to_vec());
            let make: Box<dyn FnOnce(Turn) -> Actor + Send> = Box::new(move |turn| {
                Box::pin(async move {
                    for place in steps {
                        turn.step(place).await;
                        let entry = format!("{index}{} ", place == Place::Cache);
                        log.lock().unwrap().push_str(&entry);
                    }
                })
            });
            make
        };
        let actors = actors.iter().enumerate().map(make).collect();
        let run = play(branch, (orders, fate), actors, || async { log.lock().unwrap().push_str("! ") }).await;
        queue.extend(run.branches);
        if run.complete {
            runs += 1;
            seen.insert(log.lock().unwrap().clone());
        }
    }
    (runs, seen)
}

#[tokio::test]
async fn every_order_of_steps_that_influence_each_other_is_played_once() {
    let three = [Place::Cache; 3];
    let (runs, seen) = explore(&[&three, &three], Orders::Distinct, Fate::Kind).await;
    assert_eq!((runs, seen.len()), (20, 20), "6! / (3! 3!)");
    let (runs, _) =
        explore(&[&[Place::Cache], &[Place::StoreWrite], &[Place::StoreRead]], Orders::Distinct, Fate::Kind)
            .await;
    assert_eq!(runs, 2, "only write and read see each other");
    let mixed: &[&[Place]] = &[&[Place::Cache, Place::StoreRead], &[Place::Cache, Place::StoreWrite]];
    let ((all, _), (distinct, _)) =
        (explore(mixed, Orders::All, Fate::Kind).await, explore(mixed, Orders::Distinct, Fate::Kind).await);
    assert_eq!((all, distinct), (6, 4), "the first step of one and the last of the other may be swapped");
    let (runs, _) =
        explore(&[&[Place::StoreRead; 2], &[Place::StoreRead; 2]], Orders::Distinct, Fate::Kind).await;
    assert_eq!(runs, 1);
}

#[tokio::test]
async fn a_strike_comes_before_every_step_and_a_crash_after_every_step() {
    let two = [Place::Cache; 2];
    let (runs, seen) = explore(&[&two], Orders::Distinct, Fate::Strike).await;
    assert_eq!((runs, seen.len()), (3, 3), "no strike, or before either step");
    let (_, seen) = explore(&[&two, &[Place::Cache]], Orders::Distinct, Fate::Crash).await;
    let expected =
        ["0true 0true 1true ", "0true 1true 0true ", "1true 0true 0true ", "0true 1true ", "1true 0true "];
    assert_eq!(seen, expected.map(String::from).into());
}
