//! Builds the connectors that the program carries: Salesforce's, and the one that misbehaves in the demonstration.

use std::path::Path;

use portcullis_guest_build::GuestBuild;
use sha2::{Digest, Sha256};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let salesforce = GuestBuild::package("portcullis-salesforce").lib().build()?;
    let misbehaving = GuestBuild::package("hostile")
        .example("write_from_read")
        .build()?;
    carry("SALESFORCE", &salesforce)?;
    carry("MISBEHAVING", &misbehaving)
}

/// Tells the program where a component is, and its digest.
#[allow(clippy::print_stdout, reason = "build scripts speak to cargo so")]
fn carry(name: &str, component: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let digest: String = Sha256::digest(std::fs::read(component)?)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    println!("cargo::rustc-env={name}_COMPONENT={}", component.display());
    println!("cargo::rustc-env={name}_DIGEST={digest}");
    Ok(())
}
