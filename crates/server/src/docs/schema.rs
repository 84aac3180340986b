//! What bodies are made of.

use serde_json::Value;

use super::page::{marked, plain, resolve, text};

/// A body, or a part of one, that has a name.
pub(super) struct Schema {
    pub(super) name: String,
    pub(super) about: String,
    pub(super) members: Vec<Member>,
    /// Of which one is meant, where there are any.
    pub(super) forms: Vec<String>,
}

/// A member of an object.
pub(super) struct Member {
    pub(super) name: String,
    pub(super) kind: String,
    /// The schema that it is made of, where that has a name.
    pub(super) of: Option<String>,
    pub(super) required: bool,
    pub(super) about: String,
}

/// All that have names.
pub(super) fn schemas(document: &Value) -> Vec<Schema> {
    let named = document["components"]["schemas"].as_object().into_iter().flatten();
    let schema = |(name, schema): (&String, &Value)| Schema {
        name: name.clone(),
        about: marked(text(&schema["description"])),
        members: members(document, schema),
        forms: schema["anyOf"].as_array().into_iter().flatten().filter_map(named_by).collect(),
    };
    named.map(schema).collect()
}

/// The name of what a value refers to.
pub(super) fn named_by(schema: &Value) -> Option<String> {
    schema["$ref"].as_str()?.rsplit('/').next().map(str::to_owned)
}

/// The members of an object, with those of all that it is put together from.
fn members(document: &Value, schema: &Value) -> Vec<Member> {
    let schema = resolve(document, schema);
    let parts = schema["allOf"].as_array().into_iter().flatten();
    let mut found: Vec<_> = parts.flat_map(|part| members(document, part)).collect();
    let is_required = |name: &str| {
        schema["required"].as_array().into_iter().flatten().any(|required| required.as_str() == Some(name))
    };
    let properties = schema["properties"].as_object().into_iter().flatten();
    found.extend(properties.map(|(name, member)| Member {
        name: name.clone(),
        kind: kind(member),
        of: named_by(member).or_else(|| named_by(&member["items"])),
        required: is_required(name),
        about: marked(text(&member["description"])),
    }));
    found
}

/// What a value may be, in words.
pub(super) fn kind(schema: &Value) -> String {
    if let Some(name) = named_by(schema) {
        return name;
    }
    let list = |values: &Value| {
        let values = values.as_array().into_iter().flatten();
        values.map(|value| text(value).to_owned()).collect::<Vec<_>>().join(", ")
    };
    let bounds = [
        ("minimum", "at least ", ""),
        ("maximum", "at most ", ""),
        ("minLength", "of at least ", " characters"),
        ("maxLength", "of at most ", " characters"),
        ("maxItems", "at most ", " of them"),
        ("pattern", "that matches ", ""),
        ("format", "in the form ", ""),
    ];
    let kind = match (&schema["enum"], text(&schema["type"])) {
        (Value::Array(_), _) => format!("one of {}", list(&schema["enum"])),
        (_, "array") => format!("list of {}", kind(&schema["items"])),
        (_, "object") if schema["additionalProperties"].is_object() => {
            format!("object of {}", kind(&schema["additionalProperties"]))
        }
        (_, "") => "anything".to_owned(),
        (_, kind) => kind.to_owned(),
    };
    let bounds = bounds.into_iter().filter(|(name, ..)| !schema[*name].is_null());
    let bounds = bounds.map(|(name, before, after)| format!("{before}{}{after}", plain(&schema[name])));
    [kind].into_iter().chain(bounds).collect::<Vec<_>>().join(", ")
}
