//! What is found out about a request, and how it is told.

use std::time::Duration;

use serde::Serialize;
use tollbar_core::{
    domain::{Decision, Policy, WindowState},
    policies::{Mode, OnOutage, Rule, Whom},
};

use crate::cli::{Said, line};

/// All of it; what is not set is not known, or not so.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Explanation {
    pub(super) method: String,
    pub(super) path: String,
    /// Why path or method are refused, whatever the policies say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) refused: Option<String>,
    /// Policies for the path that are not for the request.
    pub(super) passed_over: Vec<PassedOver>,
    /// How many policies there are.
    #[serde(skip)]
    pub(super) of: usize,
    /// The one that holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<Holds>,
    /// What holds where no policy does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) unmatched: Option<&'static str>,
    /// What its calls are counted under, where nothing limits it.
    #[serde(skip_serializing_if = "Option::is_none")]
    counted_as: Option<String>,
    /// Whose windows they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) subject: Option<String>,
    /// The option that would have said it.
    #[serde(skip)]
    pub(super) unsaid: Option<&'static str>,
    /// Why the state of the windows is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) unknown: Option<String>,
    windows: Vec<WindowFound>,
    /// Whether a call now would be admitted.
    #[serde(skip_serializing_if = "Option::is_none")]
    admits: Option<bool>,
}

/// A policy that would be for the path.
#[derive(Debug, Serialize)]
pub(super) struct PassedOver {
    pub(super) number: usize,
    pub(super) policy: String,
    pub(super) why: String,
}

/// The policy that holds: what it matches, and what it holds a request to.
#[derive(Debug, Serialize)]
struct Holds {
    number: usize,
    name: String,
    matches: String,
    terms: String,
}

/// A window; durations are seconds.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct WindowFound {
    name: String,
    quota: u32,
    period: f64,
    #[serde(flatten)]
    state: Option<StateFound>,
    #[serde(skip)]
    text: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct StateFound {
    remaining: u32,
    reset_after: f64,
    retry_after: f64,
}

impl Explanation {
    pub(super) fn of(method: &str, path: &str) -> Self {
        Self { method: method.to_owned(), path: path.to_owned(), ..Self::default() }
    }

    /// This rule holds.
    pub(super) fn holds(&mut self, number: usize, rule: &Rule, method: &str) {
        let name = rule.options().policy.name().to_string();
        self.policy = Some(Holds { number, name, matches: matcher(rule), terms: terms(rule, method) });
    }

    /// Nothing limits it.
    pub(super) fn is_unlimited(&mut self, policy: &Policy) {
        self.counted_as = Some(policy.api().to_string());
    }

    /// These are the windows, and how they stand, if that is known.
    pub(super) fn windows(&mut self, policy: &Policy, decision: Option<&Decision>) {
        for (at, (name, window)) in policy.window_names().iter().zip(policy.windows()).enumerate() {
            let state = decision.and_then(|decision| decision.windows.get(at));
            let period = humantime::format_duration(window.period());
            let found = |state: &WindowState| StateFound {
                remaining: state.remaining,
                reset_after: state.reset_after.as_secs_f64(),
                retry_after: state.retry_after.as_secs_f64(),
            };
            self.windows.push(WindowFound {
                name: name.clone(),
                quota: window.quota(),
                period: window.period().as_secs_f64(),
                state: state.map(found),
                text: format!("  {name}: {} in {period}{}", window.quota(), stands(state)),
            });
        }
        self.admits = decision.map(Decision::allowed);
    }

    /// As it is told.
    pub(super) fn said(&self) -> Said {
        Said::new(self.text(), self)
    }

    fn text(&self) -> String {
        let mut said = String::new();
        if let Some(why) = &self.refused {
            line(&mut said, format_args!("{} is refused: {why}", self.path));
            return said;
        }
        line(&mut said, format_args!("{} {}", self.method.escape_debug(), self.path));
        for PassedOver { number, policy, why } in &self.passed_over {
            line(&mut said, format_args!("not {number}, \"{policy}\": {why}"));
        }
        if let Some(Holds { number, name, matches, terms }) = &self.policy {
            line(&mut said, format_args!("policy {number} of {}, \"{name}\": {matches}", self.of));
            line(&mut said, format_args!("{terms}"));
        }
        if let Some(fate) = self.unmatched {
            line(&mut said, format_args!("none of {} policies is for it: {fate}", self.of));
        }
        if let Some(api) = &self.counted_as {
            line(&mut said, format_args!("no limit; counted as \"{api}\""));
        }
        if let Some(option) = self.unsaid {
            line(&mut said, format_args!("whose? {option} says it; then the state of the windows is told:"));
        }
        for words in [&self.subject, &self.unknown].into_iter().flatten() {
            line(&mut said, format_args!("{words}:"));
        }
        for window in &self.windows {
            line(&mut said, format_args!("{}", window.text));
        }
        match self.admits {
            Some(true) => line(&mut said, format_args!("a call now would be admitted")),
            Some(false) => line(&mut said, format_args!("a call now would be denied")),
            None => {}
        }
        said
    }
}

/// What a rule matches on.
fn matcher(rule: &Rule) -> String {
    let options = rule.options();
    let methods =
        if options.methods.is_empty() { "any method".to_owned() } else { options.methods.join(", ") };
    let host = options.host.as_ref().map_or("any host", |host| host.as_str());
    format!("path {}, {methods}, {host}", options.path.as_str())
}

/// What a rule holds a request to.
fn terms(rule: &Rule, method: &str) -> String {
    let (options, policy) = (rule.options(), rule.policy(method));
    let whom = match &options.whom {
        Whom::User => "user".to_owned(),
        Whom::UserAndPath => "user and path".to_owned(),
        Whom::Address => "address".to_owned(),
        Whom::Header(name) => format!("header {name}"),
    };
    let session = if options.session { "needs a session" } else { "needs no session" };
    let mode = match options.mode {
        Mode::Enforce => "enforced",
        Mode::Shadow => "in shadow mode",
    };
    let outage = match options.on_outage {
        OnOutage::Closed => "closed",
        OnOutage::Open => "open",
        OnOutage::Local => "local",
    };
    format!(
        "limited by {whom}, {session}, {mode}, costs {}, counted as \"{}\", {outage} while Redis is away",
        policy.cost(),
        policy.api()
    )
}

fn stands(state: Option<&WindowState>) -> String {
    match state {
        None => String::new(),
        Some(state) if state.violated() => {
            format!(": {} left, denies for {}", state.remaining, rounded(state.retry_after))
        }
        Some(state) if state.reset_after.is_zero() => format!(": {} left, none held", state.remaining),
        Some(state) => format!(": {} left, one more in {}", state.remaining, rounded(state.reset_after)),
    }
}

fn rounded(wait: Duration) -> humantime::FormattedDuration {
    humantime::format_duration(Duration::from_millis(
        u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).max(1),
    ))
}
