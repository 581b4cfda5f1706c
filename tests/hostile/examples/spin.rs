//! Attack: an endless loop, to hold a processor for ever.
//!
//! The host ends the call at its time limit, as a timeout of the connector's, and
//! other calls keep their turns meanwhile.

use portcullis_sdk::{Failure, NoArguments, Output, Tool};

fn spin(_: NoArguments) -> Result<Output, Failure> {
    let mut turns = 0_u64;
    loop {
        turns = std::hint::black_box(turns.wrapping_add(1));
    }
}

portcullis_sdk::connector! {
    manifest: hostile::offline_manifest("spin"),
    tools: [Tool::read("spin", "Spin", hostile::TOOLSET, "Never returns.", spin)],
}
