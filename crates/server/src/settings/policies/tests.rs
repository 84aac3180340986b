//! What a list of policies says, and the one line that each mistake in it becomes.

use std::time::Duration;

use tollbar_core::policies::RequestPath;

use super::*;
use crate::settings::tests::load;

const WINDOWS: &str = "windows = [{ quota = 1, period = \"5s\" }]";

/// A list of one policy with these lines, the first of which is line 4.
fn with(rest: &str) -> String {
    format!("[[policies]]\nname = \"p\"\npath = \"/p\"\n{rest}\n")
}

#[test]
fn a_policy_says_all_that_it_may_say() {
    let text = r#"
        [authz]
        unmatched = "deny"

        [[policies]]
        name = "orders"
        api = "shop"
        path = "/orders/{id}"
        methods = ["GET", "POST"]
        host = "*.Example.com"
        limit_by = "user+path"
        windows = [{ name = "burst", quota = 5, period = "1s" }, { quota = 10000, period = "1d" }]
        cost = { POST = 5 }
        mode = "shadow"
        on_outage = "local"

        [[policies]]
        name = "keys"
        path = "/*"
        limit_by = "header:X-Api-Key"
        session = false
        algorithm = "gcra"
        windows = [{ quota = 1000000, period = "1h" }]
        cost = 3

        [[policies]]
        name = "assets"
        path = "/assets/*"
        session = false
        windows = []
    "#;
    let settings = load(text, &[]).unwrap();
    let (table, path) = (settings.policies.table(), RequestPath::of(b"/orders/7").unwrap());
    assert_eq!(settings.policies.count(), 3);
    let orders = table.matched("POST", Some("api.example.com:443"), &path).unwrap();
    let options = orders.options();
    assert_eq!((&options.whom, options.mode), (&Whom::UserAndPath, Mode::Shadow));
    assert_eq!((options.on_outage, options.session), (OnOutage::Local, true));
    assert_eq!((orders.policy("POST").cost(), orders.policy("GET").cost()), (5, 1));
    assert_eq!(
        (orders.policy("GET").api().as_str(), orders.policy("GET").name().as_str()),
        ("shop", "orders")
    );
    assert_eq!(orders.policy("GET").window_names(), ["burst", "1d"]);
    assert_eq!(orders.policy("GET").windows()[1].period(), Duration::from_secs(86_400));
    let keys = table.matched("DELETE", None, &path).unwrap();
    assert_eq!(keys.options().whom, Whom::Header("X-Api-Key".into()));
    assert_eq!((keys.policy("GET").cost(), keys.policy("GET").windows()[0].quota()), (3, 1_000_000));
    assert!(table.rules()[2].options().policy.windows().is_empty());
    assert!(
        load("policies = []\n[authz]\nunmatched = \"deny\"\n", &[])
            .unwrap()
            .policies
            .table()
            .find("GET", None, &path)
            .is_none()
    );
}

#[test]
fn a_mistake_is_one_line_with_file_line_and_reason() {
    for (text, line) in [
        (
            with("windows = [{ quota = 0, period = \"5s\" }]"),
            "bad setting policies[0].windows[0].quota = \"0\", from FILE, line 4: quota 0 is not from 1 to 1000000000",
        ),
        (
            with("windows = [\n  { quota = 1, period = \"5s\" },\n  { quota = 1 },\n]"),
            "bad setting policies[0].windows[1] = \"(a section)\", from FILE, line 6: it must be complete: it lacks period",
        ),
        (
            with("windows = [{ quota = 10001, period = \"1h\" }]"),
            "bad setting policies[0].windows = \"(a list)\", from FILE, line 4: quota 10001 is more than the 10000 units whose times are kept exactly; algorithm \"gcra\" takes it",
        ),
        (
            with("algorithm = \"gcra\"\nwindows = [{ quota = 1000001, period = \"1s\" }]"),
            "bad setting policies[0].windows = \"(a list)\", from FILE, line 5: quota 1000001 over 1s is more than one unit a microsecond",
        ),
        (
            with(
                "windows = [{ name = \"a\", quota = 1, period = \"1s\" }, { name = \"a\", quota = 1, period = \"2s\" }]",
            ),
            "bad setting policies[0].windows = \"(a list)\", from FILE, line 4: a window's name has 1 to 64 characters of a-z, 0-9, '.', '_' and '-', and is no other's of its policy",
        ),
        (
            with(&format!("{WINDOWS}\nhots = \"x\"")),
            "unknown setting policies[0].hots = \"x\", from FILE, line 5",
        ),
        (
            with("windows = 5"),
            "bad setting policies[0].windows = \"5\", from FILE, line 4: it must be a list of windows such as { quota = 1, period = \"5s\" }",
        ),
        (
            with(""),
            "bad setting policies[0] = \"(a section)\", from FILE, line 1: it must be complete: it lacks windows",
        ),
        (
            with(&format!("{WINDOWS}\nsession = false")),
            "bad setting policies[0] = \"(a section)\", from FILE, line 1: a limit by user needs session = true",
        ),
        (
            with(&format!("{WINDOWS}\nsession = \"no\"")),
            "bad setting policies[0].session = \"no\", from FILE, line 5: it must be true or false",
        ),
        (
            with(&format!("{WINDOWS}\nmethods = [\"get\"]")),
            "bad setting policies[0] = \"(a section)\", from FILE, line 1: a method is a word in upper case, such as \"GET\"",
        ),
        (
            with(&format!("{WINDOWS}\nmethods = []")),
            "bad setting policies[0].methods = \"(a list)\", from FILE, line 5: it must name a method; without it, all match",
        ),
        (
            with(&format!("{WINDOWS}\nhost = \"h:80\"")),
            "bad setting policies[0].host = \"h:80\", from FILE, line 5: a host is a name such as \"api.example.com\", or \"*.example.com\", without a port",
        ),
        (
            with(&format!("{WINDOWS}\nlimit_by = \"ip\"")),
            "bad setting policies[0].limit_by = \"ip\", from FILE, line 5: it must be \"user\", \"user+path\", \"address\" or \"header:NAME\"",
        ),
        (
            with(&format!("{WINDOWS}\nlimit_by = \"header:a b\"")),
            "bad setting policies[0] = \"(a section)\", from FILE, line 1: a header's name has letters, digits and '-'",
        ),
        (
            with(&format!("{WINDOWS}\ncost = 2")),
            "bad setting policies[0].cost = \"2\", from FILE, line 5: cost 2 is not from 1 to the smallest quota, 1",
        ),
        (
            with(&format!("{WINDOWS}\ncost = {{ POST = 2 }}")),
            "bad setting policies[0].cost.POST = \"2\", from FILE, line 5: cost 2 is not from 1 to the smallest quota, 1",
        ),
        (
            with(&format!("{WINDOWS}\nmode = \"off\"")),
            "bad setting policies[0].mode = \"off\", from FILE, line 5: it must be one of \"enforce\", \"shadow\"",
        ),
        (
            with(&format!("{WINDOWS}\non_outage = \"retry\"")),
            "bad setting policies[0].on_outage = \"retry\", from FILE, line 5: it must be one of \"closed\", \"open\", \"local\"",
        ),
        (
            with(WINDOWS).replace("/p\"", "/p/\""),
            "bad setting policies[0].path = \"/p/\", from FILE, line 3: a path is written as requests are compared with it: without empty or dot segments, a last \"/\" or escapes",
        ),
        (
            with(WINDOWS).replace("\"/p\"", "\"p\""),
            "bad setting policies[0].path = \"p\", from FILE, line 3: a path is \"/a/b\", \"/a/{segment}\", or \"/a/*\" for /a and all below; text and {segment} fill a whole segment",
        ),
        (
            with(WINDOWS).replace("\"p\"", "\"P\""),
            "bad setting policies[0].name = \"P\", from FILE, line 2: a policy's name has 1 to 64 characters of a-z, 0-9, '.', '_' and '-'",
        ),
        (
            with(WINDOWS) + &with(WINDOWS),
            "bad setting policies[1].name = \"p\", from FILE, line 6: the name \"p\" is another policy's, too",
        ),
        (
            with(WINDOWS).replace("\"p\"", "\"unmatched\""),
            "bad setting policies[0].name = \"unmatched\", from FILE, line 2: the name \"unmatched\" is that of calls which no policy is for",
        ),
        (
            "policies = [1]\n".to_owned(),
            "bad setting policies[0] = \"1\", from FILE, line 1: it must be a table",
        ),
        (
            "[authz]\ntrusted_proxies = [\"::1\", \"10.0.0.0/33\"]\n".to_owned(),
            "bad setting authz.trusted_proxies[1] = \"10.0.0.0/33\", from FILE, line 2: it must be an address such as 10.0.0.1, or a network such as 10.0.0.0/8",
        ),
        (
            "headers = \"draft-12\"\n".to_owned(),
            "bad setting headers = \"draft-12\", from FILE, line 1: it must be one of \"draft-11\", \"draft-03\", \"x-ratelimit\", \"off\"",
        ),
    ] {
        assert_eq!(load(&text, &[]).unwrap_err(), line);
    }
}

#[test]
fn proxies_may_come_from_the_environment_as_one_text() {
    let settings = load("", &[("TOLLBAR__AUTHZ__TRUSTED_PROXIES", "10.0.0.0/8, 192.0.2.1")]).unwrap();
    let trusted = &settings.bar.trusted_proxies;
    assert!(trusted.contains("192.0.2.1".parse().unwrap()) && trusted.contains("10.9.9.9".parse().unwrap()));
    assert!(!trusted.contains("127.0.0.1".parse().unwrap()));
}
