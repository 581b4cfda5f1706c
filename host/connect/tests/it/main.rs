//! Signing in to the dev org, as a person with a browser does and as services do.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod browser;
mod calls;
mod failures;
mod flows;
mod logins;
mod loopback;
mod refusals;
mod service_accounts;
mod support;

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
