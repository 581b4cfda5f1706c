//! The dev org over HTTP, as clients see it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test ends at the first surprise"
)]
#![recursion_limit = "256"] // Some expected answers are long `json!`s.

mod access;
mod actions;
mod approvals;
mod apps;
mod bulk_classic;
mod bulk_ingest;
mod bulk_query;
mod bulk_states;
mod client;
mod collections;
mod composite;
mod conditional;
mod describes;
mod direct;
mod errors;
mod faults;
mod field_types;
mod files;
mod garbage;
mod https;
mod likeness;
mod list_views;
mod oauth;
mod paging;
mod process;
mod program;
mod recent;
mod records;
mod replication;
mod reports;
mod rest;
mod rules;
mod search;
mod soap;
mod state_file;
mod tree;
mod ui_api;
mod visibility;

/// A file that is not listed above would be a test that never runs.
#[test]
fn every_file_is_listed() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it");
    let listed = include_str!("main.rs");
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        // Snapshots are beside them.
        let Some(module) = name.strip_suffix(".rs") else {
            continue;
        };
        assert!(
            module == "main" || listed.contains(&format!("\nmod {module};")),
            "{name} is not listed"
        );
    }
}
