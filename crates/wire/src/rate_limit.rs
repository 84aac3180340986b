//! The headers that tell a client its limits: all forms of them, since the standard still moves.

use std::{fmt::Write as _, time::Duration};

use tollbar_core::{domain::WindowState, usecases::Limits};

use crate::denial::retry_seconds;

/// Which headers tell of limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HeaderFormat {
    /// `RateLimit-Policy` and `RateLimit`, Structured Fields with every window by its name
    /// (draft-ietf-httpapi-ratelimit-headers-11).
    #[default]
    Draft11,
    /// `RateLimit-Limit`, `RateLimit-Remaining` and `RateLimit-Reset` of the window that is nearest to its end
    /// (draft-ietf-httpapi-ratelimit-headers-03).
    Draft03,
    /// `X-RateLimit-Limit`, `X-RateLimit-Remaining` and `X-RateLimit-Reset` of that window; seconds, as in the drafts.
    XRateLimit,
    /// None.
    Off,
}

impl HeaderFormat {
    /// Name and value of each header. Of a denial, the state is that of the windows that deny, so that `Retry-After` comes after
    /// the end of each; of an admitted call, that of all.
    pub fn headers(self, limits: &Limits) -> Vec<(&'static str, String)> {
        if limits.decision.windows.is_empty() {
            return Vec::new();
        }
        match self {
            Self::Off => Vec::new(),
            Self::Draft11 => vec![("ratelimit-policy", policies(limits)), ("ratelimit", states(limits))],
            Self::Draft03 => {
                let tightest = tightest(limits);
                let mut quotas = tightest.window.quota().to_string();
                for state in &limits.decision.windows {
                    let (quota, seconds) = (state.window.quota(), retry_seconds(state.window.period()));
                    write!(quotas, ", {quota};w={seconds}").expect("a text takes more text");
                }
                nearest(["ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"], quotas, tightest)
            }
            Self::XRateLimit => {
                let tightest = tightest(limits);
                let names = ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"];
                nearest(names, tightest.window.quota().to_string(), tightest)
            }
        }
    }
}

/// Names are of characters that a String of Structured Fields (RFC 9651) takes as they are.
fn policies(limits: &Limits) -> String {
    let mut list = List::default();
    for (name, state) in named(limits) {
        list.item(name);
        list.parameter(";q=", state.window.quota().into());
        list.parameter(";w=", retry_seconds(state.window.period()));
    }
    list.text
}

fn states(limits: &Limits) -> String {
    let denied = !limits.decision.allowed();
    let mut list = List::default();
    for (name, state) in named(limits).filter(|(_, state)| !denied || state.violated()) {
        list.item(name);
        list.parameter(";r=", state.remaining.into());
        // Nothing is held: nothing will change.
        if !state.reset_after.is_zero() {
            list.parameter(";t=", retry_seconds(state.reset_after));
        }
    }
    list.text
}

/// A List of Strings with parameters (RFC 9651). Each answer has two, so that they are put together without `format!`.
#[derive(Default)]
struct List {
    text: String,
}

impl List {
    fn item(&mut self, name: &str) {
        if self.text.is_empty() {
            self.text.reserve(80);
        } else {
            self.text.push_str(", ");
        }
        self.text.push('"');
        self.text.push_str(name);
        self.text.push('"');
    }

    fn parameter(&mut self, key: &str, value: u64) {
        self.text.push_str(key);
        self.text.push_str(itoa::Buffer::new().format(value));
    }
}

fn named(limits: &Limits) -> impl Iterator<Item = (&String, &WindowState)> {
    limits.policy.window_names().iter().zip(&limits.decision.windows)
}

/// Of a denial, the window that denies for longest; else the one with the least left, and of those the one that takes longest.
fn tightest(limits: &Limits) -> &WindowState {
    let windows = limits.decision.windows.iter();
    let key = |state: &&WindowState| (state.retry_after, u32::MAX - state.remaining, state.reset_after);
    windows.max_by_key(key).expect("who asks has seen that there are windows")
}

fn nearest(
    [limit, remaining, reset]: [&'static str; 3],
    quotas: String,
    state: &WindowState,
) -> Vec<(&'static str, String)> {
    let wait = state.retry_after.max(state.reset_after);
    let seconds = if wait == Duration::ZERO { 0 } else { retry_seconds(wait) };
    vec![(limit, quotas), (remaining, state.remaining.to_string()), (reset, seconds.to_string())]
}

#[cfg(test)]
mod tests {
    use sfv::{BareItem, ListEntry, Parser};
    use tollbar_core::domain::{ApiName, ExactLog, Policy, PolicyName, Quota, Timestamp, Window};

    use super::*;

    fn policy(names: [&str; 2]) -> Policy {
        let window =
            |quota, seconds| Window::new(Quota::new(quota).unwrap(), Duration::from_secs(seconds)).unwrap();
        let (name, api) = (PolicyName::new("ping").unwrap(), ApiName::new("ping").unwrap());
        let policy = Policy::new(name, api, vec![window(1, 5), window(2, 60)]).unwrap();
        policy.with_window_names(names.map(Some)).unwrap()
    }

    /// After calls at these milliseconds, the last of which is told of.
    fn told(format: HeaderFormat, calls: &[u64]) -> Vec<(&'static str, String)> {
        let (policy, mut log) = (policy(["burst", "minute"]), ExactLog::default());
        let mut decide = |at: &u64| log.decide(&policy, Timestamp::from_micros(1_000_000_000 + at * 1_000));
        let decision = calls.iter().map(&mut decide).last().unwrap();
        format.headers(&Limits { policy: policy.clone(), decision })
    }

    fn header<'a>(headers: &'a [(&str, String)], name: &str) -> &'a str {
        &headers.iter().find(|(known, _)| *known == name).unwrap().1
    }

    #[test]
    fn the_standard_ones_are_as_the_draft_writes_them() {
        let admitted = told(HeaderFormat::Draft11, &[0]);
        assert_eq!(header(&admitted, "ratelimit-policy"), r#""burst";q=1;w=5, "minute";q=2;w=60"#);
        assert_eq!(header(&admitted, "ratelimit"), r#""burst";r=0;t=5, "minute";r=1;t=60"#);
        let denied = told(HeaderFormat::Draft11, &[0, 1_001]);
        assert_eq!(header(&denied, "ratelimit-policy"), r#""burst";q=1;w=5, "minute";q=2;w=60"#);
        assert_eq!(header(&denied, "ratelimit"), r#""burst";r=0;t=4"#);
        let both = told(HeaderFormat::Draft11, &[0, 5_000, 5_001]);
        assert_eq!(header(&both, "ratelimit"), r#""burst";r=0;t=5, "minute";r=0;t=55"#);
    }

    #[test]
    fn the_standard_ones_are_lists_of_strings_with_parameters() {
        for (calls, headers) in [(&[0][..], 2), (&[0, 1], 1), (&[0, 5_000, 5_001], 2)] {
            let told = told(HeaderFormat::Draft11, calls);
            for (name, keys, entries) in
                [("ratelimit-policy", ["q", "w"], 2), ("ratelimit", ["r", "t"], headers)]
            {
                let list = Parser::new(header(&told, name)).parse::<sfv::List>().unwrap();
                assert_eq!(list.len(), entries);
                for entry in list {
                    let ListEntry::Item(item) = entry else { panic!("{entry:?}") };
                    assert!(matches!(item.bare_item, BareItem::String(_)), "{item:?}");
                    let found: Vec<_> = item.params.keys().map(|key| key.as_str().to_owned()).collect();
                    assert_eq!(found, keys);
                    assert!(item.params.values().all(|value| matches!(value, BareItem::Integer(_))));
                }
            }
        }
    }

    #[test]
    fn every_name_that_a_window_may_have_is_a_string_of_structured_fields() {
        let names = ["a-b_c.d9", &"x".repeat(64)];
        let policy = policy(names);
        let decision = ExactLog::default().peek(&policy, Timestamp::from_micros(1));
        let headers = HeaderFormat::Draft11.headers(&Limits { policy, decision });
        let list = Parser::new(header(&headers, "ratelimit-policy")).parse::<sfv::List>().unwrap();
        let name = |entry: &ListEntry| match entry {
            ListEntry::Item(item) => item.bare_item.as_string().unwrap().as_str().to_owned(),
            ListEntry::InnerList(_) => panic!("{entry:?}"),
        };
        assert_eq!(list.iter().map(name).collect::<Vec<_>>(), names);
        assert_eq!(header(&headers, "ratelimit"), format!("\"a-b_c.d9\";r=1, \"{}\";r=2", names[1]));
    }

    #[test]
    fn the_older_ones_tell_of_the_nearest_window() {
        for (format, names, quotas) in [
            (HeaderFormat::Draft03, ["ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"], true),
            (
                HeaderFormat::XRateLimit,
                ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"],
                false,
            ),
        ] {
            for (calls, quota, remaining, reset) in [
                (&[0][..], "1", "0", "5"),
                (&[0, 1_001], "1", "0", "4"),
                (&[0, 5_000, 5_001], "2", "0", "55"),
            ] {
                let told = told(format, calls);
                let values = names.map(|name| header(&told, name));
                let limit = if quotas { format!("{quota}, 1;w=5, 2;w=60") } else { quota.to_owned() };
                assert_eq!(values, [limit.as_str(), remaining, reset], "{calls:?}");
            }
        }
        assert_eq!(told(HeaderFormat::Off, &[0]), []);
    }
}
