//! Explores the models in the large size, then shows how each naive variant fails.
#![expect(clippy::print_stdout, reason = "a command line tool talks to its terminal")]

use std::{num::NonZeroUsize, process::ExitCode, thread};

use tollbar_chaos::model::{
    Protocol, Report, Scale, counting::Counting, explore, refute, sessions::Sessions,
};

fn main() -> ExitCode {
    let threads = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let holds =
        [whole::<Sessions>(threads), whole::<Counting>(threads), naive::<Sessions>(), naive::<Counting>()];
    if holds.into_iter().all(|holds| holds) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Whether the protocol keeps its promises.
fn whole<P: Protocol>(threads: NonZeroUsize) -> bool {
    println!("The protocol of {}\n\n    states  depth  seconds", P::NAME);
    let (mut holds, mut states) = (true, 0);
    for model in P::whole(Scale::Large) {
        let bounds = model.bounds();
        let report = explore(model, threads);
        let Report { states: met, depth, elapsed, violation, unreached } = &report;
        let outcome = if violation.is_none() && unreached.is_empty() { "holds" } else { "FAILS" };
        println!("{met:>10} {depth:>6} {:>8.1}  {outcome}: {bounds}", elapsed.as_secs_f64());
        if let Some(violation) = violation {
            println!("{violation}");
        }
        if !unreached.is_empty() {
            println!("  never: {}", unreached.join(", "));
        }
        holds &= outcome == "holds";
        states += met;
    }
    println!("{states:>10} states in all\n");
    holds
}

/// Whether each variant does what is said of it.
fn naive<P: Protocol>() -> bool {
    println!("Naive variants of {}\n", P::NAME);
    let mut as_said = true;
    for variant in P::naive() {
        let violation = refute(&variant.model);
        as_said &= violation.as_ref().map(|violation| violation.promise) == variant.breaks;
        println!("- {} ({})", variant.flaw, variant.model.bounds());
        match violation {
            Some(violation) => println!("{violation}\n"),
            None => println!("  breaks nothing: the rule is there for caution\n"),
        }
    }
    as_said
}
