//! Builds the connectors that the program carries: Salesforce's, and the one that misbehaves in the demonstration.

use std::path::Path;
use std::process::Command;

use portcullis_guest_build::GuestBuild;
use sha2::{Digest, Sha256};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let salesforce = GuestBuild::package("portcullis-salesforce").lib().build()?;
    let misbehaving = GuestBuild::package("hostile")
        .example("write_from_read")
        .build()?;
    carry("SALESFORCE", &salesforce)?;
    carry("MISBEHAVING", &misbehaving)?;
    pack_relocations();
    Ok(())
}

/// Lets a release's relocations be packed, where the system's loader reads that. Unpacked they are 0.9 MB
/// which each start reads, and an idle server keeps.
#[allow(clippy::print_stdout, reason = "build scripts speak to cargo so")]
fn pack_relocations() {
    let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|given| given == value);
    let is_release = is("PROFILE", "release") && std::env::var("HOST") == std::env::var("TARGET");
    let is_glibc = is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu");
    if is_release && is_glibc && glibc().is_some_and(|version| version >= UNPACKING_GLIBC) {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

/// The first glibc whose loader reads packed relocations.
const UNPACKING_GLIBC: (u32, u32) = (2, 36);

/// Asks which glibc this system has: `glibc 2.36`.
fn glibc() -> Option<(u32, u32)> {
    let asked = Command::new("getconf").arg("GNU_LIBC_VERSION").output();
    let answer = String::from_utf8(asked.ok()?.stdout).ok()?;
    let (major, minor) = answer.trim().strip_prefix("glibc ")?.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
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
