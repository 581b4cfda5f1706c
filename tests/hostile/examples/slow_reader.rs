//! Attack: takes one byte of a response and then sleeps, to hold a connection and a slot for ever
//! without using any processor time.
//!
//! The host ends the call at its wall-clock limit and gives the connection up.

use hostile::raw::{self, Raw};
use portcullis_sdk::{Failure, Output, Tool};
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Deserialize, JsonSchema)]
struct Read {
    /// The path, such as `/large`.
    path: String,
}

fn read(args: Read) -> Result<Output, Failure> {
    let response = Raw::new("GET", &args.path).open()?;
    let body = response
        .consume()
        .map_err(|()| Failure::internal("the response has no body"))?;
    let stream = body
        .stream()
        .map_err(|()| Failure::internal("the body has no stream"))?;
    let first = stream.blocking_read(1);
    std::hint::black_box(&first);
    loop {
        raw::sleep(60_000);
    }
}

portcullis_sdk::connector! {
    manifest: hostile::manifest("slow_reader"),
    tools: [Tool::read("read", "Read", hostile::TOOLSET, "Reads a byte, then sleeps.", read)],
}
