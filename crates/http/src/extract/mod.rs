//! What handlers ask of a request: one credential, one JSON object.

mod bearer;
mod body;
mod json;

pub use bearer::Bearer;
pub use body::{BODY_LIMIT, BodyTimeout};
pub use json::ApiJson;
