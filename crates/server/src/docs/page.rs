//! The pages as text.

use std::collections::BTreeMap;

use askama::Template;
use pulldown_cmark::{Parser, html};
use serde_json::Value;

use super::{
    endpoint::{Endpoint, endpoints},
    schema::{Schema, schemas},
};

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub(super) enum PageError {
    /// The description is no JSON.
    #[error("the description is damaged: {0}")]
    Description(#[from] serde_json::Error),
    /// The template could not be filled.
    #[error("the template fails: {0}")]
    Template(#[from] askama::Error),
}

#[derive(Template)]
#[template(path = "docs.html")]
struct Page<'a> {
    title: &'a str,
    version: &'a str,
    about: String,
    /// Every tag, whether or not this page shows it.
    tags: Vec<Tag<'a>>,
    /// The tag that is shown; all of them where it is empty.
    shown: &'a str,
    credentials: Vec<Credential<'a>>,
    schemas: Vec<Schema>,
}

struct Tag<'a> {
    name: &'a str,
    about: String,
    endpoints: Vec<Endpoint>,
}

struct Credential<'a> {
    name: &'a str,
    about: String,
}

impl Page<'_> {
    fn shows(&self, tag: &Tag<'_>) -> bool {
        self.shown.is_empty() || self.shown == tag.name
    }
}

/// The page of each tag, and that of all under no name.
pub(super) fn all(document: &Value) -> Result<BTreeMap<String, String>, PageError> {
    let tags = document["tags"].as_array().into_iter().flatten().map(|tag| text(&tag["name"]));
    [""].into_iter().chain(tags).map(|tag| Ok((tag.to_owned(), page(document, tag).render()?))).collect()
}

fn page<'a>(document: &'a Value, shown: &'a str) -> Page<'a> {
    let tag = |tag: &'a Value| Tag {
        name: text(&tag["name"]),
        about: marked(text(&tag["description"])),
        endpoints: endpoints(document, text(&tag["name"])),
    };
    let schemes = document["components"]["securitySchemes"].as_object().into_iter().flatten();
    let credential = |(name, scheme): (&'a String, &Value)| Credential {
        name,
        about: marked(text(&scheme["description"])),
    };
    Page {
        title: text(&document["info"]["title"]),
        version: text(&document["info"]["version"]),
        about: marked(text(&document["info"]["description"])),
        tags: document["tags"].as_array().into_iter().flatten().map(tag).collect(),
        shown,
        credentials: schemes.map(credential).collect(),
        schemas: schemas(document),
    }
}

/// Text of the description; nothing where there is none.
pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A value as it stands in a head or a query.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Descriptions are CommonMark, of our own writing.
pub(super) fn marked(text: &str) -> String {
    let mut marked = String::new();
    html::push_html(&mut marked, Parser::new(text));
    marked
}

/// Whatever is at the place that a value refers to, or the value.
pub(super) fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let place = value["$ref"].as_str().and_then(|place| place.strip_prefix('#'));
    place.and_then(|place| document.pointer(place)).unwrap_or(value)
}
