//! Which rule holds, against a search from the front.

use super::*;
use crate::policies::HostPattern;

fn rule(name: &str, path: &str) -> Rule {
    with(name, path, &[], None)
}

fn with(name: &str, path: &str, methods: &[&str], host: Option<&str>) -> Rule {
    let policy = Policy::unlimited(PolicyName::new(name).unwrap(), ApiName::new(name).unwrap());
    let options = RuleOptions::new(policy, PathPattern::new(path).unwrap());
    let methods = methods.iter().map(ToString::to_string).collect();
    let host = host.map(|host| HostPattern::new(host).unwrap());
    Rule::new(RuleOptions { methods, host, ..options }).unwrap()
}

fn found<'a>(table: &'a PolicyTable, method: &str, host: &str, path: &str) -> &'a str {
    let rule = table.find(method, Some(host), &RequestPath::of(path.as_bytes()).unwrap());
    rule.map_or("none", |rule| rule.options().policy.name().as_str())
}

#[test]
fn the_first_that_is_for_a_request_holds() {
    let rules = vec![
        with("post", "/orders/*", &["POST"], None),
        rule("special", "/orders/special"),
        rule("one", "/orders/{id}"),
        with("api", "/*", &["GET"], Some("api.example.com")),
        rule("late", "/orders/special"),
    ];
    let table = PolicyTable::new(rules, Unmatched::Session).unwrap();
    for (method, host, path, name) in [
        ("GET", "h", "/orders/special", "special"),
        ("POST", "h", "/orders/special", "post"),
        ("GET", "h", "/orders//7/", "one"),
        ("HEAD", "API.example.com:80", "/x", "api"),
        ("POST", "api.example.com", "/x", "unmatched"),
        ("GET", "other", "/x", "unmatched"),
    ] {
        assert_eq!(found(&table, method, host, path), name, "{method} {host} {path}");
    }
    assert!(table.matched("GET", None, &RequestPath::of(b"/x").unwrap()).is_none());
}

#[test]
fn an_earlier_pattern_goes_before_a_later_exact_path() {
    let table = PolicyTable::new(vec![rule("any", "/{a}"), rule("b", "/b")], Unmatched::Deny).unwrap();
    assert_eq!(found(&table, "GET", "h", "/b"), "any");
    assert_eq!(found(&table, "GET", "h", "/"), "none");
    let table = PolicyTable::new(vec![rule("b", "/b"), rule("any", "/{a}")], Unmatched::Allow).unwrap();
    assert_eq!(found(&table, "GET", "h", "/b"), "b");
    assert!(!table.find("GET", None, &RequestPath::of(b"/").unwrap()).unwrap().options().session);
}

#[test]
fn a_long_list_finds_what_a_search_from_the_front_finds() {
    let shapes = ["/s{n}", "/s{n}/{id}", "/s{n}/x/*", "/{a}/s{n}/{b}", "/s{n}/{id}/y"];
    let path = |at: usize| shapes[at % shapes.len()].replace("{n}", &(at / 50).to_string());
    let rules: Vec<Rule> = (0..1_000).map(|at| rule(&format!("r{at}"), &path(at))).collect();
    let table = PolicyTable::new(rules.clone(), Unmatched::Deny).unwrap();
    for at in 0..1_000 {
        let pattern = path(at);
        for target in [
            pattern.replace("{id}", "7").replace("{a}", "s3").replace("{b}", "y").replace('*', "q/r"),
            pattern,
        ] {
            let target = RequestPath::of(target.as_bytes()).unwrap();
            let slow = rules.iter().find(|rule| rule.mismatch("GET", None, &target).is_none());
            let fast = table.matched("GET", None, &target);
            let name = |rule: &Rule| rule.options().policy.name().clone();
            assert_eq!(fast.map(|rule| name(rule)), slow.map(name), "{target:?}");
        }
    }
}

#[test]
fn names_are_given_once() {
    let twice = vec![rule("a", "/a"), rule("b", "/b"), rule("a", "/c")];
    assert_eq!(
        PolicyTable::new(twice, Unmatched::Deny).unwrap_err(),
        TableError::Twice(2, PolicyName::new("a").unwrap())
    );
    assert_eq!(
        PolicyTable::new(vec![rule("unmatched", "/a")], Unmatched::Deny).unwrap_err(),
        TableError::Reserved(0)
    );
}

#[test]
fn hosts_keep_their_place_among_rules_for_any() {
    let rules = vec![
        with("early", "/a", &["PUT"], None),
        with("one", "/*", &[], Some("Api.example.com")),
        rule("any", "/a"),
        with("late", "/a", &[], Some("other.example.com")),
        with("wild", "/b", &[], Some("*.example.com")),
    ];
    let table = PolicyTable::new(rules, Unmatched::Deny).unwrap();
    for (method, host, path, name) in [
        ("PUT", "api.example.com", "/a", "early"),
        ("GET", "API.example.com.:1", "/a", "one"),
        ("GET", "other.example.com", "/a", "any"),
        ("GET", "other.example.com", "/b", "wild"),
        ("GET", "example.org", "/b", "none"),
    ] {
        assert_eq!(found(&table, method, host, path), name, "{method} {host} {path}");
    }
}
