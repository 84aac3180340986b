//! Holds an answer to the description of the API: status, headers and body.

use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::support::Answer;

/// Methods that a description can tell of.
pub(crate) const METHODS: [&str; 8] = ["get", "head", "post", "put", "delete", "options", "patch", "trace"];

/// Headers that are HTTP's own.
const OF_HTTP: [&str; 3] = ["content-type", "content-length", "connection"];

/// The description.
pub(crate) fn document() -> &'static Value {
    static DOCUMENT: LazyLock<Value> =
        LazyLock::new(|| serde_json::from_str(tollbar_http::openapi()).unwrap());
    &DOCUMENT
}

/// What is there, or at the place that it refers to.
pub(crate) fn resolve(value: &'static Value) -> &'static Value {
    match value["$ref"].as_str() {
        Some(place) => {
            let found = document().pointer(place.strip_prefix('#').unwrap());
            resolve(found.unwrap_or_else(|| panic!("nothing is at {place}")))
        }
        None => value,
    }
}

/// The methods that are described of a path.
pub(crate) fn methods(item: &Value) -> Vec<&'static str> {
    METHODS.into_iter().filter(|method| !item[*method].is_null()).collect()
}

/// What is wrong with a value by a schema of the description.
pub(crate) fn mistakes(schema: &Value, value: &Value) -> Vec<String> {
    let mut schema = schema.clone();
    // So that what it refers to is where it says.
    schema["components"] = document()["components"].clone();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    validator.iter_errors(value).map(|error| error.to_string()).collect()
}

fn item(path: &str) -> Option<&'static Value> {
    let paths = document()["paths"].as_object().unwrap();
    let fits = |template: &str| match template.split_once('{') {
        Some((before, _)) => path.starts_with(before),
        None => path == template,
    };
    paths.iter().find(|(template, _)| fits(template)).map(|(_, item)| item)
}

/// Fails where the answer is another than any that is described.
pub(crate) fn check(method: &str, path: &str, answer: &Answer) {
    let what = format!("{method} {path}: {} {:?} {}", answer.status, answer.headers, answer.body);
    let status = answer.status.as_u16();
    let described = match item(path).map(|item| (item, &item[method.to_lowercase()])) {
        None => {
            assert_eq!(status, 404, "a path that is not described: {what}");
            return;
        }
        Some((item, Value::Null)) => {
            // Those that are not OpenAPI's reach a route that takes all methods.
            if methods(item).len() < METHODS.len() {
                assert_eq!(status, 405, "a method that is not described: {what}");
                let allow = answer.header("allow").unwrap().to_lowercase();
                assert_eq!(allow.split(", ").collect::<Vec<_>>(), methods(item), "{what}");
                let problem = &document()["components"]["schemas"]["Problem"];
                assert_eq!(mistakes(problem, &answer.json()), [""; 0], "{what}");
            }
            return;
        }
        Some((_, operation)) => &operation["responses"][status.to_string()],
    };
    assert!(!described.is_null(), "a status that is not described: {what}");
    let described = resolve(described);
    let headers = described["headers"].as_object().unwrap();
    for (name, header) in headers {
        let header = resolve(header);
        match answer.header(name) {
            None => assert_ne!(header["required"], true, "{name} is missing: {what}"),
            Some(text) => {
                let number = header["schema"]["type"] == "integer";
                let value = if number { json!(text.parse::<i64>().unwrap()) } else { json!(text) };
                assert_eq!(mistakes(&header["schema"], &value), [""; 0], "{name}: {what}");
            }
        }
    }
    for name in answer.headers.keys().filter(|name| !OF_HTTP.contains(&name.as_str())) {
        let known = headers.keys().any(|known| known.eq_ignore_ascii_case(name.as_str()));
        assert!(known, "{name} is not described: {what}");
    }
    // What is sent for HEAD ends with its head.
    if method == "HEAD" {
        return;
    }
    match &described["content"] {
        Value::Null => assert_eq!(answer.body, "", "a body that is not described: {what}"),
        content => {
            let schema = &content[answer.header("content-type").unwrap()]["schema"];
            assert!(!schema.is_null(), "a content type that is not described: {what}");
            assert_eq!(mistakes(schema, &answer.json()), [""; 0], "{what}");
        }
    }
}
