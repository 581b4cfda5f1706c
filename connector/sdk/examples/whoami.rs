//! A connector whose service is an OpenID provider (OpenID Connect Core 1.0): its accounts sign in there, and it says whose
//! they are.

use portcullis_sdk::credentials::{Environment, Identity};
use portcullis_sdk::http::Request;
use portcullis_sdk::{Failure, Output, Tool};
use schemars::JsonSchema;
use serde::Deserialize;

/// What the provider says of who is signed in (section 5.3.2).
#[derive(Deserialize)]
struct UserInfo {
    sub: String,
    name: Option<String>,
}

fn user() -> Result<UserInfo, Failure> {
    let response = Request::get("/me").send()?;
    match response.status() {
        200 => response.json(),
        status => Err(Failure::not_permitted(format!(
            "the provider does not say who is signed in: it answered {status}"
        ))),
    }
}

#[derive(Deserialize, JsonSchema)]
struct WhoAmI {}

fn who_am_i(_: WhoAmI) -> Result<Output, Failure> {
    Ok(Output::text(user()?.sub))
}

fn identify() -> Result<Identity, Failure> {
    let UserInfo { sub, name } = user()?;
    Ok(Identity {
        environment: Environment::Production,
        user_name: name.unwrap_or_else(|| sub.clone()),
        user_id: sub,
        organization_id: None,
        organization_name: None,
        facts: Vec::new(),
    })
}

portcullis_sdk::connector! {
    manifest: include_str!("whoami.json"),
    identify: identify,
    tools: [
        Tool::read("who_am_i", "Who am I", "people", "Says who is signed in.", who_am_i),
    ],
}
