//! Has the crate built again when a migration changes, which `embed_migrations!` does not notice by itself.

fn main() {
    println!("cargo::rerun-if-changed=migrations");
}
