//! The whole list, compiled: one pass over the path, however long the list is.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::{PathPattern, RequestPath, Rule, RuleOptions, host, tree::PathTree};
use crate::domain::{ApiName, Policy, PolicyName};

/// What happens to a request that no rule is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unmatched {
    /// A live session suffices; the call is counted under the name `unmatched` and has no limit.
    #[default]
    Session,
    /// It is refused.
    Deny,
    /// It goes through, and nobody asks who it is.
    Allow,
}

/// Why a list is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// Two rules would share their state. The number is that of the second, from 0.
    #[error("the name \"{1}\" is another policy's, too")]
    Twice(usize, PolicyName),
    /// The name of the calls that no rule is for. The number is the rule's, from 0.
    #[error("the name \"{UNMATCHED}\" is that of calls which no policy is for")]
    Reserved(usize),
}

const UNMATCHED: &str = "unmatched";

/// Rules in their order: the first that is for a request holds.
#[derive(Debug)]
pub struct PolicyTable {
    rules: Vec<Arc<Rule>>,
    /// Of rules for any host, or for several.
    paths: PathTree,
    /// Of rules for one host, by its name.
    of_hosts: HashMap<String, PathTree>,
    asks_for_hosts: bool,
    unmatched: Option<Arc<Rule>>,
}

impl PolicyTable {
    /// Compiles a list.
    pub fn new(rules: Vec<Rule>, unmatched: Unmatched) -> Result<Self, TableError> {
        let mut names = HashSet::new();
        for (at, rule) in rules.iter().enumerate() {
            let name = rule.options().policy.name();
            if name.as_str() == UNMATCHED {
                return Err(TableError::Reserved(at));
            }
            if !names.insert(name) {
                return Err(TableError::Twice(at, name.clone()));
            }
        }
        let (mut paths, mut of_hosts) = (PathTree::default(), HashMap::<String, PathTree>::new());
        for (at, rule) in rules.iter().enumerate() {
            let host = rule.options().host.as_ref().and_then(|host| host.only());
            let tree = host.map_or(&mut paths, |host| of_hosts.entry(host.to_owned()).or_default());
            tree.add(&rule.options().path, at);
        }
        let asks_for_hosts = rules.iter().any(|rule| rule.options().host.is_some());
        let rules = rules.into_iter().map(Arc::new).collect();
        Ok(Self {
            rules,
            paths,
            of_hosts,
            asks_for_hosts,
            unmatched: rule_of_unmatched(unmatched).map(Arc::new),
        })
    }

    /// The rules, in their order.
    pub fn rules(&self) -> &[Arc<Rule>] {
        &self.rules
    }

    /// What calls are counted under, as often as rules say so; that of unmatched requests included.
    pub fn apis(&self) -> impl Iterator<Item = &ApiName> {
        self.rules.iter().chain(&self.unmatched).map(|rule| rule.options().policy.api())
    }

    /// Whether any rule is for certain hosts only.
    pub fn asks_for_hosts(&self) -> bool {
        self.asks_for_hosts
    }

    /// The rule that holds for a request; that of unmatched requests where there is no other. `None`: it is to be refused.
    pub fn find(&self, method: &str, host: Option<&str>, path: &RequestPath<'_>) -> Option<&Arc<Rule>> {
        self.matched(method, host, path).or(self.unmatched.as_ref())
    }

    /// The same without the rule of unmatched requests.
    pub fn matched(&self, method: &str, host: Option<&str>, path: &RequestPath<'_>) -> Option<&Arc<Rule>> {
        let first = |tree: &PathTree| tree.first(path, &|at| self.rules[at].takes(method, host));
        let of_host = || self.of_hosts.get(&host::name_of(host?).to_ascii_lowercase()).and_then(first);
        let of_host = if self.of_hosts.is_empty() { None } else { of_host() };
        // Of two that are for it, the one that stands first in the list.
        let found = of_host.into_iter().chain(first(&self.paths)).min();
        found.map(|at| &self.rules[at])
    }
}

/// What unmatched requests go by.
fn rule_of_unmatched(unmatched: Unmatched) -> Option<Rule> {
    const NAME: &str = "a constant that is a name";
    let (name, api) = (PolicyName::new(UNMATCHED).expect(NAME), ApiName::new(UNMATCHED).expect(NAME));
    let path = PathPattern::new("/*").expect("a constant that is a pattern");
    let options = RuleOptions::new(Policy::unlimited(name, api), path);
    let session = match unmatched {
        Unmatched::Session => true,
        Unmatched::Allow => false,
        Unmatched::Deny => return None,
    };
    Some(Rule::new(RuleOptions { session, ..options }).expect("a rule without windows needs nothing"))
}

#[cfg(test)]
mod tests;
