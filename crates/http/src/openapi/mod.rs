//! The description of the API in OpenAPI 3.1: made of the annotations of the handlers, and of what errors really answer.

mod answers;
mod headers;
mod methods;
mod parameters;
mod problem;
mod schemas;

use std::sync::LazyLock;

pub(crate) use answers::{
    Admitted, OfBar, OfBodies, OfCalls, OfFixedMethods, OfLogins, OfLogouts, OfNginx, OfProxies, OfReadiness,
};
pub(crate) use parameters::{Forwarded, OfCount, OfSeries, OfTop};
pub(crate) use schemas::{Done, by, readiness, step, tiers, window};
use tollbar_wire::COOKIE_NAME;
use utoipa::{
    PartialSchema,
    openapi::{
        Components, InfoBuilder, LicenseBuilder, OpenApi, PathItem, RefOr, Schema,
        path::Parameter,
        schema::AnyOfBuilder,
        security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme},
        tag::TagBuilder,
    },
};

use crate::{handlers::authz, routes};

/// What holds for the whole API.
const ABOUT: &str = include_str!("about.md");

const TAGS: [(&str, &str); 4] = [
    ("sessions", "Users, and their sessions."),
    ("calls", "An API behind the bar, and what became of its calls."),
    ("proxies", "What a reverse proxy asks about each request."),
    ("service", "The service itself."),
];

/// The description of the routes that [`configure`](crate::configure) mounts, in JSON, as `GET /openapi.json` answers it.
pub fn openapi() -> &'static str {
    static TEXT: LazyLock<String> =
        LazyLock::new(|| build().to_json().expect("text, numbers and maps by text are JSON"));
    &TEXT
}

fn build() -> OpenApi {
    let mut api = routes::described();
    let licence = LicenseBuilder::new().name("MIT").identifier(Some("MIT")).build();
    api.info = InfoBuilder::new()
        .title("Tollbar")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(ABOUT))
        .license(Some(licence))
        .build();
    let tag = |(name, says): (&str, &str)| TagBuilder::new().name(name).description(Some(says)).build();
    api.tags = Some(TAGS.map(tag).to_vec());
    let components = api.components.get_or_insert_default();
    components.schemas.insert("Problem".to_owned(), problem::schema());
    components.schemas.insert("Done".to_owned(), Done::schema());
    first_that_fits(components);
    components.responses.extend(answers::shared());
    components.headers.extend(headers::of_all());
    components.parameters.insert(parameters::REQUEST_ID.to_owned(), parameters::request_id().into());
    components.add_security_schemes_from_iter([("bearer", bearer()), ("cookie", cookie())]);
    let root = root_of(&api, authz::BELOW);
    api.paths.paths.extend(root.map(|item| (authz::ENVOY.to_owned(), item)));
    methods::tell_apart(&mut api);
    headers::add_those_of_all(&mut api);
    parameters::add_those_of_all(&mut api);
    drop_unneeded(&mut api);
    api
}

/// What a generic type is filled with is described within it, and nobody refers to it elsewhere.
fn drop_unneeded(api: &mut OpenApi) {
    let text = api.to_json().unwrap_or_default();
    let is_needed = |name: &String, _: &mut _| text.contains(&format!("\"#/components/schemas/{name}\""));
    api.components.iter_mut().for_each(|components| components.schemas.retain(is_needed));
}

/// Forms that an answer may have, of which the first that fits is meant, may overlap: the shorter one fits the longer one's values, too.
fn first_that_fits(components: &mut Components) {
    for schema in components.schemas.values_mut() {
        if let RefOr::T(Schema::OneOf(one)) = schema {
            let any = AnyOfBuilder::new().description(one.description.take());
            *schema = std::mem::take(&mut one.items).into_iter().fold(any, AnyOfBuilder::item).into();
        }
    }
}

/// What is at a template that ends in a parameter is, without it, at what stands before that.
fn root_of(api: &OpenApi, template: &str) -> Option<PathItem> {
    let mut item = api.paths.get_path_item(template)?.clone();
    for operation in methods::of(&mut item).filter_map(|(_, operation)| operation.as_mut()) {
        operation.operation_id.iter_mut().for_each(|id| id.push_str("Root"));
        let in_path = |parameter: &RefOr<Parameter>| matches!(parameter, RefOr::T(it) if it.parameter_in == utoipa::openapi::path::ParameterIn::Path);
        operation.parameters.iter_mut().for_each(|all| all.retain(|one| !in_path(one)));
    }
    Some(item)
}

fn bearer() -> SecurityScheme {
    let says = "The `sessionToken` of a login (RFC 6750).";
    SecurityScheme::Http(
        Http::builder().scheme(HttpAuthScheme::Bearer).bearer_format("tbs_…").description(Some(says)).build(),
    )
}

fn cookie() -> SecurityScheme {
    let says = "Where `session.cookie` is on, login also gives the token as a cookie. A request that changes something must then \
                show by `Sec-Fetch-Site` or `Origin` that a page of the same origin made it.";
    SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::with_description(COOKIE_NAME, says)))
}
