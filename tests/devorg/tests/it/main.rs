//! The dev org over HTTP, as clients see it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test ends at the first surprise"
)]
#![recursion_limit = "256"] // Some expected answers are long `json!`s.

mod client;
mod conditional;
mod describes;
mod errors;
mod garbage;
mod oauth;
mod paging;
mod program;
mod records;
mod rest;

/// A file that is not listed above would be a test that never runs.
#[test]
fn every_file_is_listed() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it");
    let listed = include_str!("main.rs");
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let module = name.strip_suffix(".rs").unwrap();
        assert!(
            module == "main" || listed.contains(&format!("\nmod {module};")),
            "{name} is not listed"
        );
    }
}
