//! The second of three versions of one connector: it reaches as far as the first.

use hostile::versions;
use portcullis_sdk::{Failure, NoArguments, Output, Tool};
use schemars::JsonSchema;
use serde::Serialize;

/// The host holds answers to this: no other version's fits.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Version {
    Two,
}

#[derive(Serialize, JsonSchema)]
struct Answer {
    before: Version,
    after: Version,
}

fn version(_: NoArguments) -> Result<Output, Failure> {
    let before = Version::Two;
    versions::ask("two")?;
    let after = Version::Two;
    Ok(Output::text("two").structured(&Answer { before, after }))
}

fn note(_: NoArguments) -> Result<Output, Failure> {
    Ok(Output::text("noted"))
}

portcullis_sdk::connector! {
    manifest: versions::manifest("0.2.0"),
    tools: [
        Tool::read("version", "Version", hostile::TOOLSET, "Says which version it is.", version)
            .output::<Answer>(),
        Tool::read("note", "Note", hostile::TOOLSET, "Notes something.", note),
    ],
}
