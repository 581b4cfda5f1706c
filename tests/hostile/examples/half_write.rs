//! Attack: announces a change, writes half of its body, and then neither goes on nor ends: asleep or
//! spinning; or sends all of it and does not wait for the answer, so that no one would know
//! whether the change was made.
//!
//! The host sends nothing of a body that never ends, and ends the call at its limit. A change that was
//! sent is reported as sent, with its outcome, however the call went on.

use hostile::raw::{self, Raw};
use portcullis_sdk::approvals::{Change, FieldChange, announce};
use portcullis_sdk::bindings::wasi::http::outgoing_handler;
use portcullis_sdk::bindings::wasi::http::types::OutgoingBody;
use portcullis_sdk::{Failure, Output, Tool};
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Then {
    /// Half of the body, then asleep for ever.
    Sleep,
    /// Half of the body, then an endless loop.
    Spin,
    /// All of the body, then returns without waiting for the answer.
    Leave,
    /// All of the body, then a trap without waiting for the answer.
    Trap,
}

#[derive(Deserialize, JsonSchema)]
struct Write {
    /// The path, such as `/record/1`.
    path: String,
    then: Then,
    /// How long to wait before the call ends, in milliseconds, so that the host may have sent it.
    #[serde(default)]
    linger_ms: u64,
}

const BODY: &[u8] = br#"{"name":"changed"}"#;

fn write(args: Write) -> Result<Output, Failure> {
    let name = FieldChange::new("name", "Name").after("changed", "/name");
    let change = Change::new("update", "Record", "A record")
        .id("1")
        .field(name);
    let ticket = announce(&[change])?;
    let (request, body) = Raw::new("PATCH", &args.path)
        .header("content-type", "application/json")
        .header("portcullis-change", ticket.into_header())
        .body(BODY)
        .prepare()?;
    let body = body.ok_or_else(|| Failure::internal("the request has no body"))?;
    let future = outgoing_handler::handle(request, None)
        .map_err(|code| Failure::internal(format!("{code:?}")))?;
    let stream = body
        .write()
        .map_err(|()| Failure::internal("the body has no stream"))?;
    let whole = matches!(args.then, Then::Leave | Then::Trap);
    let bytes = if whole { BODY } else { &BODY[..BODY.len() / 2] };
    raw::write_all(&stream, bytes).map_err(|error| Failure::internal(format!("{error:?}")))?;
    if whole {
        drop(stream);
        OutgoingBody::finish(body, None).map_err(|code| Failure::internal(format!("{code:?}")))?;
        raw::sleep(args.linger_ms);
    }
    match args.then {
        Then::Sleep => loop {
            raw::sleep(60_000);
        },
        Then::Spin => loop {
            std::hint::black_box(());
        },
        Then::Leave => {
            drop(future);
            Ok(Output::text("left"))
        }
        Then::Trap => std::process::abort(),
    }
}

portcullis_sdk::connector! {
    manifest: hostile::manifest("half_write"),
    tools: [Tool::write("write", "Write", hostile::TOOLSET, "Does not wait.", write)],
}
