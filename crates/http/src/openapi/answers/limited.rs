//! What is told of limits, with those that `/ping` has by default.

use std::time::Duration;

use tollbar_core::{
    domain::{ApiName, ExactLog, Policy, PolicyError, PolicyName, Quota, Timestamp, UserId, Version, Window},
    usecases::{Identity, Limits},
};
use tollbar_wire::{Answer, Denial, HeaderFormat, Passed};

use super::Named;

/// All forms that the headers may have; none is one, too.
const FORMATS: [(&str, HeaderFormat); 4] = [
    ("draft-11", HeaderFormat::Draft11),
    ("draft-03", HeaderFormat::Draft03),
    ("x-ratelimit", HeaderFormat::XRateLimit),
    ("off", HeaderFormat::Off),
];

fn policy() -> Result<Policy, PolicyError> {
    let window = |quota, seconds| {
        let quota = Quota::new(quota).expect("a small number is a quota");
        Window::new(quota, Duration::from_secs(seconds)).expect("some seconds are a period")
    };
    let name = PolicyName::new("ping").expect("letters are a name");
    let api = ApiName::new("ping").expect("letters are a name");
    Policy::new(name, api, vec![window(1, 5), window(2, 60)])?
        .with_window_names([Some("burst"), Some("minute")])
}

/// Those of the first call of a minute, and of one after it that comes too early.
fn limits() -> [Limits; 2] {
    let policy = policy().expect("the policy that the settings have by default");
    let mut log = ExactLog::default();
    [1_000_000, 2_000_000].map(|micros| {
        let decision = log.decide(&policy, Timestamp::from_micros(micros));
        Limits { policy: policy.clone(), decision }
    })
}

/// A call over a limit.
pub(super) fn denied() -> Vec<(&'static str, Denial)> {
    let [_, denied] = limits();
    FORMATS.map(|(name, format)| (name, Denial::Limited(denied.clone(), format))).to_vec()
}

/// This denial after a limit was charged all the same.
pub(super) fn charged(denial: Denial) -> Denial {
    let [admitted, _] = limits();
    let headers = FORMATS.iter().flat_map(|(_, format)| format.headers(&admitted)).collect();
    Denial::Charged(Box::new(denial), headers)
}

/// A call that was let through to an API of ours.
pub(super) fn admitted() -> Vec<Named> {
    let [admitted, _] = limits();
    let answer = |(name, format): (&'static str, HeaderFormat)| {
        let mut headers = vec![("content-type", "application/json".to_owned())];
        headers.extend(format.headers(&admitted));
        (name, Answer { status: 200, headers, body: "{}".to_owned() })
    };
    FORMATS.map(answer).to_vec()
}

/// One that a proxy is to let through.
pub(super) fn allowed() -> Vec<Named> {
    let [admitted, _] = limits();
    let identity = UserId::new(42).ok().map(|user| Identity { user, session: Version::new(3) });
    let answer = |(name, format): (&'static str, HeaderFormat)| {
        let passed = Passed { identity, headers: format.headers(&admitted) };
        let headers = passed.identity_headers().into_iter().chain(passed.headers.clone()).collect();
        (name, Answer { status: 200, headers, body: String::new() })
    };
    FORMATS.map(answer).to_vec()
}
