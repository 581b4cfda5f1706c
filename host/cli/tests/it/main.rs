//! The program as people and MCP clients use it: started, asked, and its exit code read.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod accounts;
mod apply;
mod approvals;
mod audit;
mod bad_input;
mod batches;
mod by_http;
mod connect;
mod connector;
mod decided;
mod demo;
mod desk;
mod in_the_clear;
mod keys;
mod killed;
mod mcp;
mod misread;
mod offers;
mod people;
mod permissions;
mod program;
mod proxy;
mod public;
mod questions;
mod slips;
mod tokens;

#[test]
fn every_file_of_these_tests_is_run() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let module = path.file_stem().unwrap().to_str().unwrap();
        let is_listed = include_str!("main.rs").contains(&format!("mod {module};"));
        assert!(
            module == "main" || path.is_dir() || is_listed,
            "{}",
            path.display()
        );
    }
}
