//! The server on real sockets: what it takes, what it gives up on, and how it ends.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod bounds;
mod sessions;

#[test]
fn every_file_of_these_tests_is_run() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let module = path.file_stem().unwrap().to_str().unwrap();
        let is_listed = include_str!("main.rs").contains(&format!("mod {module};"));
        assert!(module == "main" || is_listed, "{}", path.display());
    }
}
