//! Attack: recursion without end, to run off the stack into what lies beside it.
//!
//! The host ends the call as a trap of the connector's and lives on.

use std::hint::black_box;

use portcullis_sdk::{Failure, NoArguments, Output, Tool};

/// Uses the array after the call, so that no compiler makes a loop of it.
fn deeper(depth: u64) -> u64 {
    let frame = black_box([depth; 64]);
    let below = if black_box(true) {
        deeper(depth + 1)
    } else {
        0
    };
    below.wrapping_add(frame[black_box(7)])
}

fn overflow(_: NoArguments) -> Result<Output, Failure> {
    Ok(Output::text(deeper(0).to_string()))
}

portcullis_sdk::connector! {
    manifest: hostile::offline_manifest("overflow"),
    tools: [Tool::read("overflow", "Overflow", hostile::TOOLSET, "Runs off the stack.", overflow)],
}
