//! Attack: memory without end, touched so that it must be there.
//!
//! The host ends the call when the memory reaches its limit, and says that it was that.

use portcullis_sdk::{Failure, NoArguments, Output, Tool};

const BLOCK_BYTES: usize = 1024 * 1024;

fn hog(_: NoArguments) -> Result<Output, Failure> {
    let mut blocks: Vec<Vec<u8>> = Vec::new();
    loop {
        blocks.push(std::hint::black_box(vec![1; BLOCK_BYTES]));
    }
}

portcullis_sdk::connector! {
    manifest: hostile::offline_manifest("hog"),
    tools: [Tool::read("hog", "Hog", hostile::TOOLSET, "Takes all memory.", hog)],
}
