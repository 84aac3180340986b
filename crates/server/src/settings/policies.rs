//! `[[policies]]` and `authz.unmatched`: which requests are held to what.

use config::{Value, ValueKind};
use tollbar_core::{
    domain::{ApiName, Policy, PolicyName, Quota, Window},
    policies::{
        HostPattern, Mode, OnOutage, PathPattern, PolicyTable, Rule, RuleOptions, TableError, Unmatched, Whom,
    },
};

use super::{SettingsError, keys::Keys, table::Table};

/// `[[policies]]` and `authz.unmatched`
#[derive(Debug, Clone)]
pub struct PolicySettings {
    rules: Vec<Rule>,
    unmatched: Unmatched,
    are_of_file: bool,
}

impl PolicySettings {
    pub(super) fn read(keys: &Keys) -> Result<Self, SettingsError> {
        let list = keys.value("policies")?;
        let ValueKind::Array(items) = list.kind.clone() else {
            return Err(keys.bad("policies", &list, "it must be a list of policies, in a file"));
        };
        let rule = |(at, item)| rule(keys, format!("policies[{at}]"), item);
        let rules = items.into_iter().enumerate().map(rule).collect::<Result<_, _>>()?;
        let words = [("session", Unmatched::Session), ("deny", Unmatched::Deny), ("allow", Unmatched::Allow)];
        let (unmatched, are_of_file) =
            (keys.choice("authz.unmatched", &words)?, keys.are_in_file("policies"));
        let settings = Self { rules, unmatched, are_of_file };
        match PolicyTable::new(settings.rules.clone(), settings.unmatched) {
            Ok(_) => Ok(settings),
            Err(error @ (TableError::Twice(at, _) | TableError::Reserved(at))) => {
                let key = format!("policies[{at}].name");
                let name = settings.rules[at].options().policy.name().as_str();
                Err(keys.bad(
                    &key,
                    &Value::new(list.origin().map(str::to_owned).as_ref(), name),
                    error.to_string(),
                ))
            }
        }
    }

    /// The policies, compiled.
    pub fn table(&self) -> PolicyTable {
        PolicyTable::new(self.rules.clone(), self.unmatched).expect("it was compiled once when it was read")
    }

    /// Whether they are a file's, and not those of the default.
    pub(crate) fn are_of_file(&self) -> bool {
        self.are_of_file
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.rules.len()
    }
}

fn rule(keys: &Keys, path: String, item: Value) -> Result<Rule, SettingsError> {
    let mut table = Table::of(keys, path, item)?;
    let name = table.required("name", |text| PolicyName::new(text).map_err(said))?;
    let api = table.optional("api", |text| ApiName::new(text).map_err(said))?;
    let api = api.unwrap_or_else(|| ApiName::new(name.as_str()).expect("names of both follow one rule"));
    let path = table.required("path", |text| PathPattern::new(text).map_err(said))?;
    let methods = methods(&mut table)?;
    let host = table.optional("host", |text| HostPattern::new(text).map_err(said))?;
    let whom = table.optional("limit_by", whom)?.unwrap_or_default();
    let session = table.optional("session", truth)?.unwrap_or(true);
    let mode = table.choice("mode", &[("enforce", Mode::Enforce), ("shadow", Mode::Shadow)])?;
    let outages = [("closed", OnOutage::Closed), ("open", OnOutage::Open), ("local", OnOutage::Local)];
    let on_outage = table.choice("on_outage", &outages)?;
    let policy = policy(keys, &mut table, name, api)?;
    let (policy, costs) = cost(keys, &mut table, policy)?;
    table.end()?;
    let options = RuleOptions { policy, costs, methods, host, path, whom, session, mode, on_outage };
    Rule::new(options).map_err(|error| table.refused(&error))
}

fn methods(table: &mut Table<'_>) -> Result<Vec<String>, SettingsError> {
    let Some(value) = table.take_if_any("methods") else { return Ok(Vec::new()) };
    let items = table.list("methods", &value, "methods such as \"GET\"")?;
    if items.is_empty() {
        return Err(table.refused_member("methods", &value, &"it must name a method; without it, all match"));
    }
    let word = |(_, item): (String, Value)| table.text("methods", &item, |text| Ok(text.to_owned()));
    items.into_iter().map(word).collect()
}

fn whom(text: &str) -> Result<Whom, String> {
    match text {
        "user" => Ok(Whom::User),
        "user+path" => Ok(Whom::UserAndPath),
        "address" => Ok(Whom::Address),
        _ => match text.strip_prefix("header:") {
            Some(name) => Ok(Whom::Header(name.to_owned())),
            None => Err("it must be \"user\", \"user+path\", \"address\" or \"header:NAME\"".to_owned()),
        },
    }
}

fn truth(text: &str) -> Result<bool, String> {
    text.parse().map_err(|_| "it must be true or false".to_owned())
}

fn policy(
    keys: &Keys,
    table: &mut Table<'_>,
    name: PolicyName,
    api: ApiName,
) -> Result<Policy, SettingsError> {
    let by_buckets = table.choice("algorithm", &[("exact", false), ("gcra", true)])?;
    let windows = table.take("windows")?;
    let (mut list, mut names) = (Vec::new(), Vec::new());
    for (path, item) in table.list("windows", &windows, "windows such as { quota = 1, period = \"5s\" }")? {
        let (name, window) = window(keys, path, item)?;
        names.push(name);
        list.push(window);
    }
    if list.is_empty() {
        return Ok(Policy::unlimited(name, api));
    }
    let policy = if by_buckets { Policy::gcra(name, api, list) } else { Policy::new(name, api, list) };
    let policy = policy.and_then(|policy| policy.with_window_names(names.iter().map(Option::as_deref)));
    policy.map_err(|error| table.refused_member("windows", &windows, &error))
}

fn window(keys: &Keys, path: String, item: Value) -> Result<(Option<String>, Window), SettingsError> {
    let mut table = Table::of(keys, path, item)?;
    let name = table.optional("name", |text| Ok(text.to_owned()))?;
    let quota = table.required("quota", |text| {
        let units = text.parse().map_err(|_| "it must be a whole number".to_owned())?;
        Quota::new(units).map_err(said)
    })?;
    let window = table.required("period", |text| {
        let period = humantime::parse_duration(text);
        let period = period.map_err(|_| "it must be a duration such as \"5s\"".to_owned())?;
        Window::new(quota, period).map_err(said)
    })?;
    table.end()?;
    Ok((name, window))
}

/// The policy with the cost of a call, and the costs of single methods.
fn cost(
    keys: &Keys,
    table: &mut Table<'_>,
    policy: Policy,
) -> Result<(Policy, Vec<(String, u32)>), SettingsError> {
    let number = |text: &str| text.parse::<u32>().map_err(|_| "it must be a whole number".to_owned());
    let Some(value) = table.take_if_any("cost") else { return Ok((policy, Vec::new())) };
    let ValueKind::Table(methods) = value.kind.clone() else {
        let charged = |text: &str| policy.clone().with_cost(number(text)?).map_err(said);
        return Ok((table.text("cost", &value, charged)?, Vec::new()));
    };
    let of_methods = Table::of(keys, table.key("cost"), value)?;
    let mut costs = Vec::new();
    for (method, cost) in methods {
        let units = of_methods.text(&method, &cost, |text| {
            let units = number(text)?;
            policy.clone().with_cost(units).map(|_| units).map_err(said)
        })?;
        costs.push((method, units));
    }
    Ok((policy, costs))
}

fn said(error: impl std::fmt::Display) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests;
