//! Builds real connectors with the inner cargo and looks at what comes out.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::path::{Path, PathBuf};

use portcullis_guest_build::{GuestBuild, GuestBuildError, Package};
use wit_parser::decoding::{DecodedWasm, decode};

/// Everything builds in the folder that build scripts use, so what one built none builds again.
fn package(name: &str) -> Package {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    GuestBuild::package(name).target_dir(target.join("guests"))
}

/// Decodes a component, which validates it, and returns the names that it imports and exports.
fn names(component: &Path) -> (Vec<String>, Vec<String>) {
    let bytes = std::fs::read(component).unwrap();
    let DecodedWasm::Component(resolve, world) = decode(&bytes).unwrap() else {
        panic!("`{}` is not a component", component.display());
    };
    let world = &resolve.worlds[world];
    let name = |key: &wit_parser::WorldKey| resolve.name_world_key(key);
    (
        world.imports.keys().map(name).collect(),
        world.exports.keys().map(name).collect(),
    )
}

fn stem(path: &Path) -> &str {
    path.file_stem().unwrap().to_str().unwrap()
}

const HOSTILE: [&str; 25] = [
    "beyond_scope",
    "elsewhere",
    "flood",
    "half_write",
    "hog",
    "leak",
    "liar",
    "mute",
    "overflow",
    "redirect",
    "slow_reader",
    "smuggle",
    "spin",
    "state",
    "stderr",
    "trap",
    "truncated",
    "turncoat",
    "undeclared_header",
    "undeclared_route",
    "unknown_import",
    "version_one",
    "version_three",
    "version_two",
    "write_from_read",
];

const EXPORTS: [&str; 3] = [
    "portcullis:connector/accounts@0.1.0",
    "portcullis:connector/manifest@0.1.0",
    "portcullis:connector/tools@0.1.0",
];

#[test]
fn hello_is_a_connector() {
    let hello = package("portcullis-sdk").example("hello").build().unwrap();
    let (imports, mut exports) = names(&hello);
    exports.sort();
    assert_eq!(exports, EXPORTS);
    for import in imports {
        assert!(
            import.starts_with("portcullis:connector/") || import.starts_with("wasi:"),
            "imports `{import}`"
        );
    }
}

#[test]
fn a_component_names_no_path_of_the_machine() {
    let hello = package("portcullis-sdk").example("hello").build().unwrap();
    let bytes = std::fs::read(hello).unwrap();
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .unwrap();
    let home = std::env::home_dir().map(|home| home.join(".cargo"));
    for folder in [Some(workspace.to_owned()), home].into_iter().flatten() {
        let needle = folder.to_str().unwrap().as_bytes();
        assert!(
            !bytes.windows(needle.len()).any(|window| window == needle),
            "{folder:?}"
        );
    }
}

#[test]
fn all_examples_of_a_package_are_built() {
    let all: Vec<PathBuf> = package("portcullis-sdk").examples().build().unwrap();
    assert_eq!(
        all.iter().map(|path| stem(path)).collect::<Vec<_>>(),
        ["contents", "fetch", "hello", "whoami"]
    );
}

/// What each hostile component is for stands in its own first lines.
#[test]
fn hostile_components_are_connectors_and_one_wants_too_much() {
    let all = package("hostile").examples().build().unwrap();
    let names_of: Vec<_> = all.iter().map(|path| (stem(path), names(path))).collect();
    assert_eq!(
        names_of.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
        HOSTILE
    );
    for (name, (imports, mut exports)) in names_of {
        exports.sort();
        assert_eq!(exports, EXPORTS, "{name}");
        let unknown: Vec<&String> = imports
            .iter()
            .filter(|import| !import.starts_with("portcullis:connector/"))
            .filter(|import| !import.starts_with("wasi:"))
            .collect();
        match name {
            "unknown_import" => assert_eq!(unknown, ["evil:door/open@0.1.0"]),
            _ => assert!(unknown.is_empty(), "{name} imports {unknown:?}"),
        }
    }
}

#[test]
fn an_unknown_package_is_named() {
    let error = package("portcullis-nowhere").lib().build().unwrap_err();
    assert!(matches!(error, GuestBuildError::UnknownPackage(name) if name == "portcullis-nowhere"));
}

#[test]
fn a_package_without_a_component_says_so() {
    let error = package("soql").lib().build().unwrap_err();
    assert_eq!(
        error.to_string(),
        "package `soql` gave no component for its library: is its `crate-type` `cdylib`?"
    );
}
