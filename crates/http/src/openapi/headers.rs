//! The headers of answers: what each one means, and which are on all.

use serde_json::Value;
use utoipa::openapi::{
    Header, HeaderBuilder, Object, ObjectBuilder, OpenApi, Ref, RefOr, Response, Type, extensions::Extensions,
};

use super::{methods, schemas::one_of};

/// What a header's value is.
enum Kind {
    Text,
    Number,
    OneOf(&'static [&'static str]),
}

use Kind::{Number, OneOf, Text};

/// On every answer.
const OF_ALL: [(&str, &str); 3] = [
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Request-Id", "5f0c4d2e9a7b31c600000007"),
];

const KNOWN: [(&str, Kind, &str); 19] = [
    ("Allow", Text, "The methods that the path has."),
    ("Cache-Control", OneOf(&["no-store"]), "All that is said here is true for the moment only."),
    (
        "RateLimit",
        Text,
        "Of each window by its name: `r`, what is left of it, and `t`, in how many seconds all of it is free again.",
    ),
    (
        "RateLimit-Limit",
        Text,
        "With `headers = \"draft-03\"`: the quota of the nearest window, and of all with their seconds.",
    ),
    ("RateLimit-Policy", Text, "Each window by its name: `q`, its quota, and `w`, its length in seconds."),
    ("RateLimit-Remaining", Number, "With `headers = \"draft-03\"`: what is left of the nearest window."),
    (
        "RateLimit-Reset",
        Number,
        "With `headers = \"draft-03\"`: in how many seconds the nearest window is free again.",
    ),
    ("Retry-After", Number, "In how many seconds to try again; a call that was limited is admitted then."),
    ("Set-Cookie", Text, "The session as a cookie, or the end of it; where `session.cookie` is on."),
    ("WWW-Authenticate", Text, "How to authenticate (RFC 6750); `error` only where a credential came."),
    ("X-Content-Type-Options", OneOf(&["nosniff"]), "The body is of the type that is said."),
    ("X-RateLimit-Limit", Number, "With `headers = \"x-ratelimit\"`: the quota of the nearest window."),
    (
        "X-RateLimit-Remaining",
        Number,
        "With `headers = \"x-ratelimit\"`: what is left of the nearest window.",
    ),
    (
        "X-RateLimit-Reset",
        Number,
        "With `headers = \"x-ratelimit\"`: in how many seconds the nearest window is free again.",
    ),
    (
        "X-Request-Id",
        Text,
        "The request's id: the caller's own, where it is short and plain, else a new one.",
    ),
    ("X-Tollbar-Problem", Text, "The problem that other proxies get as a body, in JSON."),
    ("X-Tollbar-Reason", OneOf(&["unauthenticated", "limited", "forbidden"]), "Why the request is denied."),
    ("X-Tollbar-Session", Text, "Which session it is; empty where nobody is known."),
    ("X-Tollbar-User", Text, "The id of who calls; empty where nobody is known."),
];

/// Whether every answer has it.
pub(super) fn is_of_all(name: &str) -> bool {
    OF_ALL.iter().any(|(known, _)| known.eq_ignore_ascii_case(name))
}

/// A header by its name as it is usually written, with such a value. A description that lacks it fails a test.
pub(super) fn header(name: &str, value: &str, required: bool) -> (String, Header) {
    let known = KNOWN.iter().find(|(known, ..)| known.eq_ignore_ascii_case(name));
    let (name, kind, says) = known.map_or((name, &Text, ""), |(name, kind, says)| (*name, kind, *says));
    let (schema, example) = match kind {
        Text => (Object::with_type(Type::String), Value::from(value)),
        OneOf(values) => (one_of(values.iter().copied()), Value::from(value)),
        Number => {
            let number = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0)).build();
            (number, value.parse::<u64>().map_or_else(|_| Value::from(value), Value::from))
        }
    };
    let mut header = HeaderBuilder::new()
        .schema(Some(schema))
        .description((!says.is_empty()).then_some(says))
        .example(Some(example));
    if required {
        // The model lacks this member of OpenAPI's.
        header = header.extensions(Some(Extensions::from_iter([("required", true)])));
    }
    (name.to_owned(), header.build())
}

/// Those that every answer has.
pub(super) fn of_all() -> impl Iterator<Item = (String, RefOr<Header>)> {
    OF_ALL.into_iter().map(|(name, value)| header(name, value, true)).map(|(name, it)| (name, it.into()))
}

/// Says of each answer that it has them.
pub(super) fn add_those_of_all(api: &mut OpenApi) {
    let add = |response: &mut RefOr<Response>| {
        if let RefOr::T(response) = response {
            for (name, _) in OF_ALL {
                let place = Ref::new(format!("#/components/headers/{name}"));
                response.headers.insert(name.to_owned(), RefOr::Ref(place));
            }
        }
    };
    api.components.iter_mut().flat_map(|all| all.responses.values_mut()).for_each(add);
    for operation in api.paths.paths.values_mut().flat_map(methods::of).filter_map(|(_, it)| it.as_mut()) {
        operation.responses.responses.values_mut().for_each(add);
    }
}
