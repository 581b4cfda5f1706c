//! Attack: ends in the middle of a call, in each way there is.
//!
//! The host reports a broken connector, takes no such end for a result, and the next
//! call works. An exit with code 0 is no success either: the call has returned nothing.

#![allow(clippy::panic, reason = "it is the attack")]

use portcullis_sdk::{Failure, Output, Tool};
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum How {
    Abort,
    Panic,
    Exit,
}

#[derive(Deserialize, JsonSchema)]
struct Trap {
    /// How to end.
    how: How,
}

fn trap(args: Trap) -> Result<Output, Failure> {
    match args.how {
        How::Abort => std::process::abort(),
        How::Panic => panic!("as asked"),
        How::Exit => std::process::exit(0),
    }
}

portcullis_sdk::connector! {
    manifest: hostile::offline_manifest("trap"),
    tools: [Tool::read("trap", "Trap", hostile::TOOLSET, "Ends without a result.", trap)],
}
