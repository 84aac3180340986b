//! One annotation may be for several methods of a path; in a description each of them is an operation of its own.

use std::collections::BTreeMap;

use utoipa::openapi::{OpenApi, PathItem, RefOr, Response, path::Operation};

/// The operations of a path, by the ends that tell their ids apart.
pub(super) fn of(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Option<Operation>)> {
    [
        ("", &mut item.get),
        ("Head", &mut item.head),
        ("Post", &mut item.post),
        ("Put", &mut item.put),
        ("Delete", &mut item.delete),
        ("Options", &mut item.options),
        ("Patch", &mut item.patch),
        ("Trace", &mut item.trace),
    ]
    .into_iter()
}

/// Gives each operation an id that no other has, and takes the bodies from what HEAD is answered.
pub(super) fn tell_apart(api: &mut OpenApi) {
    let shared = api.components.as_ref().map(|components| components.responses.clone()).unwrap_or_default();
    for item in api.paths.paths.values_mut() {
        let several = of(item).filter(|(_, operation)| operation.is_some()).count() > 1;
        for (end, operation) in of(item) {
            let Some(operation) = operation else { continue };
            if several {
                operation.operation_id.iter_mut().for_each(|id| id.push_str(end));
            }
            if end == "Head" {
                operation.responses.responses.values_mut().for_each(|answer| bare(answer, &shared));
            }
        }
    }
}

/// The same answer without a body.
fn bare(answer: &mut RefOr<Response>, shared: &BTreeMap<String, RefOr<Response>>) {
    if let RefOr::Ref(place) = answer
        && let Some(found) = place.ref_location.rsplit('/').next().and_then(|name| shared.get(name))
    {
        *answer = found.clone();
    }
    if let RefOr::T(answer) = answer {
        answer.content.clear();
    }
}
