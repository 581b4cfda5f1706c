//! Builds connectors as WebAssembly components from a build script, so that
//! `cargo build` of a host is all that anyone has to run.
//!
//! ```no_run
//! use portcullis_guest_build::{GuestBuild, GuestBuildError};
//!
//! fn main() -> Result<(), GuestBuildError> {
//!     let component = GuestBuild::package("portcullis-salesforce").lib().build()?;
//!     println!("cargo::rustc-env=SALESFORCE_COMPONENT={}", component.display());
//!     Ok(())
//! }
//! ```
//!
//! A second cargo builds the package with `--profile guest --target wasm32-wasip2` and
//! `Cargo.lock` as it is, in a target folder of its own: `guests` inside the outer one's,
//! so neither waits for the other's lock. It starts from a clean environment, for the flags
//! and wrappers of the outer build (clippy's driver, coverage) are not the guest's, and with source
//! paths replaced, so that equal sources give an equal component on every machine.
//!
//! The build script runs again when a file changes that went into a component, a manifest, or
//! `Cargo.lock`. It refuses nothing and checks nothing of what it builds: the host does.

mod environment;
mod error;
mod inputs;
mod nested;

use std::path::{Path, PathBuf};

pub use error::GuestBuildError;

/// Starts a build of connectors; see the crate's documentation.
#[derive(Clone, Copy, Debug)]
pub struct GuestBuild;

impl GuestBuild {
    /// Chooses the workspace's package that the connectors belong to.
    pub fn package(name: impl Into<String>) -> Package {
        Package {
            name: name.into(),
            target_dir: None,
        }
    }
}

/// A package of which something is to be built.
#[derive(Clone, Debug)]
#[must_use = "choose what to build: `lib`, `example` or `examples`"]
pub struct Package {
    name: String,
    target_dir: Option<PathBuf>,
}

impl Package {
    /// Builds in this folder, where there is no build script whose `OUT_DIR` says where.
    pub fn target_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.target_dir = Some(folder.into());
        self
    }

    /// Chooses the package's library (a `cdylib`).
    pub fn lib(self) -> One {
        One {
            package: self,
            choice: Choice::Lib,
        }
    }

    /// Chooses one of its examples.
    pub fn example(self, name: impl Into<String>) -> One {
        One {
            package: self,
            choice: Choice::Example(name.into()),
        }
    }

    /// Chooses all of its examples.
    pub fn examples(self) -> All {
        All { package: self }
    }
}

/// One component to build.
#[derive(Clone, Debug)]
#[must_use = "nothing is built before `build`"]
pub struct One {
    package: Package,
    choice: Choice,
}

impl One {
    /// Builds the component and returns where it is.
    ///
    /// # Errors
    ///
    /// [`GuestBuildError`]: the target is not installed, the package is not there, or cargo failed.
    pub fn build(self) -> Result<PathBuf, GuestBuildError> {
        let mut all = nested::build(&self.package, &self.choice)?;
        match (all.pop(), all.is_empty()) {
            (Some(path), true) => Ok(path),
            _ => Err(GuestBuildError::NoComponent {
                package: self.package.name,
                wanted: self.choice.to_string(),
            }),
        }
    }
}

/// All examples of a package to build.
#[derive(Clone, Debug)]
#[must_use = "nothing is built before `build`"]
pub struct All {
    package: Package,
}

impl All {
    /// Builds the components and returns where they are, sorted: each file's stem is the
    /// example's name.
    ///
    /// # Errors
    ///
    /// As [`One::build`].
    pub fn build(self) -> Result<Vec<PathBuf>, GuestBuildError> {
        let all = nested::build(&self.package, &Choice::Examples)?;
        if all.is_empty() {
            return Err(GuestBuildError::NoComponent {
                package: self.package.name,
                wanted: Choice::Examples.to_string(),
            });
        }
        Ok(all)
    }
}

/// What of a package to build.
#[derive(Clone, Debug)]
enum Choice {
    Lib,
    Example(String),
    Examples,
}

impl std::fmt::Display for Choice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Lib => f.write_str("library"),
            Self::Example(name) => write!(f, "example `{name}`"),
            Self::Examples => f.write_str("examples"),
        }
    }
}

/// Tells cargo to run the build script again when `path` changes.
#[allow(clippy::print_stdout, reason = "build scripts speak to cargo so")]
fn rerun_if_changed(path: &Path) {
    println!("cargo::rerun-if-changed={}", path.display());
}

/// Tells cargo to run the build script again when the variable `name` changes.
#[allow(clippy::print_stdout, reason = "build scripts speak to cargo so")]
fn rerun_if_env_changed(name: &str) {
    println!("cargo::rerun-if-env-changed={name}");
}
