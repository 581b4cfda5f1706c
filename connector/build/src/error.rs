//! What can go wrong, and who can do something about it.

use std::fmt;
use std::path::PathBuf;
use std::process::ExitStatus;

use crate::environment::TARGET_DIR_VARIABLE;

/// Why a connector could not be built.
///
/// `Debug` prints the same sentence as `Display`, causes included, for that is
/// what the `main` of a build script returns it through.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum GuestBuildError {
    /// The compiler has no standard library for the connectors' target.
    #[error("the target `wasm32-wasip2` is not installed: run `rustup target add wasm32-wasip2`")]
    TargetMissing,

    /// It is not known where to build.
    #[error(
        "there is no folder to build connectors in: outside a build script, set \
         `{TARGET_DIR_VARIABLE}` or call `target_dir`"
    )]
    NoTargetDir,

    /// A program could not be started.
    #[error("cannot run `{program}`")]
    Start {
        /// The program.
        program: String,
        /// Why not.
        #[source]
        source: std::io::Error,
    },

    /// Cargo could not describe the workspace.
    #[error("cannot read the workspace")]
    Workspace(#[source] cargo_metadata::Error),

    /// The workspace has no such package.
    #[error("the workspace has no package `{0}`")]
    UnknownPackage(String),

    /// Cargo's messages could not be read.
    #[error("cannot read what cargo says of its build")]
    Messages(#[source] std::io::Error),

    /// The build itself failed; cargo has said why on standard error.
    #[error(
        "the build of `{package}` for `wasm32-wasip2` failed with {status}; its errors are above"
    )]
    Failed {
        /// The package.
        package: String,
        /// How cargo ended.
        status: ExitStatus,
    },

    /// Cargo was content but no component came of it.
    #[error(
        "package `{package}` gave no component for its {wanted}: is its `crate-type` `cdylib`?"
    )]
    NoComponent {
        /// The package.
        package: String,
        /// What was to be built.
        wanted: String,
    },

    /// The list of files that went into a component could not be read.
    #[error("cannot read `{}`, the list of what a component was built from", path.display())]
    Inputs {
        /// The list.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
}

impl fmt::Debug for GuestBuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")?;
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_target_says_what_to_run() {
        assert_eq!(
            format!("{:?}", GuestBuildError::TargetMissing),
            "the target `wasm32-wasip2` is not installed: run `rustup target add wasm32-wasip2`"
        );
    }

    #[test]
    fn causes_are_part_of_the_sentence() {
        let error = GuestBuildError::Start {
            program: "cargo".to_owned(),
            source: std::io::Error::other("no such file"),
        };
        assert_eq!(format!("{error:?}"), "cannot run `cargo`: no such file");
    }
}
