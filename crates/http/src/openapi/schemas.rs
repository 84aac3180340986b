//! Schemas of what is text in the code and has few values.

use serde::Serialize;
use tollbar_core::{domain::Step, usecases::CallWindow};
use utoipa::{
    ToSchema,
    openapi::{Object, ObjectBuilder, Type},
};

use crate::handlers::{calls_query, health};

/// It worked, and there is nothing to say.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({}))]
pub(crate) struct Done {}

/// One of these texts.
pub(crate) fn one_of(values: impl IntoIterator<Item = &'static str>) -> Object {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(values)).build()
}

fn said(says: &str, mut of: Object) -> Object {
    of.description = Some(says.to_owned());
    of
}

/// A window of time.
pub(crate) fn window() -> Object {
    said("The window that is told of.", one_of(CallWindow::ALL.map(CallWindow::name)))
}

/// A step in time.
pub(crate) fn step() -> Object {
    said("How long a step is.", one_of(Step::ALL.map(calls_query::name_of)))
}

/// What callers are ranked by.
pub(crate) fn by() -> Object {
    said(
        "Calls that were let through, or calls over a limit.",
        one_of(calls_query::RANKED_BY.map(|(name, _)| name)),
    )
}

/// What of the service can be served.
pub(crate) fn readiness() -> Object {
    said("`degraded`: not all can be served.", one_of(health::READINESS))
}

/// Each dependency and its state, by name.
pub(crate) fn tiers() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some("Each dependency and its state."))
        .additional_properties(Some(utoipa::openapi::Schema::Object(one_of(["up", "down"]))))
        .build()
}
