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
    order_functions()
}

/// Lets a release's relocations be packed, where the system's loader reads that. Unpacked they are 0.9 MB
/// which each start reads, and an idle server keeps.
#[allow(clippy::print_stdout, reason = "build scripts speak to cargo so")]
fn pack_relocations() {
    let is_glibc = is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu");
    if is_native_release() && is_glibc && glibc().is_some_and(|version| version >= UNPACKING_GLIBC)
    {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

/// Lets a release have the functions side by side that a server runs, where the toolchain's own linker links it.
///
/// The system brings code into memory by 64 KiB around what runs: in the compiler's order, two thirds of the
/// program for a seventh that a server needs. `order.txt` names that seventh, and `tests/bench/benches/order` writes
/// it. What it does not name is linked behind it; a name that is no more costs nothing.
#[allow(clippy::print_stdout, reason = "build scripts speak to cargo so")]
fn order_functions() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=order.txt");
    if !is_native_release() || !is("TARGET", "x86_64-unknown-linux-gnu") || is_linker_chosen() {
        return Ok(());
    }
    let mut script = "SECTIONS {\n  .text.served : {\n".to_owned();
    for name in std::fs::read_to_string("order.txt")?.lines() {
        // Functions that are called once are unlikely to the compiler.
        script.push_str(&format!("    *(.text.{name} .text.unlikely.{name})\n"));
    }
    script.push_str("  }\n} INSERT BEFORE .text;\n");
    let path = Path::new(&std::env::var("OUT_DIR")?).join("order.ld");
    std::fs::write(&path, script)?;
    println!("cargo::rustc-link-arg-bins=-Wl,-T,{}", path.display());
    Ok(())
}

/// Says whether whoever builds this has chosen a linker, which may not read such a script.
fn is_linker_chosen() -> bool {
    let flags = std::env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    std::env::var_os("RUSTC_LINKER").is_some() || flags.contains("link")
}

/// Says whether this is a release for the kind of system that builds it.
fn is_native_release() -> bool {
    is("PROFILE", "release") && std::env::var("HOST") == std::env::var("TARGET")
}

fn is(name: &str, value: &str) -> bool {
    std::env::var(name).is_ok_and(|given| given == value)
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
