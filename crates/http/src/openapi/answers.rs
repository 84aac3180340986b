//! Answers that several operations share. What is described of an error is what that error tells a client: status, headers and body.

use std::collections::BTreeMap;

use serde_json::Value;
use tollbar_core::{
    StoreError,
    domain::{PasswordError, UsernameError},
    ports::HashError,
    usecases::{DependencyState, LoginError, ReadinessReport, SignupError},
};
use tollbar_wire::{Answer, Denial, PROBLEM_JSON};
use utoipa::{
    IntoResponses,
    openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder, example::ExampleBuilder},
};

use super::headers;
use crate::{
    ApiError, BODY_LIMIT,
    handlers::{authz, calls_query},
};

mod limited;

use limited::{admitted, allowed, charged, denied};

type Answers = BTreeMap<String, RefOr<Response>>;

macro_rules! sets {
    ($($(#[$doc:meta])* $set:ident: $($status:literal $name:literal),+;)+) => {
        $(
            $(#[$doc])*
            pub(crate) struct $set;

            impl IntoResponses for $set {
                fn responses() -> Answers {
                    let named = [$(($status, $name)),+];
                    named.map(|(status, name)| (status.to_owned(), Ref::from_response_name(name).into())).into()
                }
            }
        )+
    };
}

sets! {
    /// Of a route that has some methods and refuses the others.
    OfFixedMethods: "405" "OtherMethod", "500" "Mistake";
    /// Of what reads a body with an account.
    OfBodies: "400" "BadRequest", "408" "BodyTooSlow", "413" "BodyTooLarge", "415" "NotJson", "503" "Unavailable";
    /// Of a login.
    OfLogins: "401" "WrongCredentials";
    /// Of a logout.
    OfLogouts: "401" "Unauthorized", "403" "CrossSite", "503" "Unavailable";
    /// Of an API whose calls the bar lets through.
    Admitted: "200" "Admitted";
    /// The same where it does not.
    OfBar: "401" "Unauthorized", "403" "Forbidden", "429" "Limited", "503" "Unavailable";
    /// Of what tells of calls.
    OfCalls: "400" "BadQuery", "404" "UnknownApi", "503" "Unavailable";
    /// Of readiness.
    OfReadiness: "503" "NotReady";
    /// Of what a proxy asks.
    OfProxies: "200" "Allowed", "401" "DeniedUnauthenticated", "403" "DeniedForbidden", "429" "DeniedLimited",
        "500" "Mistake", "503" "Unavailable";
    /// The same for nginx.
    OfNginx: "200" "Allowed", "401" "NginxUnauthenticated", "403" "NginxForbidden", "500" "NginxMistake",
        "503" "NginxUnavailable";
}

/// An answer and what it is called among the examples.
type Named = (&'static str, Answer);

/// All of them, by name.
pub(super) fn shared() -> impl Iterator<Item = (String, RefOr<Response>)> {
    let of_bar = of_bar();
    let proxied = |name, says, errors: &[(&'static str, Denial)]| {
        let told =
            |(name, denial): &(&'static str, Denial)| (*name, authz::with_reason(denial, denial.told(None)));
        (name, says, errors.iter().map(told).collect())
    };
    let by_nginx = |name, says, errors: &[(&'static str, Denial)]| {
        let told =
            |(name, denial): &(&'static str, Denial)| (*name, authz::for_nginx(denial, denial.told(None)));
        (name, says, errors.iter().map(told).collect())
    };
    let nginx_forbidden = [&of_bar.forbidden[..], &of_bar.limited[..]].concat();
    let of_proxies = [
        ("Allowed", "Let the request through, with the headers that say who calls.", allowed()),
        proxied("DeniedUnauthenticated", "It needs a live session.", &of_bar.unauthenticated),
        proxied("DeniedForbidden", "It is not allowed, whoever asks.", &of_bar.forbidden),
        proxied("DeniedLimited", "It is over a limit.", &of_bar.limited),
        by_nginx("NginxUnauthenticated", "It needs a live session.", &of_bar.unauthenticated),
        by_nginx(
            "NginxForbidden",
            "It is not allowed, or over a limit: nginx knows no 429 here.",
            &nginx_forbidden,
        ),
        by_nginx("NginxUnavailable", "A dependency is down.", &[("down", down())]),
        by_nginx("NginxMistake", "The service has made a mistake.", &[("mistake", broken())]),
    ];
    let all = of_api(&of_bar).into_iter().chain(of_proxies);
    all.map(|(name, says, answers)| (name.to_owned(), response(says, &answers).into()))
}

/// Why the bar does not let a request through.
struct OfBarDenials {
    unauthenticated: Vec<(&'static str, Denial)>,
    forbidden: Vec<(&'static str, Denial)>,
    limited: Vec<(&'static str, Denial)>,
}

fn of_bar() -> OfBarDenials {
    OfBarDenials {
        unauthenticated: vec![
            ("none", Denial::NoCredential),
            ("dead", Denial::InvalidToken),
            ("charged", charged(Denial::NoCredential)),
        ],
        forbidden: vec![
            ("crossSite", Denial::CrossSite),
            ("noPolicy", Denial::Unmatched),
            ("ambiguous", Denial::Ambiguous),
            ("untrusted", Denial::Untrusted),
            ("incomplete", Denial::Incomplete),
            ("charged", charged(Denial::CrossSite)),
        ],
        limited: denied(),
    }
}

fn down() -> Denial {
    Denial::Unavailable(StoreError::transient("describe", "it is down"))
}

fn broken() -> Denial {
    Denial::Unavailable(StoreError::permanent("describe", "it is broken"))
}

/// Of the API itself: each answer's name, what is said of it, and the errors behind it.
fn of_api(of_bar: &OfBarDenials) -> [(&'static str, &'static str, Vec<Named>); 16] {
    fn told<const N: usize>(errors: [(&'static str, ApiError); N]) -> Vec<Named> {
        errors.into_iter().map(|(name, error)| (name, error.told(None))).collect()
    }
    let of = |denials: &[(&'static str, Denial)]| {
        denials.iter().map(|(name, it)| (*name, it.told(None))).collect()
    };
    let missing = |needs: &str| ApiError::invalid(format!("The body lacks the member \"{needs}\"!"));
    let soon = std::time::Duration::from_secs(1);
    let tiers = [("postgres", false), ("redis", false)].map(|(name, up)| DependencyState { name, up });
    let fixed = |methods| told([("method", ApiError::MethodNotAllowed(methods))]);
    [
        ("Admitted", "It was let through, charged and counted.", admitted()),
        (
            "BadRequest",
            "The request breaks a rule, which the sentence names.",
            told([
                ("taken", SignupError::Taken.into()),
                ("name", UsernameError::Character.into()),
                ("password", PasswordError::TooShort(7).into()),
                ("member", missing("password")),
            ]),
        ),
        (
            "BadQuery",
            "A parameter is not known, comes twice, or has another value than those here.",
            told([
                ("window", ApiError::invalid(calls_query::NO_SUCH_WINDOW)),
                ("known", calls_query::unknown(&calls_query::OF_TOP)),
                ("step", ApiError::invalid(calls_query::STEP_NOT_KEPT)),
            ]),
        ),
        (
            "WrongCredentials",
            "The username or the password is wrong: the same for both.",
            told([("wrong", LoginError::Wrong.into())]),
        ),
        ("Unauthorized", "It needs a live session.", of(&of_bar.unauthenticated)),
        (
            "CrossSite",
            "The cookie came without a sign that a page of the same origin sent it.",
            of(&of_bar.forbidden[..1]),
        ),
        (
            "Forbidden",
            "No policy is for it, and the service allows nothing else.",
            of(&of_bar.forbidden[1..2]),
        ),
        (
            "UnknownApi",
            "No policy counts under this name, and nobody called it within 400 days.",
            told([("unknown", ApiError::UnknownApi)]),
        ),
        ("OtherMethod", "What any other method of this path is answered.", fixed("GET, HEAD")),
        (
            "BodyTooSlow",
            "The body did not arrive in time; the connection is closed.",
            told([("slow", ApiError::BodyTooSlow)]),
        ),
        (
            "BodyTooLarge",
            "The body is too large; the connection is closed.",
            told([("large", ApiError::BodyTooLarge(BODY_LIMIT))]),
        ),
        ("NotJson", "The body is not said to be JSON.", told([("type", ApiError::NotJson)])),
        ("Limited", "It is over a limit.", of(&of_bar.limited)),
        (
            "Mistake",
            "The service has made a mistake, and its log says which.",
            told([("mistake", ApiError::Internal)]),
        ),
        (
            "Unavailable",
            "A dependency is down, or too much is asked at once.",
            told([("down", down().into()), ("busy", ApiError::Hash(HashError::Busy { retry_after: soon }))]),
        ),
        (
            "NotReady",
            "Nothing can be served, or the process stops.",
            told([("down", ApiError::NotReady(ReadinessReport { dependencies: tiers.to_vec() }))]),
        ),
    ]
}

/// An answer of which these are examples. A header that not all of them have is not on every answer.
fn response(says: &str, examples: &[Named]) -> Response {
    let mut response = ResponseBuilder::new().description(says);
    let has = |answer: &Answer, name: &str| answer.headers.iter().any(|(known, _)| *known == name);
    let all = examples.iter().flat_map(|(_, answer)| &answer.headers);
    let own = all.filter(|(name, _)| *name != "content-type" && !headers::is_of_all(name));
    // Of several values the first one is shown.
    let own: BTreeMap<_, _> = own.rev().map(|(name, value)| (*name, value)).collect();
    for (name, value) in own {
        let required = examples.iter().all(|(_, answer)| has(answer, name));
        let (name, header) = headers::header(name, value, required);
        response = response.header(name, header);
    }
    let media = |answer: &Answer| answer.headers.iter().find(|(name, _)| *name == "content-type").cloned();
    if let Some((_, media)) = examples.first().and_then(|(_, answer)| media(answer)) {
        let schema = if media == PROBLEM_JSON { "Problem" } else { "Done" };
        let mut bodies: Vec<(&str, Value)> = Vec::new();
        for (name, answer) in examples {
            let body = serde_json::from_str(&answer.body).unwrap_or_default();
            if !bodies.iter().any(|(_, known)| *known == body) {
                bodies.push((name, body));
            }
        }
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(schema)));
        let example = |(name, body)| (name, ExampleBuilder::new().value(Some(body)).build());
        response =
            response.content(media, content.examples_from_iter(bodies.into_iter().map(example)).build());
    }
    response.build()
}
