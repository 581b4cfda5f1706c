//! What of the outer build's environment the inner one may see, and where it builds.
//!
//! Cargo gives a build script its own settings as environment variables, and
//! takes most of them for configuration where it finds them: `CARGO_ENCODED_RUSTFLAGS`
//! from a coverage run, `RUSTC_WORKSPACE_WRAPPER` from clippy, `CARGO_BUILD_TARGET`,
//! `CARGO_PROFILE_*`. So all of cargo's variables go, but those that say where things
//! are and how to reach the registry.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::GuestBuildError;

/// Names the folder to build connectors in, instead of `guests` in the outer target folder.
pub(crate) const TARGET_DIR_VARIABLE: &str = "PORTCULLIS_GUEST_TARGET_DIR";

/// Variables of cargo's that stay, by prefix: where its home is, how it reaches a registry, how
/// it talks, and the job server, by which the inner build keeps to the outer one's `-j`.
const KEPT: [&str; 7] = [
    "CARGO_HOME",
    "CARGO_NET_",
    "CARGO_HTTP_",
    "CARGO_REGISTRIES_",
    "CARGO_REGISTRY_",
    "CARGO_TERM_",
    "CARGO_MAKEFLAGS",
];

/// Variables without cargo's prefix that would change what is built. `RUSTC` stays: cargo sets
/// it to the compiler of the outer build.
const DROPPED: [&str; 12] = [
    "RUSTFLAGS",
    "RUSTDOCFLAGS",
    "RUSTC_WRAPPER",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTC_LINKER",
    "TARGET",
    "HOST",
    "PROFILE",
    "OPT_LEVEL",
    "DEBUG",
    "OUT_DIR",
    "NUM_JOBS",
];

/// Tells whether the inner build must not see the variable `name`.
fn leaks(name: &str) -> bool {
    let of_cargo = name.starts_with("CARGO") || name.starts_with("__CARGO");
    let kept = KEPT.iter().any(|prefix| name.starts_with(prefix));
    (of_cargo && !kept) || name.starts_with("CLIPPY_") || DROPPED.contains(&name)
}

/// Takes off `command` what the outer build left in the environment.
pub(crate) fn clean(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(leaks) {
            command.env_remove(name);
        }
    }
}

/// Returns the folder to build in: what was asked for, what the environment says, or `guests`
/// in the target folder that `OUT_DIR` is in.
///
/// # Errors
///
/// [`GuestBuildError::NoTargetDir`] where none of the three is known.
pub(crate) fn target_dir(asked: Option<&Path>) -> Result<PathBuf, GuestBuildError> {
    if let Some(folder) = asked {
        return Ok(folder.to_owned());
    }
    if let Some(folder) = variable(TARGET_DIR_VARIABLE) {
        return Ok(folder.into());
    }
    let out_dir = variable("OUT_DIR").ok_or(GuestBuildError::NoTargetDir)?;
    Ok(beside(Path::new(&out_dir)))
}

/// Finds the target folder around a build script's `OUT_DIR` by the tag that cargo leaves there.
fn beside(out_dir: &Path) -> PathBuf {
    out_dir
        .ancestors()
        .find(|folder| folder.join("CACHEDIR.TAG").is_file())
        .unwrap_or(out_dir)
        .join("guests")
}

/// Returns an environment variable that is set and not empty.
pub(crate) fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// Fewer functions are written out where they are called than for size alone: 2 % less code, as fast.
const INLINE_LESS: &str = "-Cllvm-args=-inline-threshold=20";

/// Returns the flags of the inner compiler, as `CARGO_ENCODED_RUSTFLAGS` wants them: machine
/// paths in panic messages become names that are the same everywhere.
pub(crate) fn encoded_rustflags(workspace: &Path) -> OsString {
    let mut flags = OsString::from(INLINE_LESS);
    flags.push("\u{1f}");
    flags.push(remap(workspace, "portcullis"));
    let home = variable("CARGO_HOME").map(PathBuf::from).or_else(|| {
        let user = variable("HOME").or_else(|| variable("USERPROFILE"))?;
        Some(Path::new(&user).join(".cargo"))
    });
    if let Some(home) = home {
        flags.push("\u{1f}");
        flags.push(remap(&home, "cargo"));
    }
    flags
}

fn remap(from: &Path, to: &str) -> OsString {
    let mut flag = OsString::from("--remap-path-prefix=");
    flag.push(from);
    flag.push("=");
    flag.push(to);
    flag
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn settings_of_the_outer_build_go() {
        for name in [
            "CARGO_ENCODED_RUSTFLAGS",
            "CARGO_BUILD_TARGET",
            "CARGO_TARGET_DIR",
            "CARGO_TARGET_WASM32_WASIP2_RUSTFLAGS",
            "CARGO_PROFILE_GUEST_LTO",
            "CARGO_CFG_TARGET_OS",
            "CARGO_FEATURE_STD",
            "CARGO_PKG_NAME",
            "CARGO_INCREMENTAL",
            "__CARGO_DEFAULT_LIB_METADATA",
            "CLIPPY_ARGS",
            "RUSTC_WORKSPACE_WRAPPER",
            "RUSTC_WRAPPER",
            "RUSTFLAGS",
        ] {
            assert!(leaks(name), "{name}");
        }
    }

    #[test]
    fn what_leads_to_the_registry_stays() {
        for name in [
            "CARGO_HOME",
            "CARGO_NET_OFFLINE",
            "CARGO_HTTP_CAINFO",
            "CARGO_REGISTRIES_CRATES_IO_PROTOCOL",
            "CARGO_MAKEFLAGS",
            "RUSTC",
            "RUSTUP_TOOLCHAIN",
            "PATH",
            "HOME",
        ] {
            assert!(!leaks(name), "{name}");
        }
    }

    #[test]
    fn the_outer_target_folder_is_found_by_its_tag() {
        let target = tempfile::tempdir().unwrap();
        let root = target.path();
        let out_dir = root.join("debug/build/host-0123/out");
        std::fs::create_dir_all(&out_dir).unwrap();
        std::fs::write(root.join("CACHEDIR.TAG"), "").unwrap();
        assert_eq!(beside(&out_dir), root.join("guests"));
    }
}
