//! Tollbar's routes, extractors and errors for any actix-web app.
#![doc = include_str!("../README.md")]

mod answer;
mod error;
mod extract;
mod guard;
mod handlers;
mod request_span;
mod routes;
mod sentence;
mod services;

pub use error::ApiError;
pub use extract::{ApiJson, BODY_LIMIT, Bearer, BodyTimeout};
pub use guard::{Admitted, Guard};
pub use request_span::{REQUEST_ID, request_span};
pub use routes::{configure, not_found};
pub use services::{Services, Shutdown};
