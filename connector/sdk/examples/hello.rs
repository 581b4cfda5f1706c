//! The smallest connector: two tools, no service behind them.

use portcullis_sdk::{Failure, Output, Tool};
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Deserialize, JsonSchema)]
struct Echo {
    /// What to say.
    text: String,
}

fn echo(args: Echo) -> Result<Output, Failure> {
    Ok(Output::text(args.text))
}

#[derive(Deserialize, JsonSchema)]
struct Greet {
    /// Whom to greet.
    name: String,
}

fn greet(args: Greet) -> Result<Output, Failure> {
    if args.name.trim().is_empty() {
        return Err(Failure::invalid("there is no one to greet").field("/name", "is empty"));
    }
    Ok(Output::text(format!("Hello, {}!", args.name)))
}

portcullis_sdk::connector! {
    manifest: include_str!("hello.json"),
    tools: [
        Tool::read("echo", "Echo", "demo", "Returns its text.", echo),
        Tool::read("greet", "Greet", "demo", "Greets someone by name.", greet),
    ],
}
