//! What operators ask, as the operator listener takes it. Durations are microseconds.

use std::{net::IpAddr, time::Duration};

use serde::{Deserialize, Serialize};
use tollbar_core::{
    domain::{Algorithm, ApiName, Fingerprint, Policy, PolicyError, PolicyName, Quota, Window},
    usecases::TOP_LIMIT,
};

/// `GET /admin/v1/top`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct TopQuestion {
    /// Calls to what; that of `/ping` where it is not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) api: Option<String>,
    pub(crate) window: String,
    pub(crate) by: String,
    pub(crate) limit: usize,
}

impl Default for TopQuestion {
    fn default() -> Self {
        Self { api: None, window: "all".to_owned(), by: "calls".to_owned(), limit: TOP_LIMIT }
    }
}

/// Which account is meant: a username, or `id:7`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct AccountQuestion {
    pub(crate) user: String,
}

/// Whose limits are meant.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Whose {
    /// A user's: a username, or `id:7`.
    User(String),
    /// Those of a client's address.
    Address(IpAddr),
    /// Those of what a header says; without a value, of all calls without it.
    Header {
        name: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        value: Option<String>,
    },
}

/// `POST /admin/v1/limits/reset`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ResetQuestion {
    pub(crate) whose: Whose,
    /// Of which policy; of all where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) policy: Option<String>,
}

/// `POST /admin/v1/limits/peek`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PeekQuestion {
    pub(crate) whose: Whose,
    pub(crate) policy: PolicyQuestion,
}

/// A policy, as whoever asks has it: the process may have another under its name.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PolicyQuestion {
    name: String,
    is_gcra: bool,
    windows: Vec<WindowQuestion>,
    cost: u32,
    /// The path, where each has limits of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    path: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct WindowQuestion {
    quota: u32,
    period: u64,
}

impl PolicyQuestion {
    pub(crate) fn new(policy: &Policy, path: Option<&str>) -> Self {
        let window =
            |window: &Window| WindowQuestion { quota: window.quota(), period: window.period_micros() };
        Self {
            name: policy.name().as_str().to_owned(),
            is_gcra: policy.algorithm() == Algorithm::Gcra,
            windows: policy.windows().iter().map(window).collect(),
            cost: policy.cost(),
            path: path.map(str::to_owned),
        }
    }

    pub(crate) fn policy(&self) -> Result<Policy, PolicyError> {
        let (name, api) =
            (PolicyName::new(&self.name)?, ApiName::new(&self.name).map_err(|_| PolicyError::Name)?);
        let window = |window: &WindowQuestion| {
            Window::new(Quota::new(window.quota)?, Duration::from_micros(window.period))
        };
        let windows = self.windows.iter().map(window).collect::<Result<_, _>>()?;
        let policy =
            if self.is_gcra { Policy::gcra(name, api, windows) } else { Policy::new(name, api, windows) };
        let policy = policy?.with_cost(self.cost)?;
        Ok(match &self.path {
            Some(path) => policy.at_path(Fingerprint::of_path(path)),
            None => policy,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_the_same_after_the_way() {
        let window =
            |quota, secs| Window::new(Quota::new(quota).unwrap(), Duration::from_secs(secs)).unwrap();
        let (name, api) = (PolicyName::new("p").unwrap(), ApiName::new("p").unwrap());
        let windows = vec![window(7, 1), window(9, 60)];
        for policy in [
            Policy::new(name.clone(), api.clone(), windows.clone()).unwrap().with_cost(3).unwrap(),
            Policy::gcra(name, api, windows).unwrap(),
        ] {
            for path in [None, Some("/a")] {
                let question = PolicyQuestion::new(&policy, path);
                let sent = serde_json::to_string(&question).unwrap();
                let there = serde_json::from_str::<PolicyQuestion>(&sent).unwrap().policy().unwrap();
                let here = match path {
                    Some(path) => policy.at_path(Fingerprint::of_path(path)),
                    None => policy.clone(),
                };
                assert_eq!(
                    (there.windows(), there.cost(), there.path()),
                    (here.windows(), here.cost(), here.path())
                );
                assert_eq!((there.name(), there.algorithm()), (here.name(), here.algorithm()));
            }
        }
        let bad = r#"{"name":"p","isGcra":false,"windows":[{"quota":0,"period":1000000}],"cost":1}"#;
        assert!(serde_json::from_str::<PolicyQuestion>(bad).unwrap().policy().is_err());
    }
}
