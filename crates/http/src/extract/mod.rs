//! What handlers ask of a request: one JSON object.

mod body;
mod json;

pub use body::{BODY_LIMIT, BodyTimeout};
pub use json::ApiJson;
