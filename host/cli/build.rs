//! Builds the connectors that the program carries: Salesforce's, and the one that misbehaves in the demonstration.

use portcullis_guest_build::{GuestBuild, GuestBuildError};

#[allow(clippy::print_stdout, reason = "build scripts speak to cargo so")]
fn main() -> Result<(), GuestBuildError> {
    let salesforce = GuestBuild::package("portcullis-salesforce").lib().build()?;
    let misbehaving = GuestBuild::package("hostile")
        .example("write_from_read")
        .build()?;
    println!(
        "cargo::rustc-env=SALESFORCE_COMPONENT={}",
        salesforce.display()
    );
    println!(
        "cargo::rustc-env=MISBEHAVING_COMPONENT={}",
        misbehaving.display()
    );
    Ok(())
}
