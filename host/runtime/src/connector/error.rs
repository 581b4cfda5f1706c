//! Why a component is not installed.

use portcullis_policy::{Digest, ManifestError, Problem};

/// A component that cannot be a connector of this host. Nothing of it is installed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InstallError {
    /// Bytes of something else.
    #[error("this is no WebAssembly component: {0}")]
    NotAComponent(&'static str),
    /// A component of the program's own that is another than its digest says.
    #[error(
        "the component that the program carries is not the one of digest {0}: build the program again"
    )]
    Digest(Digest),
    /// A component that the engine does not take.
    #[error(
        "this component cannot be compiled: build it again with current tools, and check that the file is whole"
    )]
    Compile(#[source] wasmtime::Error),
    /// Imports that the contract does not have.
    #[error(
        "this component wants what no connector gets: {}; a connector may import `portcullis:connector@0.1` and WASI 0.2 alone",
        list(.0)
    )]
    UnknownImports(Vec<String>),
    /// A component of another world.
    #[error(
        "this component is no connector: it does not export {}; build it for the world `portcullis:connector/connector@0.1.0`",
        list(.0)
    )]
    MissingExports(Vec<String>),
    /// A component that needs more than a call may have, or whose types differ from the contract's.
    #[error("this component does not fit the contract or the host's limits")]
    Link(#[source] wasmtime::Error),
    /// A component that breaks while it describes itself.
    #[error(
        "this component broke in `{function}`, where no import of the contract can be used: {reason}"
    )]
    Describe {
        /// The export that was called.
        function: &'static str,
        /// How it broke.
        reason: String,
    },
    /// A manifest that does not fit.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// Routes that contradict one another.
    #[error("the manifest's routes cannot be used:{}", lines(.0))]
    Routes(Vec<Problem>),
    /// Tools that cannot be offered.
    #[error("the connector's tools cannot be offered:{}", lines(.0))]
    Tools(Vec<Problem>),
    /// Tools that the manifest names and that are not there, or calls of them that nobody could make.
    #[error("the manifest names tools, or calls of them, that there cannot be:{}", lines(.0))]
    Calls(Vec<Problem>),
    /// Routes that somebody must accept, for the host cannot see that they only read.
    #[error(
        "the manifest says that these POST requests only read, which the host cannot check: {}; accept each in these words to install",
        list(.0)
    )]
    NeedsAcceptance(Vec<String>),
    /// A version that was inspected in another sandbox than the host's.
    #[error(
        "this version was inspected in another sandbox than this host's: inspect it by the host that is to run it"
    )]
    OtherSandbox,
    /// The engine could not be used.
    #[error("the sandbox could not be used")]
    Engine(#[source] wasmtime::Error),
}

fn list(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

fn lines(problems: &[Problem]) -> String {
    problems
        .iter()
        .map(|problem| format!("\n  {}: {}", problem.pointer, problem.problem))
        .collect()
}
