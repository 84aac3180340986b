//! Faults, injected and survived: a run that breaks everything Tollbar stands on, one thing at a time, and a checker that reads
//! what happened and counts every promise that was not kept. And models of the protocols that keep them, explored in every order.

pub mod checker;
pub mod harness;
pub mod history;
pub mod model;
