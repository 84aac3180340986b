//! A wall around the schema: it lives in `migrations/`, and a crate's own `migrations` is a link to it.

use std::fs;
use std::path::Path;

use crate::assert_none;
use crate::workspace::root;

/// What is wrong with the link of one engine's crate.
fn offence(root: &Path, engine: &str) -> Option<String> {
    let link = root.join("crates").join(engine).join("migrations");
    let wanted = Path::new("../../migrations").join(engine);
    match fs::read_link(&link) {
        Ok(to) if to == wanted => None,
        Ok(to) => Some(format!("crates/{engine}/migrations leads to {}", to.display())),
        Err(_) => Some(format!("crates/{engine}/migrations is no link")),
    }
}

#[test]
fn a_crates_migrations_are_a_link_to_the_one_schema() {
    let engines = fs::read_dir(root().join("migrations")).unwrap();
    let engines: Vec<_> = engines.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(engines.len(), 2, "{engines:?}");
    let found: Vec<_> = engines.iter().filter_map(|engine| offence(&root(), engine)).collect();
    assert_none(&found, "SQL schema lives in migrations/");
}

#[test]
fn the_wall_sees_a_folder_of_its_own() {
    assert!(offence(&root(), "core").is_some());
}
