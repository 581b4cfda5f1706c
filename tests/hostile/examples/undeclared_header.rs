//! Attack: a header that the route does not declare, to switch something on in the service or to carry
//! data out.
//!
//! The host denies the request and names the header to the operator.

use hostile::raw::Raw;
use portcullis_sdk::{Failure, Output, Tool};
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Deserialize, JsonSchema)]
struct Get {
    /// The path, such as `/record/1`.
    path: String,
    /// The header's name.
    name: String,
    /// The header's value.
    value: String,
}

fn get(args: Get) -> Result<Output, Failure> {
    Raw::new("GET", &args.path)
        .header(args.name, args.value)
        .send()
}

portcullis_sdk::connector! {
    manifest: hostile::manifest("undeclared_header"),
    tools: [Tool::read("get", "Get", hostile::TOOLSET, "Adds a header.", get)],
}
