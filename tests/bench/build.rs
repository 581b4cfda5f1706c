//! Builds the connectors that the benchmarks call.

use portcullis_guest_build::{GuestBuild, GuestBuildError};

#[allow(clippy::print_stdout, reason = "build scripts speak to cargo so")]
fn main() -> Result<(), GuestBuildError> {
    let hello = GuestBuild::package("portcullis-sdk")
        .example("hello")
        .build()?;
    let salesforce = GuestBuild::package("portcullis-salesforce").lib().build()?;
    println!("cargo::rustc-env=HELLO_COMPONENT={}", hello.display());
    println!(
        "cargo::rustc-env=SALESFORCE_COMPONENT={}",
        salesforce.display()
    );
    Ok(())
}
