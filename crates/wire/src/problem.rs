//! The form of every answer that is an error: problem details (RFC 9457), with the sentence in `error`.

use std::collections::BTreeMap;

use serde::Serialize;

/// The media type of a problem.
pub const PROBLEM_JSON: &str = "application/problem+json";
/// The type of problems that their status says all about.
pub const ABOUT_BLANK: &str = "about:blank";

/// An answer, for any framework.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Headers: names in lower case, values of visible ASCII. Those of every answer are among them.
    pub headers: Vec<(&'static str, String)>,
    /// The body, in ASCII, on one line.
    pub body: String,
}

/// Members that few problems have.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Extras {
    /// What a readiness report says of each dependency.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub dependencies: BTreeMap<&'static str, &'static str>,
    /// The windows that deny a call (draft-ietf-httpapi-ratelimit-headers-11).
    #[serde(rename = "violated-policies", skip_serializing_if = "Vec::is_empty")]
    pub violated_policies: Vec<String>,
    /// Under which id the log tells of the request.
    #[serde(rename = "requestId", skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

#[derive(Serialize)]
struct Problem<'a> {
    r#type: &'a str,
    title: &'a str,
    status: u16,
    detail: &'a str,
    error: &'a str,
    #[serde(flatten)]
    extras: &'a Extras,
}

/// The answer that tells a problem; `headers` are its own.
pub fn problem(
    status: u16,
    (r#type, title): (&str, &str),
    sentence: &str,
    extras: &Extras,
    headers: Vec<(&'static str, String)>,
) -> Answer {
    let problem = Problem { r#type, title, status, detail: sentence, error: sentence, extras };
    let body = serde_json::to_string(&problem).expect("text and numbers are JSON");
    let mut all = vec![
        ("content-type", PROBLEM_JSON.to_owned()),
        // All that Tollbar says is true for the moment only.
        ("cache-control", "no-store".to_owned()),
        ("x-content-type-options", "nosniff".to_owned()),
    ];
    all.extend(headers);
    Answer { status, headers: all, body }
}
