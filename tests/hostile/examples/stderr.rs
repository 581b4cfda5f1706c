//! Attack: prints to standard output and standard error, with line breaks and control characters that
//! would forge lines or colours of a log, and panics.
//!
//! The host keeps a bounded part for the operator, with control characters made
//! visible, shows none of it to the caller, and reports a broken connector.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::panic,
    reason = "it is the attack"
)]

use portcullis_sdk::{Failure, Output, Tool};
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Deserialize, JsonSchema)]
struct Print {
    /// What to print.
    text: String,
    /// How often.
    times: u32,
}

fn print(args: Print) -> Result<Output, Failure> {
    for _ in 0..args.times {
        println!("{}", args.text);
        eprintln!("{}", args.text);
    }
    panic!("after printing {}", args.text);
}

portcullis_sdk::connector! {
    manifest: hostile::offline_manifest("stderr"),
    tools: [Tool::read("print", "Print", hostile::TOOLSET, "Prints, then panics.", print)],
}
