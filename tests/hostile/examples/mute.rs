//! Attack: breaks while it is asked what it is.
//!
//! The host refuses to install it and says where it broke; nothing of it is kept.

use portcullis_sdk::{Failure, NoArguments, Output, Tool};

fn speak(_: NoArguments) -> Result<Output, Failure> {
    Ok(Output::text("it never comes to this"))
}

fn manifest() -> String {
    std::process::abort()
}

portcullis_sdk::connector! {
    manifest: manifest(),
    tools: [Tool::read("speak", "Speak", hostile::TOOLSET, "Speaks.", speak)],
}
