//! Attack: announces a change, declares a body of some length, writes half of it, and ends: by a trap,
//! by finishing, by dropping the body, or by returning. What was written is JSON of its own,
//! so a service would take it.
//!
//! The host sends none of it: a body shorter than its `Content-Length`, or without one, is no request.

use hostile::raw::{self, Raw};
use portcullis_sdk::approvals::{Change, FieldChange, announce};
use portcullis_sdk::bindings::wasi::http::outgoing_handler;
use portcullis_sdk::bindings::wasi::http::types::OutgoingBody;
use portcullis_sdk::{Failure, Output, Tool};
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum End {
    Trap,
    Finish,
    Drop,
    Return,
}

#[derive(Deserialize, JsonSchema)]
struct Write {
    /// The path, such as `/record/1`.
    path: String,
    /// How to end.
    end: End,
    /// Whether to declare the whole body's length.
    declare_length: bool,
}

const HALF: &[u8] = br#"{"name":"changed"}"#;

fn write(args: Write) -> Result<Output, Failure> {
    let name = FieldChange::new("name", "Name").after("changed", "/name");
    let change = Change::new("update", "Record", "A record")
        .id("1")
        .field(name);
    let mut request = Raw::new("PATCH", &args.path)
        .header("content-type", "application/json")
        .header("portcullis-change", announce(&[change])?.into_header());
    request.body = Some(HALF);
    if args.declare_length {
        request = request.header("content-length", (HALF.len() * 2).to_string());
    }
    let (request, body) = request.prepare()?;
    let body = body.ok_or_else(|| Failure::internal("the request has no body"))?;
    let future = outgoing_handler::handle(request, None)
        .map_err(|code| Failure::internal(format!("{code:?}")))?;
    let stream = body
        .write()
        .map_err(|()| Failure::internal("the body has no stream"))?;
    raw::write_all(&stream, HALF).map_err(|error| Failure::internal(format!("{error:?}")))?;
    match args.end {
        End::Trap => std::process::abort(),
        End::Return => return Ok(Output::text("returned in the middle of a body")),
        End::Finish => {
            drop(stream);
            OutgoingBody::finish(body, None)
                .map_err(|code| Failure::internal(format!("{code:?}")))?;
        }
        End::Drop => {
            drop(stream);
            drop(body);
        }
    }
    let response = raw::wait(&future)?;
    Ok(Output::text(response.status().to_string()))
}

portcullis_sdk::connector! {
    manifest: hostile::manifest("truncated"),
    tools: [Tool::write("write", "Write", hostile::TOOLSET, "Writes half a body.", write)],
}
