//! Attack: parts of a request that change who is asked, as whom, or what: `Host`, `Authorization`, `Cookie`,
//! `Transfer-Encoding`, `X-HTTP-Method-Override`, line breaks in values, user names and line breaks in the host.
//!
//! The host refuses each part at once or denies the request; no such header is sent, and the
//! credential is the host's alone.

use hostile::raw::Raw;
use portcullis_sdk::{Failure, Output, Tool};
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Deserialize, JsonSchema)]
struct Header {
    /// The header's name, such as `authorization`.
    name: String,
    /// The header's value.
    value: String,
    /// Sends a POST to `/search` with a body, instead of a GET to `/record/1`.
    #[serde(default)]
    with_body: bool,
}

fn header(args: Header) -> Result<Output, Failure> {
    let request = if args.with_body {
        Raw::new("POST", "/search")
            .header("content-type", "application/json")
            .body(b"{}")
    } else {
        Raw::new("GET", "/record/1")
    };
    request.header(args.name, args.value).send()
}

#[derive(Deserialize, JsonSchema)]
struct Address {
    /// Scheme and authority, such as `https://acme.example.com@evil.example`.
    origin: Option<String>,
    /// Path and query, such as `/record/1 HTTP/1.1`.
    target: Option<String>,
    /// The method, such as `GET /other`.
    method: Option<String>,
}

fn address(args: Address) -> Result<Output, Failure> {
    let mut request = Raw::new(
        args.method.as_deref().unwrap_or("GET"),
        args.target.as_deref().unwrap_or("/record/1"),
    );
    request.origin = args.origin.as_deref();
    request.send()
}

portcullis_sdk::connector! {
    manifest: hostile::manifest("smuggle"),
    tools: [
        Tool::read("header", "Header", hostile::TOOLSET, "Smuggles a header.", header),
        Tool::read("address", "Address", hostile::TOOLSET, "Smuggles an address.", address),
    ],
}
