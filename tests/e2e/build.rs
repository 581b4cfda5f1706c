//! Builds the components that the tests run.

use portcullis_guest_build::{GuestBuild, GuestBuildError};

#[allow(clippy::print_stdout, reason = "build scripts speak to cargo so")]
fn main() -> Result<(), GuestBuildError> {
    let mut components = GuestBuild::package("portcullis-sdk").examples().build()?;
    components.extend(GuestBuild::package("hostile").examples().build()?);
    components.push(GuestBuild::package("portcullis-salesforce").lib().build()?);
    // One variable for all, for a variable has no line breaks; a file's stem is its component's name.
    let listed: Vec<String> = components
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    println!("cargo::rustc-env=COMPONENTS={}", listed.join("|"));
    Ok(())
}
