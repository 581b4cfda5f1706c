//! What a component was built from, so that cargo knows when to build it again.
//!
//! The compiler lists every source of the workspace that it read, WIT files
//! and included manifests too, in a `.d` file beside the component. What it does
//! not list is what cargo read: the packages' manifests and `Cargo.lock`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, Metadata, Package};

use crate::error::GuestBuildError;

/// Returns the files that went into the components of `package`.
///
/// # Errors
///
/// [`GuestBuildError::Inputs`] where a component's list cannot be read.
pub(crate) fn of(
    metadata: &Metadata,
    package: &Package,
    components: &[PathBuf],
) -> Result<BTreeSet<PathBuf>, GuestBuildError> {
    let root = metadata.workspace_root.as_std_path();
    let mut inputs = BTreeSet::from([root.join("Cargo.toml"), root.join("Cargo.lock")]);
    add_manifests(metadata, package, &mut inputs);
    for component in components {
        let path = component.with_extension("d");
        let list = std::fs::read_to_string(&path)
            .map_err(|source| GuestBuildError::Inputs { path, source })?;
        inputs.extend(listed(&list));
    }
    // What the build itself made is no reason to build again.
    let made = components.first().and_then(|component| component.parent());
    inputs.retain(|input| made.is_none_or(|made| !input.starts_with(made)));
    Ok(inputs)
}

/// Adds the manifests of `package` and of the packages that it depends on by path.
fn add_manifests(metadata: &Metadata, package: &Package, inputs: &mut BTreeSet<PathBuf>) {
    if !inputs.insert(package.manifest_path.clone().into_std_path_buf()) {
        return;
    }
    let wanted = |kind| matches!(kind, DependencyKind::Normal | DependencyKind::Build);
    let by_path = package
        .dependencies
        .iter()
        .filter(|dependency| wanted(dependency.kind))
        .filter_map(|dependency| dependency.path.as_deref());
    for folder in by_path {
        let manifest = folder.join("Cargo.toml");
        if let Some(package) = metadata
            .packages
            .iter()
            .find(|one| one.manifest_path == manifest)
        {
            add_manifests(metadata, package, inputs);
        }
    }
}

/// Reads a `.d` file: `component: input input …`, as `make` has it, spaces in names escaped.
fn listed(list: &str) -> Vec<PathBuf> {
    let Some((_, inputs)) = list.lines().next().and_then(|line| line.split_once(": ")) else {
        return Vec::new();
    };
    let mut names = vec![String::new()];
    let mut rest = inputs.chars().peekable();
    while let Some(character) = rest.next() {
        match (character, names.last_mut()) {
            ('\\', Some(name)) if rest.next_if_eq(&' ').is_some() => name.push(' '),
            (' ', _) => names.push(String::new()),
            (other, Some(name)) => name.push(other),
            (other, None) => names.push(other.into()),
        }
    }
    names.retain(|name| !name.is_empty());
    names
        .into_iter()
        .map(|name| Path::new(&name).to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_spaces_are_one_name() {
        let list = "/t/my\\ target/a.wasm: /w/a.rs /w/my\\ dir/b.rs C:\\c.rs\n\n/w/a.rs:\n";
        let expected = ["/w/a.rs", "/w/my dir/b.rs", "C:\\c.rs"].map(PathBuf::from);
        assert_eq!(listed(list), expected);
        assert_eq!(listed(""), Vec::<PathBuf>::new());
    }
}
