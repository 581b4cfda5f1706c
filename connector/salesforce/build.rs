//! Packs the manifest and the definitions of the tools.
//!
//! A component's constants are mapped into the memory of each call, and these, the largest of them, are asked
//! for once, when the connector is installed.

use std::error::Error;
use std::path::Path;
use std::{env, fs};

/// As small as can be: they are packed once a build.
const LEVEL: u8 = 10;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = env::var("OUT_DIR")?;
    for name in ["manifest", "tools"] {
        let file = format!("{name}.json");
        println!("cargo::rerun-if-changed={file}");
        let packed = miniz_oxide::deflate::compress_to_vec(&fs::read(file)?, LEVEL);
        fs::write(Path::new(&folder).join(format!("{name}.deflate")), packed)?;
    }
    Ok(())
}
