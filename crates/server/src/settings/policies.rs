//! `[[policies]]`: so far exactly one, of `/ping`.

use config::{Map, Value, ValueKind};
use tollbar_core::domain::{ApiName, Policy, PolicyName, Quota, Window};

use super::{SettingsError, keys::Keys};

const PATH: &str = "/ping";
const API: &str = "ping";

pub(super) fn read(keys: &Keys) -> Result<Policy, SettingsError> {
    let list = keys.value("policies")?;
    let (origin, rule) = (list.clone(), "a list of exactly one policy, in a file, in this version");
    let ValueKind::Array(mut policies) = list.kind else { return Err(keys.bad("policies", &origin, rule)) };
    let (Some(policy), true) = (policies.pop(), policies.is_empty()) else {
        return Err(keys.bad("policies", &origin, rule));
    };
    let mut policy = Table::of(keys, "policies", policy)?;

    let name = policy.take("name")?;
    let name = policy.text("name", &name, |text| PolicyName::new(text).map_err(said))?;
    let path = policy.take("path")?;
    policy.text("path", &path, |text| {
        if text == PATH { Ok(()) } else { Err(format!("it must be \"{PATH}\" in this version")) }
    })?;
    let windows = policy.take("windows")?;
    policy.end()?;

    let rule = "a list of windows such as { quota = 1, period = \"5s\" }";
    let ValueKind::Array(list) = windows.kind.clone() else {
        return Err(keys.bad("policies.windows", &windows, rule));
    };
    let list = list.into_iter().map(|item| window(keys, item)).collect::<Result<_, _>>()?;
    let api = ApiName::new(API).expect("a constant that is a name");
    Policy::new(name, api, list).map_err(|error| refused(keys, "policies.windows", &windows, said(error)))
}

fn window(keys: &Keys, item: Value) -> Result<Window, SettingsError> {
    let mut window = Table::of(keys, "policies.windows", item)?;
    let (quota, period) = (window.take("quota")?, window.take("period")?);
    window.end()?;
    let quota = window.text("quota", &quota, |text| {
        let units = text.parse().map_err(|_| "it must be a whole number".to_owned())?;
        Quota::new(units).map_err(said)
    })?;
    window.text("period", &period, |text| {
        let period = humantime::parse_duration(text);
        let period = period.map_err(|_| "it must be a duration such as \"5s\"".to_owned())?;
        Window::new(quota, period).map_err(said)
    })
}

fn said(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn refused(keys: &Keys, key: &str, value: &Value, rule: String) -> SettingsError {
    match keys.bad(key, value, "") {
        SettingsError::Bad { key, value, origin, .. } => SettingsError::Bad { key, value, origin, rule },
        other => other,
    }
}

/// One table of a list: each member is taken once, and none may be left.
struct Table<'a> {
    keys: &'a Keys,
    name: &'static str,
    whole: Value,
    rest: Map<String, Value>,
}

impl<'a> Table<'a> {
    fn of(keys: &'a Keys, name: &'static str, item: Value) -> Result<Self, SettingsError> {
        let ValueKind::Table(rest) = item.kind.clone() else {
            return Err(keys.bad(name, &item, "a table"));
        };
        Ok(Self { keys, name, whole: item, rest })
    }

    fn key(&self, member: &str) -> String {
        format!("{}.{member}", self.name)
    }

    fn take(&mut self, member: &str) -> Result<Value, SettingsError> {
        let found = self.rest.remove(member);
        found.ok_or_else(|| self.keys.bad(self.name, &self.whole, format!("complete: it lacks {member}")))
    }

    fn text<T>(
        &self,
        member: &str,
        value: &Value,
        rule: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<T, SettingsError> {
        let refused = |rule| refused(self.keys, &self.key(member), value, rule);
        let text = value.clone().into_string().map_err(|_| refused("it must be one value".to_owned()))?;
        rule(&text).map_err(refused)
    }

    fn end(&self) -> Result<(), SettingsError> {
        match self.rest.iter().next() {
            Some((member, value)) => Err(self.keys.unknown(&self.key(member), value)),
            None => Ok(()),
        }
    }
}
