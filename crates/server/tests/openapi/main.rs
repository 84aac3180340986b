//! The API's description against the running service: a client that is generated from it, and requests that are made up by it.
#![allow(clippy::unwrap_used, reason = "a test may stop at what it did not expect")]

mod generated_client;
mod made_up_requests;
#[allow(dead_code, reason = "other tests use the rest")]
#[path = "../service/process.rs"]
mod process;
#[allow(dead_code, reason = "other tests use the rest")]
#[path = "../service/support.rs"]
mod support;
#[allow(dead_code, reason = "other tests use the rest")]
#[path = "../service/tiers.rs"]
mod tiers;
mod tool;
