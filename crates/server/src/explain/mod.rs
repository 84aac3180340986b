//! Which policy is for a request, and how its windows stand: the answer to "why was I denied?".

use std::{fmt::Write as _, net::IpAddr, sync::Arc, time::Duration};

use clap::Args;
use tollbar_core::{
    domain::{Decision, Fingerprint, Policy, Subject, UserId},
    gate::LiveProcesses,
    policies::{Mismatch, Mode, OnOutage, PolicyTable, RequestPath, Rule, Whom},
    ports::SystemClock,
};

use crate::{live::Live, settings::Settings, start_error::StartError};

/// The request that is asked about.
#[derive(Debug, Args)]
pub struct Explain {
    /// Its method
    #[arg(long, default_value = "GET")]
    method: String,
    /// Its path
    #[arg(long)]
    path: String,
    /// The host that it is for
    #[arg(long)]
    host: Option<String>,
    /// Whose it is, by number
    #[arg(long, value_parser = user)]
    user: Option<UserId>,
    /// Where it comes from
    #[arg(long)]
    address: Option<IpAddr>,
    /// What a header says, as NAME=VALUE
    #[arg(long, value_parser = header)]
    header: Vec<(String, String)>,
}

fn user(text: &str) -> Result<UserId, String> {
    let id = text.parse().map_err(|_| "a user is a whole number".to_owned())?;
    UserId::new(id).map_err(|error| error.to_string())
}

fn header(text: &str) -> Result<(String, String), String> {
    let parts = text.split_once('=').ok_or("a header is NAME=VALUE")?;
    Ok((parts.0.to_owned(), parts.1.to_owned()))
}

impl Explain {
    /// Explains it, on the live tier that the settings name.
    ///
    /// # Errors
    /// The settings of Redis cannot be used. That it is away is said in the answer.
    pub async fn explain(&self, settings: &Settings) -> Result<String, StartError> {
        let table = settings.policies.table();
        let path = match RequestPath::of(self.path.as_bytes()) {
            Ok(path) => path,
            Err(error) => return Ok(format!("{} is refused: {error}\n", self.path)),
        };
        let mut said = String::new();
        line(&mut said, format_args!("{} {}", self.method.escape_debug(), path.as_str()));
        let Some(rule) = self.which(&table, &path, &mut said) else { return Ok(said) };
        if rule.policy(&self.method).windows().is_empty() {
            line(&mut said, format_args!("no limit; counted as \"{}\"", rule.counting().api()));
            return Ok(said);
        }
        let policy = match rule.options().whom {
            Whom::UserAndPath => rule.policy(&self.method).at_path(Fingerprint::of_path(path.as_str())),
            _ => rule.policy(&self.method).clone(),
        };
        let Some(subject) = self.subject(rule, &mut said) else {
            windows(&policy, None, &mut said);
            return Ok(said);
        };
        if settings.redis.is_none() {
            line(&mut said, format_args!("the windows' state is in the memory of the process that serves:"));
            windows(&policy, None, &mut said);
            return Ok(said);
        }
        let clock = Arc::new(SystemClock);
        let (redis, cache_ttl) = (settings.redis.as_ref(), settings.session.cache_ttl);
        let live = Live::start(redis, cache_ttl, clock, LiveProcesses::default()).await?;
        match live.tier.limiter.peek(&policy, subject).await {
            Ok(decision) => windows(&policy, Some(&decision), &mut said),
            Err(error) => {
                line(&mut said, format_args!("Redis does not answer ({error}):"));
                windows(&policy, None, &mut said);
            }
        }
        live.end().await;
        Ok(said)
    }

    /// The rule that holds, and why no other does.
    fn which<'a>(
        &self,
        table: &'a PolicyTable,
        path: &RequestPath<'_>,
        said: &mut String,
    ) -> Option<&'a Arc<Rule>> {
        let host = self.host.as_deref();
        let all = table.rules().len();
        for (at, rule) in table.rules().iter().enumerate() {
            let options = rule.options();
            let name = options.policy.name();
            let number = at + 1;
            match rule.mismatch(&self.method, host, path) {
                None => {
                    line(said, format_args!("policy {number} of {all}, \"{name}\": {}", matcher(rule)));
                    line(said, format_args!("{}", terms(rule, &self.method)));
                    return Some(rule);
                }
                Some(Mismatch::Method) => {
                    let methods = options.methods.join(", ");
                    line(said, format_args!("not {number}, \"{name}\": it is for {methods}"));
                }
                Some(Mismatch::Host) => {
                    let wanted = options.host.as_ref().map_or("", |host| host.as_str());
                    line(said, format_args!("not {number}, \"{name}\": it is for the host {wanted}"));
                }
                // Nearly all of a long list: to name each would hide the one that matters.
                Some(Mismatch::Path) => {}
            }
        }
        let rule = table.find(&self.method, host, path);
        let fate = match rule.map(|rule| rule.options().session) {
            None => "it is refused (authz.unmatched = \"deny\")",
            Some(true) => "a live session suffices (authz.unmatched = \"session\")",
            Some(false) => "it goes through (authz.unmatched = \"allow\")",
        };
        line(said, format_args!("none of {all} policies is for it: {fate}"));
        rule
    }

    /// Who is limited, if that was said.
    fn subject(&self, rule: &Rule, said: &mut String) -> Option<Subject> {
        let (who, subject) = match &rule.options().whom {
            Whom::User | Whom::UserAndPath => {
                ("--user", self.user.map(|user| (format!("user {user}"), user.into())))
            }
            Whom::Address => {
                let of = |address| (format!("address {address}"), Subject::address(address));
                ("--address", self.address.map(of))
            }
            Whom::Header(name) => {
                let given = self.header.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
                let value = given.map(|(_, value)| value.as_bytes());
                let what = if given.is_some() { "" } else { ", of all calls without it" };
                ("--header", Some((format!("header {name}{what}"), Subject::header(name, value))))
            }
        };
        let Some((text, subject)) = subject else {
            line(said, format_args!("whose? {who} says it; then the state of the windows is told:"));
            return None;
        };
        line(said, format_args!("{text}:"));
        Some(subject)
    }
}

fn line(said: &mut String, words: std::fmt::Arguments<'_>) {
    writeln!(said, "{words}").expect("a text takes more text");
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

fn windows(policy: &Policy, decision: Option<&Decision>, said: &mut String) {
    for (at, (name, window)) in policy.window_names().iter().zip(policy.windows()).enumerate() {
        let period = humantime::format_duration(window.period());
        let state = match decision.and_then(|decision| decision.windows.get(at)) {
            None => String::new(),
            Some(state) if state.violated() => {
                format!(": {} left, denies for {}", state.remaining, rounded(state.retry_after))
            }
            Some(state) if state.reset_after.is_zero() => format!(": {} left, none held", state.remaining),
            Some(state) => {
                format!(": {} left, one more in {}", state.remaining, rounded(state.reset_after))
            }
        };
        line(said, format_args!("  {name}: {} in {period}{state}", window.quota()));
    }
    if let Some(decision) = decision {
        let fate =
            if decision.allowed() { "a call now would be admitted" } else { "a call now would be denied" };
        line(said, format_args!("{fate}"));
    }
}

fn rounded(wait: Duration) -> humantime::FormattedDuration {
    humantime::format_duration(Duration::from_millis(
        u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).max(1),
    ))
}
