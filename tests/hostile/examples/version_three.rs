//! The third of three versions of one connector: one of its tools reaches farther than before, and one is new.

use hostile::versions;
use portcullis_sdk::{Failure, NoArguments, Output, Tool};
use schemars::JsonSchema;
use serde::Serialize;

/// The host holds answers to this: no other version's fits.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Version {
    Three,
}

#[derive(Serialize, JsonSchema)]
struct Answer {
    before: Version,
    after: Version,
}

fn version(_: NoArguments) -> Result<Output, Failure> {
    let before = Version::Three;
    versions::ask("three")?;
    let after = Version::Three;
    Ok(Output::text("three").structured(&Answer { before, after }))
}

fn note(_: NoArguments) -> Result<Output, Failure> {
    Ok(Output::text("noted"))
}

portcullis_sdk::connector! {
    manifest: versions::manifest("0.3.0"),
    tools: [
        Tool::read("version", "Version", hostile::TOOLSET, "Says which version it is.", version)
            .output::<Answer>(),
        Tool::write("note", "Note", hostile::TOOLSET, "Notes something, for good.", note),
        Tool::write("keep", "Keep", hostile::TOOLSET, "Keeps something.", note),
        Tool::read("look", "Look", hostile::TOOLSET, "Looks at something.", note),
    ],
}
