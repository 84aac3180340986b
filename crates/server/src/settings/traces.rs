//! `[traces]`: where spans are sent, and of how many requests.

use std::{fmt, time::Duration};

use actix_web::http::{
    Uri,
    header::{HeaderName, HeaderValue},
};
use percent_encoding::percent_decode_str;

use super::{SettingsError, keys::Keys};

/// Where a collector takes traces over HTTP, unless the endpoint says otherwise.
const PATH: &str = "/v1/traces";

/// `[traces]`, where its endpoint is not empty. Its `Debug` shows no header.
#[derive(Clone, PartialEq)]
pub struct TraceSettings {
    /// The whole URL that spans are posted to.
    pub endpoint: String,
    /// What is sent along.
    pub headers: Vec<(String, String)>,
    /// How long a batch may take.
    pub timeout: Duration,
    /// The part of all requests that is traced, of those that do not say themselves whether they are.
    pub sample_ratio: f64,
    /// What the collector knows the service as.
    pub service_name: String,
}

impl TraceSettings {
    /// Every key is checked, also where the endpoint is empty.
    pub(super) fn read(keys: &Keys) -> Result<Option<Self>, SettingsError> {
        let settings = Self {
            endpoint: keys.parse("traces.endpoint", endpoint)?,
            headers: keys.parse("traces.headers", headers)?,
            timeout: keys.duration("traces.timeout", Duration::from_millis(100)..=Duration::from_secs(60))?,
            sample_ratio: keys.parse("traces.sample_ratio", ratio)?,
            service_name: keys.parse("traces.service_name", name)?,
        };
        Ok((!settings.endpoint.is_empty()).then_some(settings))
    }
}

/// Whether it is one that asks for TLS.
pub(crate) fn is_tls(endpoint: &str) -> bool {
    endpoint.starts_with("https://")
}

fn endpoint(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Ok(String::new());
    }
    let must_be = || "empty, or the http:// or https:// URL of a collector, without a user".to_owned();
    let url: Uri = text.parse().map_err(|_| must_be())?;
    let is_web = matches!(url.scheme_str(), Some("http" | "https"));
    // Credentials belong into the headers, which are shown nowhere.
    let authority = url.authority().filter(|authority| is_web && !authority.as_str().contains('@'));
    if authority.is_none_or(|authority| authority.host().is_empty()) {
        return Err(must_be());
    }
    let is_bare = url.path() == "/" && url.query().is_none();
    Ok(if is_bare { format!("{}{PATH}", text.trim_end_matches('/')) } else { text.to_owned() })
}

/// `name=value,…`, percent-encoded, as `OTEL_EXPORTER_OTLP_HEADERS` has them.
fn headers(text: &str) -> Result<Vec<(String, String)>, String> {
    let read = |pair: &str| {
        let (name, value) = pair.split_once('=')?;
        let value = percent_decode_str(value.trim()).decode_utf8().ok()?.into_owned();
        let name = HeaderName::try_from(name.trim()).ok()?;
        HeaderValue::try_from(&value).ok()?;
        Some((name.as_str().to_owned(), value))
    };
    let pairs = text.split(',').filter(|pair| !pair.trim().is_empty());
    let all: Option<Vec<_>> = pairs.map(read).collect();
    all.ok_or_else(|| "headers such as name=value, divided by commas and percent-encoded".to_owned())
}

fn ratio(text: &str) -> Result<f64, String> {
    let ratio = text.parse().ok().filter(|ratio| (0.0..=1.0).contains(ratio));
    ratio.ok_or_else(|| "a number from 0 to 1".to_owned())
}

fn name(text: &str) -> Result<String, String> {
    let is_name = (1..=255).contains(&text.len()) && !text.chars().any(char::is_control);
    if is_name { Ok(text.to_owned()) } else { Err("1 to 255 bytes of text".to_owned()) }
}

impl fmt::Debug for TraceSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TraceSettings")
            .field("endpoint", &self.endpoint)
            .field("timeout", &self.timeout)
            .field("sample_ratio", &self.sample_ratio)
            .field("service_name", &self.service_name)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use crate::settings::tests::load;

    #[test]
    fn without_an_endpoint_there_are_none() {
        assert_eq!(load("", &[]).unwrap().traces, None);
        assert_eq!(load("[traces]\nsample_ratio = 0.5\n", &[]).unwrap().traces, None);
    }

    #[test]
    fn an_endpoint_without_a_path_has_the_standard_one() {
        for (set, is) in [
            ("http://c:4318", "http://c:4318/v1/traces"),
            ("https://c/", "https://c/v1/traces"),
            ("http://c/otlp/v1/traces?x=1", "http://c/otlp/v1/traces?x=1"),
            ("http://[::1]:4318", "http://[::1]:4318/v1/traces"),
        ] {
            let traces = load("", &[("TOLLBAR__TRACES__ENDPOINT", set)]).unwrap().traces.unwrap();
            assert_eq!(traces.endpoint, is);
            assert_eq!((traces.sample_ratio.to_string(), &*traces.service_name), ("1".to_owned(), "tollbar"));
        }
    }

    #[test]
    fn headers_are_decoded_and_never_shown() {
        let set = [
            ("TOLLBAR__TRACES__ENDPOINT", "http://c"),
            ("TOLLBAR__TRACES__HEADERS", "Authorization=Basic%20aHVudGVyMg==, x-tenant = a%2Cb,"),
        ];
        let traces = load("", &set).unwrap().traces.unwrap();
        let pairs = [("authorization", "Basic aHVudGVyMg=="), ("x-tenant", "a,b")];
        assert_eq!(traces.headers, pairs.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert!(!format!("{traces:?}").contains("aHVudGVyMg"));
        for bad in ["hunter2", "a b=hunter2", "a=hunter2%0a", "a=%ff"] {
            let said = load("", &[("TOLLBAR__TRACES__HEADERS", bad)]).unwrap_err();
            let rule = "it must be headers such as name=value, divided by commas and percent-encoded";
            assert_eq!(
                said,
                format!("bad setting traces.headers = (not shown), from the environment: {rule}")
            );
        }
        let misspelt = load("[traces]\nheader = \"hunter2\"\n", &[]).unwrap_err();
        assert!(!misspelt.contains("hunter2"), "{misspelt}");
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for bad in ["c:4318", "ftp://c", "http://", "http://u:hunter2@c", "/v1/traces", "http://c d"] {
            let said = load("", &[("TOLLBAR__TRACES__ENDPOINT", bad)]).unwrap_err();
            let rule = "it must be empty, or the http:// or https:// URL of a collector, without a user";
            assert!(said.ends_with(rule) && !said.contains("hunter2"), "{bad}: {said}");
        }
        for (text, rule) in [
            ("sample_ratio = 1.1", "it must be a number from 0 to 1"),
            ("sample_ratio = \"nan\"", "it must be a number from 0 to 1"),
            ("service_name = \"\"", "it must be 1 to 255 bytes of text"),
            ("timeout = \"2m\"", "it must be a duration such as \"30s\", from 100ms to 1m"),
        ] {
            let said = load(&format!("[traces]\n{text}\n"), &[]).unwrap_err();
            assert!(said.ends_with(rule), "{said}");
        }
    }
}
