//! One handler a route; what they know is in the use cases.

pub(crate) mod accounts;
pub(crate) mod authz;
pub(crate) mod calls;
mod calls_answers;
pub(crate) mod calls_query;
pub(crate) mod description;
pub(crate) mod health;
