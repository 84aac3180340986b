//! What requests may say besides their bodies.

use tollbar_core::usecases::TOP_MOST;
use utoipa::{
    IntoParams,
    openapi::{
        Object, ObjectBuilder, OpenApi, Ref, RefOr, Required, Type,
        path::{Parameter, ParameterBuilder, ParameterIn},
    },
};

use super::schemas::{by, step, window};
use crate::handlers::calls_query;

/// The name of the one that every request may have.
pub(super) const REQUEST_ID: &str = "X-Request-Id";

macro_rules! parameters {
    ($($(#[$doc:meta])* $set:ident = $parameters:expr;)+) => {
        $(
            $(#[$doc])*
            pub(crate) struct $set;

            impl IntoParams for $set {
                fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
                    $parameters.into_iter().map(Parameter::from).collect()
                }
            }
        )+
    };
}

parameters! {
    /// Of `/top`.
    OfTop = calls_query::OF_TOP.map(of_query);
    /// Of `/count`.
    OfCount = calls_query::OF_COUNT.map(of_query);
    /// Of `/calls`.
    OfSeries = calls_query::OF_SERIES.map(of_query);
    /// What a trusted proxy says of a client.
    Forwarded = [
        header("X-Forwarded-For", "Where the client is; each trusted proxy adds at its end whom it heard.", "198.51.100.7"),
        header("X-Forwarded-Host", "The host that the client asked for, where `Host` is another.", "api.example.com"),
        header("X-Forwarded-Proto", "`http` or `https`.", "https"),
    ];
}

/// A parameter of a query by its name, which is one of those that are read.
fn of_query(name: &str) -> Parameter {
    let (schema, says, example) = match name {
        "window" => (window(), "How far to look back; all time where it is not said.", "7d".into()),
        "by" => (by(), "Who called most, or who was limited most.", "limited".into()),
        "step" => {
            (step(), "The finest that is kept for the whole window, where it is not said.", "hour".into())
        }
        "limit" => (places(), "How many places; 10 where it is not said.", 3.into()),
        _ => (
            api(),
            "Of which API; that of `/ping` where none is named. Names are those of the policies.",
            "ping".into(),
        ),
    };
    let optional =
        ParameterBuilder::new().name(name).parameter_in(ParameterIn::Query).required(Required::False);
    optional.description(Some(says)).schema(Some(schema)).example(Some(example)).build()
}

// No default that clients would send of themselves: with any parameter, an answer has another form than without.
fn places() -> Object {
    let number = ObjectBuilder::new().schema_type(Type::Integer);
    number.minimum(Some(1)).maximum(Some(TOP_MOST)).build()
}

fn api() -> Object {
    let name = ObjectBuilder::new().schema_type(Type::String).pattern(Some("^[a-z0-9._-]+$"));
    name.min_length(Some(1)).max_length(Some(64)).build()
}

fn header(name: &str, says: &str, example: &str) -> ParameterBuilder {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(says))
        .schema(Some(Object::with_type(Type::String)))
        .example(Some(example.into()))
}

/// The one that every request may have.
pub(super) fn request_id() -> Parameter {
    let says = "An id of the caller's own for this request: 1 to 64 letters, digits and `-`, `_`, `.`. Another is not taken.";
    header(REQUEST_ID, says, "checkout-7").build()
}

/// Says of each path that its requests may have it.
pub(super) fn add_those_of_all(api: &mut OpenApi) {
    for item in api.paths.paths.values_mut() {
        let place = Ref::new(format!("#/components/parameters/{REQUEST_ID}"));
        item.parameters.get_or_insert_default().push(RefOr::Ref(place));
    }
}
