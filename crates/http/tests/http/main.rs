//! The HTTP API over mocked ports: exact bytes, headers and statuses.
#![allow(clippy::unwrap_used, reason = "a test may stop at what it did not expect")]

mod accounts;
mod authz;
mod bad_input;
mod calls;
mod conformance;
mod cookies;
mod described;
mod guarded;
mod health;
mod request_id;
mod support;
mod trace_context;
mod windows;
