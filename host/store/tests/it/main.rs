//! The store on real files: what it keeps, what it refuses, and that no secret is in them in the clear.

#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may panic"
)]

mod agents;
mod approvals;
mod apps;
mod asked_again;
mod attacks;
mod audit;
mod changes;
mod connections;
mod credentials;
mod decisions;
mod endings;
mod in_the_clear;
mod keys;
mod opening;
mod people;
mod permissions;
mod person_tokens;
mod proofs;
mod refresh;
mod remembered;
mod sharing;
mod sign_ins;
mod subjects;
mod support;
mod used_up;

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
