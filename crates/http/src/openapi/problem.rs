//! The schema of every error's body. What is answered is held to it by the tests of this crate.

use utoipa::openapi::{Object, ObjectBuilder, RefOr, Schema, SchemaFormat, Type, schema::ArrayBuilder};

use super::schemas::tiers;

/// Why a request was not served.
pub(super) fn schema() -> RefOr<Schema> {
    let about = "Why a request was not served: problem details (RFC 9457).";
    let status = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(400))
        .maximum(Some(599))
        .description(Some("The status of the answer, again."));
    let windows = ArrayBuilder::new().items(text("A window's name.")).description(Some(
        "Of a limit: the windows that deny the call (draft-ietf-httpapi-ratelimit-headers-11).",
    ));
    let mut dependencies = tiers();
    dependencies.description =
        Some("Of a service that is not ready: each dependency and its state.".to_owned());
    ObjectBuilder::new()
        .description(Some(about))
        .property("type", kind())
        .property("title", text("What kind of problem it is, in short."))
        .property("status", status)
        .property("detail", text("The same as `error`."))
        .property("error", text("What is wrong, in a sentence for people."))
        .property("requestId", text("The answer's `X-Request-Id`."))
        .property("dependencies", dependencies)
        .property("violated-policies", windows)
        .required("type")
        .required("title")
        .required("status")
        .required("detail")
        .required("error")
        .into()
}

fn kind() -> Object {
    let format = SchemaFormat::Custom("uri-reference".to_owned());
    let says = "What kind of problem it is, for programs; `about:blank` where the status says all.";
    ObjectBuilder::new().schema_type(Type::String).format(Some(format)).description(Some(says)).build()
}

fn text(says: &str) -> Object {
    ObjectBuilder::new().schema_type(Type::String).description(Some(says)).build()
}
