//! The crates' arrows point one way, as the architecture has them.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

use crate::support::root;

/// What cargo says about the workspace. Asked as a program: its library would enable features of what the sandbox is
/// built with.
pub fn metadata(with_dependencies: bool) -> Value {
    let mut command = Command::new(env!("CARGO"));
    command
        .current_dir(root())
        .args(["metadata", "--format-version", "1", "--locked"]);
    if !with_dependencies {
        command.arg("--no-deps");
    }
    let output = command.output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The crates of the workspace, each with those that it needs to run.
fn crates() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = metadata(false);
    let packages = metadata["packages"].as_array().unwrap();
    let normal = |package: &Value| {
        let dependencies = package["dependencies"].as_array().unwrap();
        let normal = dependencies.iter().filter(|one| one["kind"].is_null());
        normal
            .map(|one| one["name"].as_str().unwrap().to_owned())
            .collect()
    };
    packages
        .iter()
        .map(|package| {
            (
                package["name"].as_str().unwrap().to_owned(),
                normal(package),
            )
        })
        .collect()
}

#[test]
fn arrows_point_one_way() {
    let crates = crates();
    let names: BTreeSet<&str> = crates.keys().map(String::as_str).collect();
    // What each crate of ours may use of ours.
    let allowed: BTreeMap<&str, &[&str]> = [
        ("portcullis-policy", &[][..]),
        ("portcullis", &["portcullis-policy"][..]),
        ("portcullis-store", &["portcullis", "portcullis-policy"]),
        (
            "portcullis-connect",
            &["portcullis-store", "portcullis", "portcullis-policy"],
        ),
        ("portcullis-telemetry", &["portcullis", "portcullis-policy"]),
        (
            "portcullis-server",
            &[
                "portcullis-telemetry",
                "portcullis-store",
                "portcullis-connect",
                "portcullis",
                "portcullis-policy",
            ],
        ),
        (
            "portcullis-cli",
            &[
                "portcullis-server",
                "portcullis-telemetry",
                "portcullis-connect",
                "portcullis-store",
                "portcullis",
                "portcullis-policy",
                // It can begin a development org by itself.
                "salesforce-devorg",
            ],
        ),
        ("portcullis-guest-build", &[]),
        ("portcullis-sdk", &[]),
        ("soql", &[]),
        ("portcullis-salesforce", &["portcullis-sdk", "soql"]),
        ("salesforce-devorg", &["soql"]),
        ("hostile", &["portcullis-sdk"]),
        ("e2e", &[]),
        (
            "bench",
            &["portcullis", "portcullis-store", "salesforce-devorg"],
        ),
    ]
    .into();
    for (name, needed) in &crates {
        let Some(allowed) = allowed.get(name.as_str()) else {
            panic!(
                "`{name}` has no place among the arrows: give it one here and in the architecture"
            );
        };
        for ours in needed
            .iter()
            .filter(|needed| names.contains(needed.as_str()))
        {
            assert!(
                allowed.contains(&ours.as_str()),
                "`{name}` must not depend on `{ours}`"
            );
        }
    }
}

#[test]
fn one_crate_alone_names_the_sandbox() {
    for (name, needed) in crates() {
        let sandbox: Vec<&String> = needed
            .iter()
            .filter(|needed| needed.starts_with("wasmtime"))
            .collect();
        assert_eq!(
            !sandbox.is_empty(),
            name == "portcullis",
            "{name}: {sandbox:?}"
        );
    }
}

#[test]
fn the_store_speaks_no_protocol() {
    let needed = &crates()["portcullis-store"];
    for protocol in ["http", "hyper", "url", "oauth2", "rmcp", "axum", "clap"] {
        assert!(!needed.contains(protocol), "it must not use `{protocol}`");
    }
}

/// Everything that a crate of ours needs to run, directly or not.
fn closure(metadata: &Value, of: &str) -> BTreeSet<String> {
    let names: BTreeMap<&str, &str> = metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| {
            (
                package["id"].as_str().unwrap(),
                package["name"].as_str().unwrap(),
            )
        })
        .collect();
    let nodes: BTreeMap<&str, &Value> = metadata["resolve"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| (node["id"].as_str().unwrap(), node))
        .collect();
    let root = names.iter().find(|(_, name)| **name == of).unwrap().0;
    let mut waiting = vec![*root];
    let mut found = BTreeSet::new();
    while let Some(id) = waiting.pop() {
        for dependency in nodes[id]["deps"].as_array().unwrap() {
            let kinds = dependency["dep_kinds"].as_array().unwrap();
            let is_normal = kinds.iter().any(|kind| kind["kind"].is_null());
            let id = dependency["pkg"].as_str().unwrap();
            if is_normal && found.insert(names[id].to_owned()) {
                waiting.push(id);
            }
        }
    }
    found
}

#[test]
fn decisions_need_no_network_and_connectors_no_host() {
    let metadata = metadata(true);
    let policy = closure(&metadata, "portcullis-policy");
    for io in [
        "tokio", "hyper", "wasmtime", "rusqlite", "sqlx", "reqwest", "rustls", "axum",
    ] {
        assert!(!policy.contains(io), "decisions must not depend on `{io}`");
    }
    for connector in ["portcullis-salesforce", "portcullis-sdk", "hostile"] {
        let needed = closure(&metadata, connector);
        for host in ["portcullis", "portcullis-policy", "tokio", "wasmtime"] {
            assert!(
                !needed.contains(host),
                "`{connector}` must not depend on `{host}`"
            );
        }
    }
    let dev_org = closure(&metadata, "salesforce-devorg");
    for host in [
        "portcullis",
        "portcullis-policy",
        "portcullis-sdk",
        "wasmtime",
    ] {
        assert!(
            !dev_org.contains(host),
            "the dev org must not depend on `{host}`"
        );
    }
    assert!(closure(&metadata, "soql").is_empty());
}

#[test]
fn only_the_program_names_salesforce() {
    fn sources(folder: &std::path::Path, into: &mut Vec<std::path::PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => sources(&path, into),
                false if path.ends_with("tests.rs") => {}
                false if path.extension().is_some_and(|end| end == "rs") => into.push(path),
                false => {}
            }
        }
    }
    let mut files = Vec::new();
    for part in [
        "host/connect/src",
        "host/policy/src",
        "host/runtime/src",
        "host/server/src",
        "host/store/src",
    ] {
        let folder = root().join(part);
        if folder.is_dir() {
            sources(&folder, &mut files);
        }
    }
    assert!(files.len() > 50);
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        // Tests and documentation may take it as an example.
        let code = text.split("#[cfg(test)]").next().unwrap();
        let code = code
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"));
        for line in code {
            let line = line.to_lowercase();
            assert!(!line.contains("salesforce"), "{}: {line}", file.display());
        }
    }
}

#[test]
fn every_file_of_these_tests_is_run() {
    let folder = root().join("tests/e2e/tests/it");
    let main = std::fs::read_to_string(folder.join("main.rs")).unwrap();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let module = path.file_stem().unwrap().to_str().unwrap();
        let is_listed = main.contains(&format!("mod {module};"));
        let is_none = matches!(module, "main" | "snapshots");
        assert!(is_none || is_listed, "{}", path.display());
    }
}
