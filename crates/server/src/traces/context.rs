//! W3C's Trace Context: read from a request, and written for whoever comes after us.

use actix_web::http::header::{HeaderMap, HeaderValue};
use opentelemetry::{
    Context,
    propagation::{Extractor, Injector, TextMapPropagator},
    trace::TraceContextExt,
};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tollbar_http::TraceContext;

const PARENT: &str = "traceparent";
const STATE: &str = "tracestate";
/// What every participant passes on at least; longer states are dropped, and not cut.
const LONGEST_STATE: usize = 512;

/// The two headers.
#[derive(Debug, Default)]
struct Headers {
    parent: String,
    state: String,
}

/// Whose part a request is. What is malformed is none, and the request begins a trace of its own.
pub(super) fn incoming(headers: &HeaderMap) -> Option<Context> {
    let mut parents = headers.get_all(PARENT);
    let (parent, None) = (parents.next()?, parents.next()) else { return None };
    let parent = parent.to_str().ok().filter(|parent| is_well_formed(parent.as_bytes()))?;
    let states: Result<Vec<_>, _> = headers.get_all(STATE).map(HeaderValue::to_str).collect();
    let state = states.map(|states| states.join(",")).ok().filter(|state| state.len() <= LONGEST_STATE);
    let headers = Headers { parent: parent.to_owned(), state: state.unwrap_or_default() };
    let context = TraceContextPropagator::new().extract_with_context(&Context::new(), &headers);
    // Ids of zeros only are none.
    context.has_active_span().then_some(context)
}

/// A context for others; none, where there is no span in it.
pub(super) fn outgoing(context: &Context) -> Option<TraceContext> {
    let mut headers = Headers::default();
    TraceContextPropagator::new().inject_context(context, &mut headers);
    (!headers.parent.is_empty()).then(|| TraceContext::new(headers.parent, headers.state))
}

/// `version-traceid-parentid-flags` of lower-case digits. Of a later version there may be more behind it.
fn is_well_formed(parent: &[u8]) -> bool {
    let Some((known, rest)) = parent.split_at_checked(55) else { return false };
    let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let is_in_place = |(at, byte): (usize, &u8)| match at {
        2 | 35 | 52 => *byte == b'-',
        _ => is_digit(byte),
    };
    let is_end = if known.starts_with(b"00") { rest.is_empty() } else { matches!(rest, [] | [b'-', ..]) };
    known.iter().enumerate().all(is_in_place) && !known.starts_with(b"ff") && is_end
}

impl Extractor for Headers {
    fn get(&self, key: &str) -> Option<&str> {
        match key {
            PARENT => Some(&self.parent),
            STATE => Some(&self.state).filter(|state| !state.is_empty()).map(String::as_str),
            _ => None,
        }
    }

    fn keys(&self) -> Vec<&str> {
        vec![PARENT, STATE]
    }
}

impl Injector for Headers {
    fn set(&mut self, key: &str, value: String) {
        match key {
            PARENT => self.parent = value,
            STATE => self.state = value,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderName;

    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    /// What is passed on of what came.
    fn passed(came: &[(&'static str, &str)]) -> Option<TraceContext> {
        let mut headers = HeaderMap::new();
        for (name, value) in came {
            headers.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        }
        outgoing(&incoming(&headers)?)
    }

    #[test]
    fn a_parent_with_its_states_is_understood() {
        let came = [(PARENT, GOOD), (STATE, "a=1,b=2"), (STATE, "c=3")];
        assert_eq!(passed(&came), Some(TraceContext::new(GOOD, "a=1,b=2,c=3")));
        let unsampled = GOOD.replace("-01", "-00");
        assert_eq!(passed(&[(PARENT, &unsampled)]), Some(TraceContext::new(&*unsampled, "")));
        // Flags that nobody knows yet are dropped; a later version may say more.
        let later = format!("cc{}-what-else", &GOOD[2..].replace("-01", "-03"));
        assert_eq!(passed(&[(PARENT, &later)]), Some(TraceContext::new(GOOD, "")));
        assert_eq!(passed(&[(PARENT, GOOD)]).unwrap().trace_id(), "4bf92f3577b34da6a3ce929d0e0e4736");
    }

    #[test]
    fn what_is_malformed_is_none() {
        for bad in [
            "",
            "00",
            &GOOD[..54],
            &format!("{GOOD}-"),
            &format!("{GOOD}0"),
            &format!("ff{}", &GOOD[2..]),
            &format!("0{}", &GOOD[2..]),
            &GOOD.to_uppercase(),
            &GOOD.replace('4', "g"),
            &GOOD.replace('-', "_"),
            &GOOD.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
            &GOOD.replace("00f067aa0ba902b7", &"0".repeat(16)),
            &GOOD.replace("-00f0", "-+0f0"),
        ] {
            assert_eq!(passed(&[(PARENT, bad)]), None, "{bad}");
        }
        assert_eq!(passed(&[(PARENT, GOOD), (PARENT, GOOD)]), None);
        assert_eq!(passed(&[(STATE, "a=1")]), None);
    }

    #[test]
    fn a_state_that_is_bad_or_too_long_is_dropped_alone() {
        for state in ["no pair", &format!("a={}", "x".repeat(LONGEST_STATE))] {
            assert_eq!(
                passed(&[(PARENT, GOOD), (STATE, state)]),
                Some(TraceContext::new(GOOD, "")),
                "{state}"
            );
        }
    }
}
