//! The components that the build script made.

use std::path::{Path, PathBuf};

/// Gives a component's bytes by its name: `fetch`, `hog`, `portcullis_salesforce`.
pub fn component(name: &str) -> Vec<u8> {
    std::fs::read(path(name)).unwrap()
}

/// Gives where a component is.
pub fn path(name: &str) -> PathBuf {
    e2e::COMPONENTS
        .split('|')
        .map(PathBuf::from)
        .find(|path| path.file_stem().is_some_and(|stem| stem == name))
        .unwrap_or_else(|| panic!("the build script has made no component `{name}`"))
}

/// Lists the hostile components' names.
pub fn hostile() -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(root().join("tests/hostile/examples"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        // They lie among them, and do nothing hostile.
        .filter(|name| !name.starts_with("version_"))
        .collect();
    names.sort();
    names
}

/// Gives the workspace's folder.
pub fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// Changes a component's own text at equal length, such as the version in its manifest.
pub fn patched(mut bytes: Vec<u8>, from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let places: Vec<usize> = (0..bytes.len() - from.len())
        .filter(|at| bytes[*at..].starts_with(from.as_bytes()))
        .collect();
    assert_eq!(places.len(), 1, "`{from}` must be there once");
    bytes[places[0]..places[0] + to.len()].copy_from_slice(to.as_bytes());
    bytes
}
