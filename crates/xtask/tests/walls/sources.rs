//! Walls inside of the sources: their shape, and what may stand in one place only.

use crate::assert_none;
use crate::workspace::files;

const MOST_LINES: usize = 300;

/// Something that belongs to certain files.
struct Place {
    /// What stands in the code, joined so that this file does not hold it itself.
    signs: &'static [&'static str],
    /// The one place for it: paths below the root begin so.
    home: &'static [&'static str],
    /// The wall's words.
    rule: &'static str,
}

const ERRORS: Place = Place {
    signs: &[concat!("ResponseError", " for "), concat!("ABOUT", "_BLANK,")],
    home: &["crates/http/src/error.rs", "crates/wire/src/"],
    rule: "errors become HTTP in crates/http/src/error.rs, and what the bar denies in crates/wire/src/denial.rs",
};

const SETTINGS: Place = Place {
    signs: &[concat!("env", "::var"), concat!("env", "::{")],
    home: &["crates/server/src/settings", "crates/core/src/sabotage.rs", "crates/testkit/", "crates/xtask/"],
    rule: "the environment is read in crates/server/src/settings*",
};

/// Only the server may depend on this crate (a wall of the crate graph), so that only its code is searched.
const CONFIG: Place = Place {
    signs: &[concat!("config", "::Config"), concat!("config", "::File"), concat!("config", "::{")],
    home: &["crates/server/src/settings"],
    rule: "configuration is read in crates/server/src/settings*",
};

const LUA: Place = Place {
    signs: &[
        concat!("redis", ".call("),
        concat!("redis", ".pcall("),
        concat!("KEYS", "[1]"),
        concat!("ARGV", "[1]"),
    ],
    home: &[],
    rule: "Lua lives in .lua files, joined with include_str!",
};

impl Place {
    fn offenders(&self, path: &str, text: &str) -> Vec<String> {
        if self.home.iter().any(|home| path.starts_with(home)) {
            return Vec::new();
        }
        let code = text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"));
        let found = code.filter(|(_, line)| self.signs.iter().any(|sign| line.contains(sign)));
        found.map(|(number, line)| format!("{path}:{}: {}", number + 1, line.trim())).collect()
    }

    #[track_caller]
    fn assert(&self, scope: impl Fn(&str) -> bool) {
        let sources = files(".rs");
        let found = sources
            .iter()
            .filter(|(path, _)| scope(path))
            .flat_map(|(path, text)| self.offenders(path, text));
        assert_none(&found.collect::<Vec<_>>(), self.rule);
    }
}

/// Whether the file is part of what a crate ships, and not one of its tests or examples.
fn ships(path: &str) -> bool {
    path.split('/').nth(2) == Some("src")
}

fn misshapen(path: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    if !text.starts_with("//! ") {
        found.push(format!("{path} does not begin with a `//!` line that says what it is for"));
    }
    let lines = text.lines().count();
    if lines > MOST_LINES {
        found.push(format!("{path} has {lines} lines: more than {MOST_LINES} are more than one concept"));
    }
    found
}

#[test]
fn every_file_says_what_it_is_for_and_is_short() {
    let found: Vec<_> = files(".rs").iter().flat_map(|(path, text)| misshapen(path, text)).collect();
    assert_none(&found, "a file holds one concept");
}

#[test]
fn errors_become_http_in_one_place() {
    ERRORS.assert(ships);
}

#[test]
fn configuration_is_read_in_one_place() {
    SETTINGS.assert(ships);
    CONFIG.assert(|path| path.starts_with("crates/server/src/"));
}

#[test]
fn lua_lives_in_lua_files() {
    LUA.assert(|_| true);
}

#[test]
fn the_walls_see_misshapen_files() {
    assert_eq!(misshapen("a.rs", "//! For a.\nfn a() {}\n"), Vec::<String>::new());
    assert_eq!(
        misshapen("a.rs", &format!("//! For a.\n{}", "\n".repeat(MOST_LINES - 1))),
        Vec::<String>::new()
    );
    assert_eq!(misshapen("a.rs", "fn a() {}\n").len(), 1);
    assert_eq!(misshapen("a.rs", &"\n".repeat(MOST_LINES + 1)).len(), 2);
}

#[test]
fn the_walls_see_what_is_out_of_place() {
    let text = format!("// {0}\n  let a = std::{0}(\"A\");\n", concat!("env", "::var"));
    assert_eq!(SETTINGS.offenders("crates/core/src/a.rs", &text).len(), 1);
    assert_eq!(SETTINGS.offenders("crates/server/src/main.rs", &text).len(), 1);
    assert_eq!(SETTINGS.offenders("crates/server/src/settings/server.rs", &text), Vec::<String>::new());
    let text = format!("use {0};\nuse crate::settings;", concat!("config", "::Config"));
    assert_eq!(CONFIG.offenders("crates/server/src/main.rs", &text).len(), 1);
    assert_eq!(CONFIG.offenders("crates/server/src/settings.rs", &text), Vec::<String>::new());
    let text = format!("const A: &str = \"return {}'GET', KEYS)\";", concat!("redis", ".call("));
    assert_eq!(LUA.offenders("crates/redis/tests/a.rs", &text).len(), 1);
    let text = format!("impl {}Problem {{}}", concat!("ResponseError", " for "));
    assert_eq!(ERRORS.offenders("crates/http/src/routes.rs", &text).len(), 1);
    assert_eq!(ERRORS.offenders("crates/http/src/error.rs", &text), Vec::<String>::new());
}

#[test]
fn what_ships_is_below_src() {
    assert!(ships("crates/core/src/lib.rs") && ships("crates/core/src/a/b.rs"));
    assert!(!ships("crates/core/tests/src/a.rs") && !ships("crates/core/examples/a.rs"));
}
