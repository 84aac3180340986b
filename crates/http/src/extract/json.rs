//! Extractor: one JSON object as the body. Its refusals say what is wrong and repeat nothing of it: it may be a password.

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::header};
use futures_util::future::LocalBoxFuture;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use super::body;
use crate::ApiError;

/// A JSON object of at most [`BODY_LIMIT`](crate::BODY_LIMIT) bytes. Derive `T` with `deny_unknown_fields`.
///
/// Refuses with 408, 413, 415 or 400; each as [`ApiError`].
#[derive(Debug)]
pub struct ApiJson<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for ApiJson<T> {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            if !is_json(&request) {
                return Err(ApiError::NotJson);
            }
            let body = body::read(request, payload).await?;
            parse(&body).map(Self)
        })
    }
}

/// One `Content-Type`, of JSON, and nothing that would have to be unpacked first.
fn is_json(request: &HttpRequest) -> bool {
    let headers = request.headers();
    let mut types = headers.get_all(header::CONTENT_TYPE);
    let (Some(only), None) = (types.next(), types.next()) else { return false };
    let essence = only.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    let json = essence.eq_ignore_ascii_case("application/json")
        || (essence.len() > 5 && essence.is_char_boundary(essence.len() - 5))
            && essence[essence.len() - 5..].eq_ignore_ascii_case("+json");
    json && headers.get(header::CONTENT_ENCODING).is_none_or(|coding| coding == "identity")
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    // serde takes an array for a struct, too, member by member.
    match body.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'{') => serde_json::from_slice(body).map_err(|error| refusal(&error)),
        Some(_) => Err(ApiError::invalid("The body must be a JSON object!")),
        None => Err(ApiError::invalid("The body is empty!")),
    }
}

/// serde's messages repeat values and names that the client sent; only what the server wrote itself is kept of them.
fn refusal(error: &serde_json::Error) -> ApiError {
    let place = format!("at line {}, column {}", error.line(), error.column());
    let message = error.to_string();
    let named = |kind: &str| {
        let rest = message.strip_prefix(kind)?.strip_prefix('`')?;
        rest.split_once('`').map(|(name, _)| name.to_owned())
    };
    ApiError::invalid(match error.classify() {
        Category::Data => {
            // These two name a member of `T`; serde's other messages name what came.
            if let Some(name) = named("missing field ") {
                format!("The body lacks the member \"{name}\"!")
            } else if let Some(name) = named("duplicate field ") {
                format!("The body has the member \"{name}\" twice!")
            } else if message.starts_with("unknown field ") {
                format!("The body has an unknown member {place}!")
            } else {
                format!("A member of the body has the wrong type {place}!")
            }
        }
        Category::Eof => format!("The body ends before the JSON does, {place}!"),
        Category::Syntax | Category::Io => format!("The body is not valid JSON {place}!"),
    })
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Pair {
        name: String,
        #[allow(dead_code, reason = "its type is what the test is about")]
        word: String,
    }

    #[test]
    fn says_what_is_wrong_and_repeats_nothing() {
        let deep = "{\"name\":".to_owned() + &"[".repeat(4_000);
        for (body, said) in [
            ("", "The body is empty!"),
            (" \n", "The body is empty!"),
            ("[\"hunter2\",\"b\"]", "The body must be a JSON object!"),
            ("\"hunter2\"", "The body must be a JSON object!"),
            ("{", "The body ends before the JSON does, at line 1, column 1!"),
            ("{hunter2}", "The body is not valid JSON at line 1, column 2!"),
            ("{}", "The body lacks the member \"name\"!"),
            ("{\"name\":\"hunter2\"}", "The body lacks the member \"word\"!"),
            ("{\"name\":\"a\",\"name\":\"hunter2\"}", "The body has the member \"name\" twice!"),
            ("{\"hunter2\":1}", "The body has an unknown member at line 1, column 10!"),
            ("{\"name\":22}", "A member of the body has the wrong type at line 1, column 10!"),
            ("{\"name\":null}", "A member of the body has the wrong type at line 1, column 12!"),
            ("{\"name\":{\"hunter2\":1}}", "A member of the body has the wrong type at line 1, column 8!"),
            ("{\"name\":\"a\",\"word\":\"b\"} x", "The body is not valid JSON at line 1, column 25!"),
            ("{\"name\":\"\\ud800\",\"word\":\"\"}", "The body is not valid JSON at line 1, column 16!"),
            (&deep, "A member of the body has the wrong type at line 1, column 8!"),
        ] {
            let error = parse::<Pair>(body.as_bytes()).unwrap_err().to_string();
            assert_eq!(error, said, "{}", &body[..body.len().min(40)]);
        }
        let bad_utf8 = parse::<Pair>(b"{\"name\":\"\xff\",\"word\":\"b\"}").unwrap_err().to_string();
        assert_eq!(bad_utf8, "The body is not valid JSON at line 1, column 10!");
        let unknown = format!("{{\"name\":\"a\",\"word\":\"b\",\"deep\":{}}}", "[".repeat(4_000));
        assert!(parse::<Pair>(unknown.as_bytes()).is_err());
        assert_eq!(parse::<Pair>(b" {\"name\":\"\\u0061\",\"word\":\"b\"}\n").unwrap().name, "a");
    }

    #[test]
    fn knows_json_by_its_content_type() {
        let said = |headers: &[(&'static str, &'static str)]| {
            let request = headers.iter().fold(TestRequest::default(), |r, h| r.append_header(*h));
            is_json(&request.to_http_request())
        };
        for json in ["application/json", "Application/JSON; charset=utf-8", "application/vnd.x+json"] {
            assert!(said(&[("content-type", json)]), "{json}");
        }
        for other in ["", "text/plain", "text/json-ish", "json", "+json;", "application/jsonp", "a/é+json"] {
            assert!(!said(&[("content-type", other)]), "{other}");
        }
        assert!(!said(&[]));
        assert!(!said(&[("content-type", "application/json"), ("content-type", "text/plain")]));
        assert!(!said(&[("content-type", "application/json"), ("content-encoding", "gzip")]));
    }
}
