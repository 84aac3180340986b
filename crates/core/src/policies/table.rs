//! The whole list, compiled: one look-up and one pass over the path, however long the list is.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use foldhash::fast::RandomState;
use regex::RegexSet;

use super::{PathPattern, RequestPath, Rule, RuleOptions};
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
    /// The patterns together are too large.
    #[error("the paths of all policies together are too large to be compiled")]
    Size,
}

const UNMATCHED: &str = "unmatched";

/// Rules in their order: the first that is for a request holds.
#[derive(Debug)]
pub struct PolicyTable {
    rules: Vec<Arc<Rule>>,
    /// Rules of one path only, by it.
    exact: HashMap<String, Vec<usize>, RandomState>,
    /// All others' paths; and which rules they are of.
    patterns: Option<(RegexSet, Vec<usize>)>,
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
        let (mut exact, mut regexes, mut of_regexes) =
            (HashMap::<_, Vec<_>, RandomState>::default(), Vec::new(), Vec::new());
        for (at, rule) in rules.iter().enumerate() {
            if let Some(path) = rule.options().path.only() {
                exact.entry(path).or_default().push(at);
            } else {
                regexes.push(rule.options().path.regex());
                of_regexes.push(at);
            }
        }
        let patterns = if regexes.is_empty() {
            None
        } else {
            Some((RegexSet::new(&regexes).map_err(|_| TableError::Size)?, of_regexes))
        };
        let rules = rules.into_iter().map(Arc::new).collect();
        Ok(Self { rules, exact, patterns, unmatched: rule_of_unmatched(unmatched).map(Arc::new) })
    }

    /// The rules, in their order.
    pub fn rules(&self) -> &[Arc<Rule>] {
        &self.rules
    }

    /// The rule that holds for a request; that of unmatched requests where there is no other. `None`: it is to be refused.
    pub fn find(&self, method: &str, host: Option<&str>, path: &RequestPath<'_>) -> Option<&Arc<Rule>> {
        self.matched(method, host, path).or(self.unmatched.as_ref())
    }

    /// The same without the rule of unmatched requests.
    pub fn matched(&self, method: &str, host: Option<&str>, path: &RequestPath<'_>) -> Option<&Arc<Rule>> {
        let takes = |at: &usize| self.rules[*at].takes(method, host);
        let exact = self.exact.get(path.as_str());
        let exact = exact.and_then(|all| all.iter().copied().find(takes));
        let pattern = self.patterns.as_ref().and_then(|(set, of)| {
            let matches = set.matches(path.as_str());
            matches.iter().map(|at| of[at]).take_while(|at| exact.is_none_or(|exact| *at < exact)).find(takes)
        });
        pattern.or(exact).map(|at| &self.rules[at])
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
