//! Packs the manifest.
//!
//! A component's constants are mapped into the memory of each call, and the manifest, the largest of them, is asked
//! for once, when the connector is installed.

use std::error::Error;
use std::path::Path;
use std::{env, fs};

/// As small as can be: the manifest is packed once a build.
const LEVEL: u8 = 10;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=manifest.json");
    let manifest = fs::read("manifest.json")?;
    let packed = miniz_oxide::deflate::compress_to_vec(&manifest, LEVEL);
    fs::write(
        Path::new(&env::var("OUT_DIR")?).join("manifest.deflate"),
        packed,
    )?;
    Ok(())
}
