//! The stages of a call and of a request follow one another by their types.

use std::collections::BTreeSet;
use std::path::Path;

use crate::support::root;

/// The types of the stages in a folder's files: each takes the one before it, by value.
fn stages(folder: &Path, names: &[&str]) {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let source = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        for name in names {
            let Some(at) = source.find(&format!("struct {name} {{")) else {
                continue;
            };
            found.insert(*name);
            // Its attributes: what stands between the end of the item before and itself.
            let before = source[..at].rsplit("\n\n").next().unwrap();
            assert!(!before.contains("Clone"), "`{name}` must not be copied");
            assert!(
                !before.contains("Default"),
                "`{name}` must come from its stage"
            );
            // No field of it can be named outside the pipeline.
            let body = source[at..].split("\n}").next().unwrap();
            let public = body
                .lines()
                .find(|line| line.trim_start().starts_with("pub "));
            assert_eq!(public, None, "`{name}` has a public field");
        }
    }
    assert_eq!(found, names.iter().copied().collect());
}

#[test]
fn a_stage_is_neither_copied_nor_made_elsewhere() {
    let source = root().join("host/runtime/src");
    stages(
        &source.join("call"),
        &[
            "Resolved",
            "Permitted",
            "Validated",
            "Connected",
            "Consented",
            "Opened",
        ],
    );
    stages(
        &source.join("gate"),
        &[
            "Admitted",
            "Complete",
            "Within",
            "Announced",
            "Approved",
            "Afforded",
        ],
    );
}
