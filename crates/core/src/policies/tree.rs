//! All patterns of a list as one tree of segments, so that a path is compared with those that can match it and with no others.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::{PathPattern, RequestPath, path::Segment};

/// What is behind a segment. Numbers of rules are in their order.
#[derive(Debug, Default)]
pub(super) struct PathTree {
    exactly: HashMap<String, PathTree, RandomState>,
    any: Option<Box<PathTree>>,
    /// Rules whose pattern ends here.
    ends: Vec<usize>,
    /// Rules that are for this and all below.
    prefixes: Vec<usize>,
}

impl PathTree {
    /// Adds a pattern; rules come in their order.
    pub(super) fn add(&mut self, pattern: &PathPattern, rule: usize) {
        let mut at = self;
        for segment in pattern.segments() {
            at = match segment {
                Segment::Exactly(text) => at.exactly.entry(text.clone()).or_default(),
                Segment::Any => at.any.get_or_insert_default(),
            };
        }
        if pattern.is_prefix() { at.prefixes.push(rule) } else { at.ends.push(rule) }
    }

    /// The first rule that matches a path and that `takes` the rest of the request.
    pub(super) fn first(&self, path: &RequestPath<'_>, takes: &impl Fn(usize) -> bool) -> Option<usize> {
        let mut best = usize::MAX;
        // A path in its form begins with the only slash that no segment precedes.
        self.search(path.as_str().strip_prefix('/').unwrap_or_default(), takes, &mut best);
        (best < usize::MAX).then_some(best)
    }

    /// Looks at each node at most once, for there is one way to it.
    fn search(&self, rest: &str, takes: &impl Fn(usize) -> bool, best: &mut usize) {
        let mut consider = |rules: &[usize]| {
            let better = rules.iter().copied().take_while(|rule| *rule < *best).find(|rule| takes(*rule));
            *best = better.unwrap_or(*best);
        };
        consider(&self.prefixes);
        if rest.is_empty() {
            consider(&self.ends);
            return;
        }
        let (segment, rest) = rest.split_once('/').unwrap_or((rest, ""));
        if let Some(next) = self.exactly.get(segment) {
            next.search(rest, takes, best);
        }
        if let Some(next) = &self.any {
            next.search(rest, takes, best);
        }
    }
}
