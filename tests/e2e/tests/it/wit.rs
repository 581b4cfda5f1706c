//! The contract and what it builds on.

use std::collections::BTreeMap;
use std::path::Path;

use crate::arrows::metadata;
use crate::support::root;

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read(&path).unwrap())
        })
        .collect()
}

/// Where a dependency's sources are.
fn sources_of(name: &str, version: &str) -> std::path::PathBuf {
    let metadata = metadata(true);
    let packages = metadata["packages"].as_array().unwrap();
    let package = packages
        .iter()
        .find(|package| package["name"] == name && package["version"] == version)
        .unwrap_or_else(|| panic!("`{name}` {version} is no dependency any more"));
    let manifest = Path::new(package["manifest_path"].as_str().unwrap());
    manifest.parent().unwrap().to_path_buf()
}

#[test]
fn wit_dependencies_are_as_published() {
    let published = files(&sources_of("wasip2", "2.0.1+wasi-0.2.12").join("wit/deps"));
    let committed = files(&root().join("wit/deps"));
    let names: Vec<&String> = committed.keys().collect();
    assert_eq!(names, published.keys().collect::<Vec<_>>());
    assert!(names.len() >= 6);
    for (name, text) in &committed {
        assert!(
            *text == published[name],
            "wit/deps/{name} differs from its published form"
        );
    }
}

#[test]
fn the_contract_is_of_its_version() {
    // That it parses is shown by whatever is built on it: host and SDK generate their bindings of it.
    let files = files(&root().join("wit"));
    assert!(files.contains_key("manifest.schema.json"));
    let texts: Vec<String> = files
        .into_iter()
        .filter(|(name, _)| name.ends_with(".wit"))
        .map(|(_, text)| String::from_utf8(text).unwrap())
        .collect();
    let world = texts.iter().find(|text| text.contains("world connector"));
    assert!(world.is_some());
    let packages = texts.iter().filter_map(|text| {
        let line = text.lines().find(|line| line.starts_with("package "));
        line.map(str::to_owned)
    });
    let packages: std::collections::BTreeSet<String> = packages.collect();
    assert_eq!(
        packages.into_iter().collect::<Vec<_>>(),
        ["package portcullis:connector@0.1.0;"]
    );
}
