//! Attack: a request that the manifest does not declare, or one written so that host and service
//! disagree on which route it is: dot segments, double or encoded slashes, encoded letters, another method.
//!
//! The host denies it before any byte is sent.

use hostile::raw::Raw;
use portcullis_sdk::approvals::{Change, announce};
use portcullis_sdk::{Failure, Output, Tool};
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Deserialize, JsonSchema)]
struct Send {
    /// The method, such as `GET`.
    method: String,
    /// Path and query, sent as they are.
    target: String,
}

fn send(args: Send) -> Result<Output, Failure> {
    // Announced, so that the route is all that there is to refuse.
    let ticket = announce(&[Change::new("update", "Record", "A record").id("1")])?;
    Raw::new(&args.method, &args.target)
        .header("portcullis-change", ticket.into_header())
        .send()
}

portcullis_sdk::connector! {
    manifest: hostile::manifest("undeclared_route"),
    tools: [Tool::destructive("send", "Send", hostile::TOOLSET, "Sends anything.", send)],
}
