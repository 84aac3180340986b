//! Tollbar's routes, extractors and errors for any actix-web app.
#![doc = include_str!("../README.md")]

mod answer;
mod error;
mod extract;
mod guard;
mod handlers;
mod incoming;
mod measured;
mod openapi;
mod request_id;
mod request_span;
mod routes;
mod services;
mod trace_context;

pub use error::ApiError;
pub use extract::{ApiJson, BODY_LIMIT, BodyTimeout};
pub use guard::{CurrentUser, Guard, Guarded};
pub use openapi::openapi;
pub use request_span::{REQUEST_ID, request_span, unmeasured_request_span};
pub use routes::{configure, not_found};
pub use services::{Services, Shutdown};
pub use tollbar_wire::{Bar, BarOptions, Denial, HeaderFormat, TrustedProxies};
pub use trace_context::TraceContext;
