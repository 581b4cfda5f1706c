//! Attack: a component that wants more than the contract gives: an interface `evil:door/open`.
//!
//! The host refuses to install it and names the interface; it never runs, not even to
//! describe itself.

use portcullis_sdk::{Failure, NoArguments, Output, Tool};

#[allow(
    missing_docs,
    unsafe_code,
    unreachable_pub,
    clippy::all,
    clippy::undocumented_unsafe_blocks,
    reason = "generated code"
)]
mod door {
    wit_bindgen::generate!({ world: "door", path: "wit-evil" });
}

fn open(_: NoArguments) -> Result<Output, Failure> {
    Ok(Output::text(door::evil::door::open::open()))
}

portcullis_sdk::connector! {
    manifest: hostile::offline_manifest("unknown_import"),
    tools: [Tool::read("open", "Open", hostile::TOOLSET, "Opens a door.", open)],
}
