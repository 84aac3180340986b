//! What is said of a path: how to ask it, and what it answers.

use actix_web::http::StatusCode;
use serde_json::Value;

use super::{
    page::{marked, plain, resolve, text},
    schema::{kind, named_by},
};

/// In the order in which they are shown.
const METHODS: [&str; 8] = ["get", "head", "post", "put", "delete", "options", "patch", "trace"];

/// A path. Its methods are told together: they do the same.
pub(super) struct Endpoint {
    pub(super) anchor: String,
    pub(super) methods: Vec<String>,
    pub(super) path: String,
    pub(super) summary: String,
    pub(super) about: String,
    pub(super) credentials: Vec<String>,
    /// Whether it can be asked without any of those.
    pub(super) open: bool,
    pub(super) parameters: Vec<Parameter>,
    pub(super) body: Option<Body>,
    pub(super) answers: Vec<Answer>,
    pub(super) curl: String,
}

/// What a request may say besides its body.
pub(super) struct Parameter {
    pub(super) name: String,
    pub(super) place: String,
    pub(super) required: bool,
    pub(super) kind: String,
    pub(super) about: String,
    pub(super) example: String,
}

/// A body that is sent either way.
pub(super) struct Body {
    pub(super) media: String,
    pub(super) about: String,
    /// The schema, where it has a name.
    pub(super) of: Option<String>,
    pub(super) examples: Vec<Example>,
}

/// A body as it may be.
pub(super) struct Example {
    pub(super) name: String,
    pub(super) text: String,
}

/// One of the answers.
pub(super) struct Answer {
    pub(super) status: String,
    /// `good`, or whose fault it is.
    pub(super) class: &'static str,
    pub(super) reason: &'static str,
    pub(super) about: String,
    pub(super) headers: Vec<Header>,
    pub(super) body: Option<Body>,
}

/// A header of an answer.
pub(super) struct Header {
    pub(super) name: String,
    pub(super) always: bool,
    pub(super) about: String,
    pub(super) example: String,
}

/// All paths under a tag.
pub(super) fn endpoints(document: &Value, tag: &str) -> Vec<Endpoint> {
    let paths = document["paths"].as_object().into_iter().flatten();
    let told = paths.filter_map(|(path, item)| {
        let methods: Vec<_> = METHODS.into_iter().filter(|method| !item[*method].is_null()).collect();
        let operation = &item[*methods.first()?];
        let tagged = operation["tags"].as_array().is_some_and(|tags| tags.iter().any(|it| text(it) == tag));
        tagged.then(|| endpoint(document, path, item, &methods))
    });
    told.collect()
}

fn endpoint(document: &Value, path: &str, item: &Value, methods: &[&str]) -> Endpoint {
    let operation = &item[methods[0]];
    let said = [&operation["parameters"], &item["parameters"]].into_iter().filter_map(Value::as_array);
    let parameters: Vec<_> = said.flatten().map(|one| parameter(resolve(document, one))).collect();
    let security = || operation["security"].as_array().into_iter().flatten().filter_map(Value::as_object);
    let credentials: Vec<String> = security().flat_map(|one| one.keys().cloned()).collect();
    let body = body(document, resolve(document, &operation["requestBody"]));
    let answers = operation["responses"].as_object().into_iter().flatten();
    Endpoint {
        anchor: text(&operation["operationId"]).to_owned(),
        methods: methods.iter().map(|method| method.to_uppercase()).collect(),
        path: path.to_owned(),
        summary: text(&operation["summary"]).to_owned(),
        about: marked(text(&operation["description"])),
        curl: curl(path, methods[0], &parameters, !credentials.is_empty(), body.as_ref()),
        open: credentials.is_empty() || security().any(serde_json::Map::is_empty),
        credentials,
        parameters,
        body,
        answers: answers.map(|(status, it)| answer(document, status, resolve(document, it))).collect(),
    }
}

fn parameter(parameter: &Value) -> Parameter {
    Parameter {
        name: text(&parameter["name"]).to_owned(),
        place: text(&parameter["in"]).to_owned(),
        required: parameter["required"] == true,
        kind: kind(&parameter["schema"]),
        about: marked(text(&parameter["description"])),
        example: plain(&parameter["example"]),
    }
}

fn body(document: &Value, said: &Value) -> Option<Body> {
    let (media, content) = said["content"].as_object()?.iter().next()?;
    let named = content["examples"].as_object().into_iter().flatten();
    let example = |name: &str, value: &Value| Example {
        name: name.to_owned(),
        text: serde_json::to_string_pretty(value).unwrap_or_default(),
    };
    let mut examples: Vec<_> =
        named.map(|(name, it)| example(it["summary"].as_str().unwrap_or(name), &it["value"])).collect();
    let schema = resolve(document, &content["schema"]);
    if examples.is_empty() {
        let whole = [&content["example"], &schema["example"]].into_iter().find(|it| !it.is_null()).cloned();
        examples.extend(whole.or_else(|| by_members(schema)).map(|value| example("", &value)));
    }
    let about = marked(text(&said["description"]));
    Some(Body { media: media.clone(), about, of: named_by(&content["schema"]), examples })
}

/// An example that is put together from those of the members.
fn by_members(schema: &Value) -> Option<Value> {
    let example = |(name, member): (&String, &Value)| {
        let value = [&member["example"], &member["enum"][0]].into_iter().find(|value| !value.is_null())?;
        Some((name.clone(), value.clone()))
    };
    schema["properties"].as_object()?.iter().map(example).collect()
}

fn answer(document: &Value, status: &str, said: &Value) -> Answer {
    let headers = said["headers"].as_object().into_iter().flatten();
    let header = |(name, said): (&String, &Value)| {
        let said = resolve(document, said);
        Header {
            name: name.clone(),
            always: said["required"] == true,
            about: marked(text(&said["description"])),
            example: plain(&said["example"]),
        }
    };
    let code = status.parse().ok().and_then(|code| StatusCode::from_u16(code).ok());
    Answer {
        status: status.to_owned(),
        class: match status.as_bytes().first() {
            Some(b'4') => "theirs",
            Some(b'5') => "ours",
            _ => "good",
        },
        reason: code.and_then(|code| code.canonical_reason()).unwrap_or_default(),
        about: marked(text(&said["description"])),
        headers: headers.map(header).collect(),
        body: body(document, said),
    }
}

/// A line for a shell that asks it.
fn curl(path: &str, method: &str, parameters: &[Parameter], credential: bool, body: Option<&Body>) -> String {
    let mut place = path.to_owned();
    for parameter in parameters.iter().filter(|parameter| parameter.place == "path") {
        place = place.replace(&format!("{{{}}}", parameter.name), &parameter.example);
    }
    let query = parameters.iter().filter(|parameter| parameter.place == "query");
    let query: Vec<_> = query.map(|parameter| format!("{}={}", parameter.name, parameter.example)).collect();
    if !query.is_empty() {
        place = format!("{place}?{}", query.join("&"));
    }
    let mut line = vec![format!("curl \"$TOLLBAR{place}\"")];
    if let Some(example) = body.and_then(|body| body.examples.first()) {
        let compact = serde_json::from_str::<Value>(&example.text).map(|value| value.to_string());
        line.push(format!("--json '{}'", compact.unwrap_or_default()));
    } else if method != "get" {
        line.push(format!("-X {}", method.to_uppercase()));
    }
    if credential {
        line.push("-H \"Authorization: Bearer $TOKEN\"".to_owned());
    }
    let required = parameters.iter().filter(|parameter| parameter.place == "header" && parameter.required);
    line.extend(required.map(|header| format!("-H '{}: {}'", header.name, header.example)));
    line.join(" ")
}
