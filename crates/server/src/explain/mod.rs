//! Which policy is for a request, and how its windows stand: the answer to "why was I denied?".

mod explanation;

use std::{net::IpAddr, sync::Arc};

use actix_web::http::{Method, header::HeaderName};
use clap::Args;
use tollbar_core::{
    domain::{Decision, Fingerprint, Policy, UserId},
    gate::LiveProcesses,
    policies::{Mismatch, PolicyTable, RequestPath, Rule, Whom, is_ambiguous_method},
    ports::SystemClock,
};

use self::explanation::{Explanation, PassedOver};
use crate::{
    cli::{CommandError, Said},
    live::Live,
    operations::{AdminUrl, PeekQuestion, PolicyQuestion, Whose, process_of, subject},
    settings::Settings,
    telemetry::one_line,
};

/// The request that is asked about.
#[derive(Debug, Args)]
pub struct Explain {
    /// Its method
    #[arg(long, default_value = "GET", value_parser = method)]
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

fn method(text: &str) -> Result<String, String> {
    match Method::from_bytes(text.as_bytes()) {
        Ok(method) => Ok(method.to_string()),
        Err(_) => Err("it is no method, such as GET".to_owned()),
    }
}

fn user(text: &str) -> Result<UserId, String> {
    let id = text.parse().map_err(|_| "a user is a whole number".to_owned())?;
    UserId::new(id).map_err(|error| error.to_string())
}

/// A header as the command line has it.
pub(crate) fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("a header is NAME=VALUE")?;
    HeaderName::try_from(name).map_err(|_| format!("{name:?} is no name of a header"))?;
    Ok((name.to_owned(), value.to_owned()))
}

impl Explain {
    /// Explains it, on the live tier that the settings name, or as the process says that has it in its memory.
    ///
    /// # Errors
    /// The settings of Redis cannot be used, or the process that `admin` names cannot be asked. That Redis is away is said in the answer.
    pub(crate) async fn explain(
        &self,
        settings: &Settings,
        admin: Option<&AdminUrl>,
    ) -> Result<Said, CommandError> {
        let mut found = Explanation::of(&self.method, &self.path);
        let table = settings.policies.table();
        let path = match RequestPath::of(self.path.as_bytes()) {
            Ok(path) => path,
            Err(error) => {
                found.refused = Some(error.to_string());
                return Ok(found.said());
            }
        };
        path.as_str().clone_into(&mut found.path);
        if is_ambiguous_method(&self.method) {
            found.refused = Some("a method in lower case is another one to some programs".to_owned());
            return Ok(found.said());
        }
        let Some(rule) = self.which(&table, &path, &mut found) else { return Ok(found.said()) };
        let policy = rule.policy(&self.method);
        if policy.windows().is_empty() {
            found.is_unlimited(policy);
            return Ok(found.said());
        }
        let Some(whose) = self.whose(rule, &mut found) else {
            found.windows(policy, None);
            return Ok(found.said());
        };
        let own_path = (rule.options().whom == Whom::UserAndPath).then(|| path.as_str());
        match state(settings, admin, policy, own_path, whose).await? {
            Ok(decision) => found.windows(policy, Some(&decision)),
            Err(unknown) => {
                found.unknown = Some(unknown);
                found.windows(policy, None);
            }
        }
        Ok(found.said())
    }

    /// The rule that holds, and why no other does.
    fn which<'a>(
        &self,
        table: &'a PolicyTable,
        path: &RequestPath<'_>,
        found: &mut Explanation,
    ) -> Option<&'a Arc<Rule>> {
        let host = self.host.as_deref();
        found.of = table.rules().len();
        for (at, rule) in table.rules().iter().enumerate() {
            let options = rule.options();
            let why = match rule.mismatch(&self.method, host, path) {
                None => {
                    found.holds(at + 1, rule, &self.method);
                    return Some(rule);
                }
                Some(Mismatch::Method) => format!("it is for {}", options.methods.join(", ")),
                Some(Mismatch::Host) => {
                    let wanted = options.host.as_ref().map_or("", |host| host.as_str());
                    format!("it is for the host {wanted}")
                }
                // Nearly all of a long list: to name each would hide the one that matters.
                Some(Mismatch::Path) => continue,
            };
            found.passed_over.push(PassedOver {
                number: at + 1,
                policy: options.policy.name().to_string(),
                why,
            });
        }
        let rule = table.find(&self.method, host, path);
        found.unmatched = Some(match rule.map(|rule| rule.options().session) {
            None => "it is refused (authz.unmatched = \"deny\")",
            Some(true) => "a live session suffices (authz.unmatched = \"session\")",
            Some(false) => "it goes through (authz.unmatched = \"allow\")",
        });
        rule
    }

    /// Who is limited, if that was said.
    fn whose(&self, rule: &Rule, found: &mut Explanation) -> Option<Whose> {
        let (option, whose) = match &rule.options().whom {
            Whom::User | Whom::UserAndPath => {
                ("--user", self.user.map(|user| (format!("user {user}"), Whose::User(format!("id:{user}")))))
            }
            Whom::Address => {
                let of = |address| (format!("address {address}"), Whose::Address(address));
                ("--address", self.address.map(of))
            }
            Whom::Header(name) => {
                let given = self.header.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
                let what = if given.is_some() { "" } else { ", of all calls without it" };
                let value = given.map(|(_, value)| value.clone());
                (
                    "--header",
                    Some((format!("header {name}{what}"), Whose::Header { name: name.clone(), value })),
                )
            }
        };
        let Some((text, whose)) = whose else {
            found.unsaid = Some(option);
            return None;
        };
        found.subject = Some(text);
        Some(whose)
    }
}

/// How the windows stand, or why that is not known.
async fn state(
    settings: &Settings,
    admin: Option<&AdminUrl>,
    policy: &Policy,
    own_path: Option<&str>,
    whose: Whose,
) -> Result<Result<Decision, String>, CommandError> {
    let Some(redis) = settings.redis.as_ref().filter(|_| admin.is_none()) else {
        let Some(process) = process_of(settings, admin).await? else {
            return Ok(Err("the windows' state is in the memory of the process that serves".to_owned()));
        };
        let question = PeekQuestion { whose, policy: PolicyQuestion::new(policy, own_path) };
        return Ok(match process.peek(&question).await {
            Ok(answer) => Ok(answer.decision(policy)),
            Err(error) => Err(one_line(&error)),
        });
    };
    let live =
        Live::start(Some(redis), settings.session.cache_ttl, Arc::new(SystemClock), LiveProcesses::default());
    let live = live.await?;
    let policy = match own_path {
        Some(path) => policy.at_path(Fingerprint::of_path(path)),
        None => policy.clone(),
    };
    let peeked = live.tier.limiter.peek(&policy, subject(&whose)?).await;
    live.end().await;
    Ok(peeked.map_err(|error| format!("Redis does not answer ({error})")))
}
