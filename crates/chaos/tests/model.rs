//! The models in the small size: the protocols keep their promises, and no rule of theirs can go.
#![expect(clippy::print_stdout, reason = "traces are what a reader of the output wants to see")]

use std::num::NonZeroUsize;

use tollbar_chaos::model::{Protocol, Scale, counting::Counting, explore, refute, sessions::Sessions};

fn keeps_its_promises<P: Protocol>() {
    for model in P::whole(Scale::Small) {
        let bounds = model.bounds();
        let report = explore(model, NonZeroUsize::MIN);
        println!("{}: {} states: {bounds}", P::NAME, report.states);
        if let Some(violation) = report.violation {
            panic!("{bounds}\n{violation}");
        }
        assert!(report.unreached.is_empty(), "{bounds}: never: {:?}", report.unreached);
    }
}

fn every_rule_is_needed<P: Protocol>() {
    for variant in P::naive() {
        let violation = refute(&variant.model);
        assert_eq!(violation.as_ref().map(|violation| violation.promise), variant.breaks, "{}", variant.flaw);
        if let Some(violation) = violation {
            println!("{}\n{violation}\n", variant.flaw);
            assert!(!violation.trace.is_empty(), "{} fails without a step", variant.flaw);
        }
    }
}

#[test]
fn the_session_protocol_keeps_its_promises() {
    keeps_its_promises::<Sessions>();
}

#[test]
fn every_rule_of_the_session_protocol_is_needed() {
    every_rule_is_needed::<Sessions>();
}

#[test]
fn the_counting_protocol_keeps_its_promises() {
    keeps_its_promises::<Counting>();
}

#[test]
fn every_rule_of_the_counting_protocol_is_needed() {
    every_rule_is_needed::<Counting>();
}
