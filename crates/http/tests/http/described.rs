//! The description and the routes agree, in both directions; and what is described is sound.

use std::collections::BTreeSet;

use actix_web::{
    App, HttpRequest,
    http::Method,
    test::{TestRequest, call_and_read_body, init_service},
    web,
};
use serde_json::Value;
use tollbar_core::domain::{ApiName, Password, Username};
use tollbar_http::configure;

use crate::{
    conformance::{METHODS, document, methods, mistakes, resolve},
    support::{Ports, ask},
};

/// Ports that answer whatever the routes ask.
fn ports() -> Ports {
    let mut ports = Ports::new();
    ports.tracker.expect_distinct().returning(|_| Ok(1));
    ports.tracker.expect_top().returning(|_, _| Ok(vec![]));
    ports.history.expect_series().returning(|_, _, _, _| Ok(vec![]));
    ports.durable.expect_check().returning(|| Ok(()));
    ports.live.expect_check().returning(|| Ok(()));
    ports
}

fn paths() -> impl Iterator<Item = (&'static String, &'static Value)> {
    document()["paths"].as_object().unwrap().iter()
}

/// Every operation, and what it is called in messages.
fn operations() -> impl Iterator<Item = (String, &'static Value)> {
    paths().flat_map(|(path, item)| {
        methods(item).into_iter().map(move |method| (format!("{method} {path}"), &item[method]))
    })
}

#[actix_web::test]
async fn what_is_described_is_mounted_and_nothing_else_is_there() {
    for (path, item) in paths() {
        for method in METHODS.into_iter().chain(["brew"]) {
            let asked = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let request = TestRequest::with_uri(&path.replace("{path}", "a/b")).method(asked);
            // Holds the answer to its description, and a method that is not described to a 405 that names those that are.
            let answer = ask(ports().services(), request).await;
            if methods(item).contains(&method) {
                assert!(![404, 405].contains(&answer.status.as_u16()), "{method} {path} is not mounted");
            }
        }
    }
}

#[actix_web::test]
async fn what_is_mounted_is_described() {
    // actix tells its routes to nobody but debuggers.
    let told = web::to(|request: HttpRequest| async move { format!("{:?}", request.resource_map()) });
    let app = init_service(App::new().configure(configure(ports().services())).default_service(told)).await;
    let told = call_and_read_body(&app, TestRequest::with_uri("/nowhere").to_request()).await;
    let told = String::from_utf8(told.to_vec()).unwrap();
    let mut mounted = BTreeSet::new();
    for patterns in told.split("patterns: ").skip(1) {
        let patterns = patterns.split_once("is_prefix").expect("a debug form as it was").0;
        mounted.extend(patterns.split('"').skip(1).step_by(2).map(|path| path.replace(":.*}", "}")));
    }
    // The app itself.
    assert!(mounted.remove(""), "{told}");
    assert_eq!(mounted, paths().map(|(path, _)| path.clone()).collect());
}

#[actix_web::test]
async fn it_is_openapi_3_1_and_served_as_it_is() {
    let answer = ask(ports().services(), TestRequest::with_uri("/openapi.json")).await;
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.body, tollbar_http::openapi());
    assert!(document()["openapi"].as_str().unwrap().starts_with("3.1."));
    assert_eq!(document()["info"]["version"], env!("CARGO_PKG_VERSION"));
}

/// Everything in the document, with its place.
fn walk(place: &str, value: &'static Value, each: &mut impl FnMut(&str, &'static Value)) {
    each(place, value);
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(name, value)| walk(&format!("{place}/{name}"), value, each));
        }
        Value::Array(items) => items.iter().for_each(|value| walk(place, value, each)),
        _ => {}
    }
}

#[test]
fn whatever_is_referred_to_is_there_and_is_needed() {
    let mut needed = BTreeSet::new();
    walk("", document(), &mut |_, value| {
        if let Some(place) = value["$ref"].as_str() {
            resolve(value);
            needed.insert(place.to_owned());
        }
    });
    for kind in ["schemas", "responses", "headers", "parameters"] {
        for name in document()["components"][kind].as_object().unwrap().keys() {
            let place = format!("#/components/{kind}/{name}");
            assert!(needed.contains(&place), "nothing refers to {place}");
        }
    }
}

#[test]
fn every_operation_says_what_it_is_for_and_has_an_id_of_its_own() {
    let mut ids = BTreeSet::new();
    let tags: Vec<_> = document()["tags"].as_array().unwrap().iter().map(|tag| &tag["name"]).collect();
    let schemes = document()["components"]["securitySchemes"].as_object().unwrap();
    for (what, operation) in operations() {
        assert!(ids.insert(operation["operationId"].as_str().unwrap()), "{what}");
        assert!(operation["summary"].is_string() && operation["description"].is_string(), "{what}");
        assert!(tags.contains(&&operation["tags"][0]), "{what}");
        let asked = operation["security"].as_array().into_iter().flatten();
        for name in asked.flat_map(|one| one.as_object().unwrap().keys()) {
            assert!(schemes.contains_key(name), "{what}: {name}");
        }
        let responses = operation["responses"].as_object().unwrap();
        assert!(responses.contains_key("500"), "{what}: whatever runs may be mistaken");
        for (status, response) in responses {
            let response = resolve(response);
            assert!(response["description"].as_str().is_some_and(|says| !says.is_empty()), "{what} {status}");
            for (name, header) in response["headers"].as_object().unwrap() {
                assert!(resolve(header)["description"].is_string(), "{what} {status} {name}");
            }
            let headed = what.starts_with("head ");
            let nginx = what.ends_with("/authz/nginx");
            let bodiless =
                headed || nginx || status == "204" || (what.contains("/authz/") && status == "200");
            assert_eq!(response["content"].is_null(), bodiless, "{what} {status}");
        }
    }
    assert!(ids.len() > 40, "{ids:?}");
}

#[test]
fn every_example_is_one() {
    let mut seen = 0;
    let mut check = |place: &str, schema: &Value, value: &Value| {
        assert_eq!(mistakes(schema, value), [""; 0], "{place}: {value}");
        seen += 1;
    };
    walk("", document(), &mut |place, value| {
        // A media type, a parameter or a header.
        if value["schema"].is_object() {
            let many = value["examples"].as_object().into_iter().flat_map(|all| all.values());
            many.for_each(|example| check(place, &value["schema"], &example["value"]));
            if !value["example"].is_null() {
                check(place, &value["schema"], &value["example"]);
            }
        } else if (value["type"].is_string() || value["properties"].is_object())
            && !value["example"].is_null()
        {
            check(place, value, &value["example"]);
        }
    });
    assert!(seen > 200, "{seen}");
}

#[test]
fn every_member_of_a_body_is_explained() {
    let schemas = document()["components"]["schemas"].as_object().unwrap();
    let mut members = 0;
    for (name, schema) in schemas {
        assert!(schema["description"].is_string(), "{name}");
        let parts = schema["allOf"].as_array().into_iter().flatten().chain([schema]);
        for (member, said) in parts.filter_map(|part| part["properties"].as_object()).flatten() {
            assert!(said["description"].is_string() || !said["$ref"].is_null(), "{name} {member}");
            members += 1;
        }
    }
    assert!(members > 30, "{members}");
}

#[test]
fn every_body_has_an_example() {
    for (what, operation) in operations() {
        let bodies = operation["responses"].as_object().unwrap().values().map(|it| &resolve(it)["content"]);
        let bodies = bodies.chain([&operation["requestBody"]["content"]]).filter_map(Value::as_object);
        for (media, body) in bodies.flatten() {
            let has = |value: &Value| !value["example"].is_null() || !value["examples"].is_null();
            let members = || resolve(&body["schema"])["properties"].as_object();
            let by_member =
                || members().is_some_and(|all| all.values().all(|it| has(it) || !it["enum"].is_null()));
            let whole = what.ends_with("/openapi.json") && media == "application/json";
            assert!(whole || has(body) || has(resolve(&body["schema"])) || by_member(), "{what} {media}");
        }
    }
}

#[test]
fn names_and_passwords_are_as_long_as_they_may_be() {
    let members = &document()["components"]["schemas"]["Account"]["properties"];
    let length = |member: &str, end: &str| usize::try_from(members[member][end].as_u64().unwrap()).unwrap();
    let name = |length| Username::new("a".repeat(length)).is_ok();
    let password = |length| Password::new("a".repeat(length)).is_ok();
    let (shortest, longest) = (length("username", "minLength"), length("username", "maxLength"));
    assert_eq!([shortest - 1, shortest, longest, longest + 1].map(name), [false, true, true, false]);
    let (shortest, longest) = (length("password", "minLength"), length("password", "maxLength"));
    assert_eq!([shortest - 1, shortest, longest, longest + 1].map(password), [false, true, true, false]);
    for character in (0..=255_u8).map(char::from) {
        let name = character.to_string();
        let taken = mistakes(&members["username"], &name.clone().into()).is_empty();
        assert_eq!(taken, Username::new(name).is_ok(), "{character:?}");
    }
}

#[test]
fn parameters_are_those_that_are_read() {
    let top = document()["paths"]["/top"]["get"]["parameters"].as_array().unwrap();
    let names: Vec<_> = top.iter().map(|parameter| parameter["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["api", "window", "by", "limit"]);
    let api = &top[0]["schema"];
    for name in ["ping", "a.b_c-9", &"a".repeat(64), "", "Ping", "a b", "ü", &"a".repeat(65)] {
        assert_eq!(mistakes(api, &name.into()).is_empty(), ApiName::new(name).is_ok(), "{name}");
    }
    let limit = &top[3]["schema"];
    assert_eq!((&limit["minimum"], &limit["maximum"]), (&1.into(), &100.into()));
}

#[test]
fn no_parameter_has_a_default_that_would_be_sent_unasked() {
    // `/top?limit=10` is answered in another form than `/top`.
    walk("", &document()["paths"], &mut |place, value| {
        assert!(value["in"].is_null() || value["schema"]["default"].is_null(), "{place} {value}");
    });
}
