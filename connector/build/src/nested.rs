//! The inner cargo: what it is asked, and what it answers.

use std::ffi::OsString;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use cargo_metadata::{Artifact, CrateType, Message, Metadata, MetadataCommand};

use crate::error::GuestBuildError;
use crate::{Choice, Package, environment, inputs, rerun_if_changed, rerun_if_env_changed};

/// The connectors' target.
const TARGET: &str = "wasm32-wasip2";

/// The workspace's profile for connectors.
const PROFILE: &str = "guest";

/// Builds `choice` of `package`, tells the outer cargo what it was built from,
/// and returns the components, sorted by path.
///
/// # Errors
///
/// As [`One::build`](crate::One::build).
pub(crate) fn build(package: &Package, choice: &Choice) -> Result<Vec<PathBuf>, GuestBuildError> {
    rerun_if_env_changed(environment::TARGET_DIR_VARIABLE);
    require_target()?;
    let metadata = workspace()?;
    let described = metadata
        .workspace_packages()
        .into_iter()
        .find(|one| one.name == package.name.as_str())
        .ok_or_else(|| GuestBuildError::UnknownPackage(package.name.clone()))?;

    let command = command(package, choice, metadata.workspace_root.as_std_path())?;
    let mut components: Vec<PathBuf> = run(command, package)?
        .into_iter()
        .filter(|artifact| artifact.package_id == described.id)
        .filter_map(component)
        .collect();
    components.sort();

    for input in inputs::of(&metadata, described, &components)? {
        rerun_if_changed(&input);
    }
    if matches!(choice, Choice::Examples) {
        // A new example is in no list yet.
        let examples = described.manifest_path.with_file_name("examples");
        rerun_if_changed(examples.as_std_path());
    }
    Ok(components)
}

/// Asks the compiler whether it can build for the target, for its own answer
/// (`can't find crate for std`, many times) does not say what to do.
fn require_target() -> Result<(), GuestBuildError> {
    let program = environment::variable("RUSTC").unwrap_or_else(|| OsString::from("rustc"));
    let mut command = Command::new(&program);
    command.args(["--print", "target-libdir", "--target", TARGET]);
    environment::clean(&mut command);
    let answer = command.output().map_err(|source| start(&program, source))?;
    let folder = String::from_utf8_lossy(&answer.stdout);
    if answer.status.success() && Path::new(folder.trim()).is_dir() {
        return Ok(());
    }
    Err(GuestBuildError::TargetMissing)
}

/// Describes the workspace that the build script's package belongs to. Without
/// dependencies, so that nothing is downloaded to find out.
fn workspace() -> Result<Metadata, GuestBuildError> {
    let mut command = MetadataCommand::new();
    command.cargo_path(cargo()).no_deps();
    if let Some(folder) = environment::variable("CARGO_MANIFEST_DIR") {
        command.current_dir(PathBuf::from(folder));
    }
    command.exec().map_err(GuestBuildError::Workspace)
}

fn command(
    package: &Package,
    choice: &Choice,
    workspace: &Path,
) -> Result<Command, GuestBuildError> {
    let mut command = Command::new(cargo());
    environment::clean(&mut command);
    command
        .current_dir(workspace)
        .env(
            "CARGO_ENCODED_RUSTFLAGS",
            environment::encoded_rustflags(workspace),
        )
        .args(["build", "--locked", "--package", &package.name])
        .args(["--profile", PROFILE, "--target", TARGET])
        .args(["--message-format", "json-render-diagnostics"])
        .arg("--target-dir")
        .arg(environment::target_dir(package.target_dir.as_deref())?)
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    match choice {
        Choice::Lib => command.arg("--lib"),
        Choice::Example(name) => command.args(["--example", name]),
        Choice::Examples => command.arg("--examples"),
    };
    Ok(command)
}

fn run(mut command: Command, package: &Package) -> Result<Vec<Artifact>, GuestBuildError> {
    let program = command.get_program().to_owned();
    let mut child = command.spawn().map_err(|source| start(&program, source))?;
    let mut artifacts = Vec::new();
    // Cargo is waited for even where it cannot be read: the way it ended explains more.
    let mut unread = None;
    if let Some(stdout) = child.stdout.take() {
        for message in Message::parse_stream(BufReader::new(stdout)) {
            match message {
                Ok(Message::CompilerArtifact(artifact)) => artifacts.push(artifact),
                Ok(_) => {}
                Err(error) => {
                    unread = Some(error);
                    break;
                }
            }
        }
    }
    let status = child.wait().map_err(|source| start(&program, source))?;
    if !status.success() {
        let package = package.name.clone();
        return Err(GuestBuildError::Failed { package, status });
    }
    match unread {
        Some(error) => Err(GuestBuildError::Messages(error)),
        None => Ok(artifacts),
    }
}

/// Returns the component among an artifact's files, if it is one.
fn component(artifact: Artifact) -> Option<PathBuf> {
    artifact
        .target
        .crate_types
        .contains(&CrateType::CDyLib)
        .then_some(())?;
    let is_component =
        |path: &&cargo_metadata::camino::Utf8PathBuf| path.extension() == Some("wasm");
    let path = artifact.filenames.iter().find(is_component)?;
    Some(path.clone().into_std_path_buf())
}

fn cargo() -> OsString {
    environment::variable("CARGO").unwrap_or_else(|| OsString::from("cargo"))
}

fn start(program: &OsString, source: std::io::Error) -> GuestBuildError {
    GuestBuildError::Start {
        program: program.to_string_lossy().into_owned(),
        source,
    }
}
