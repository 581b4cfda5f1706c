//! Attack: says more than anyone can hold, through every way out of a call.
//!
//! The host bounds each: an answer or a failure beyond its limit is the connector's error,
//! not cut silently; audit steps, progress reports and printed lines are
//! bounded or dropped, and the call ends at its time limit at the latest.

#![allow(clippy::print_stdout, reason = "it is the attack")]

use portcullis_sdk::{Failure, Output, Tool, audit, progress};
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Way {
    Text,
    Structured,
    Attachment,
    Cursor,
    Failure,
    FieldProblems,
    Steps,
    Sources,
    Progress,
    Print,
}

#[derive(Deserialize, JsonSchema)]
struct Flood {
    /// The way out.
    way: Way,
    /// How much to return at once, in bytes; 1 GiB where it is not given.
    bytes: Option<usize>,
}

fn flood(args: Flood) -> Result<Output, Failure> {
    let bytes = args.bytes.unwrap_or(1 << 30);
    let much = || "x".repeat(bytes);
    match args.way {
        Way::Text => Ok(Output::text(much())),
        Way::Structured => Ok(Output::text("").structured(&much())),
        Way::Attachment => Ok(Output::text("").attach("x.txt", "text/plain", vec![b'x'; bytes])),
        Way::Cursor => Ok(Output::text("").cursor(much())),
        Way::Failure => Err(Failure::internal(much())),
        Way::FieldProblems => {
            let mut failure = Failure::invalid("too much is wrong");
            for at in 0..bytes / 16 {
                failure = failure.field(format!("/{at}"), "wrong");
            }
            Err(failure)
        }
        Way::Steps => forever(|| audit::step("A step", Some(&"x".repeat(4096)))),
        Way::Sources => forever(|| audit::cite(&[audit::Source::new("x".repeat(4096))])),
        Way::Progress => forever(|| progress::report(1, None, &"x".repeat(4096))),
        Way::Print => forever(|| println!("{}", "x".repeat(4096))),
    }
}

fn forever(mut act: impl FnMut()) -> Result<Output, Failure> {
    loop {
        act();
    }
}

portcullis_sdk::connector! {
    manifest: hostile::offline_manifest("flood"),
    tools: [Tool::read("flood", "Flood", hostile::TOOLSET, "Says too much.", flood)],
}
