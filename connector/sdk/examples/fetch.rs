//! A connector with a service behind it: reads, a change that is announced, a
//! deletion, and a second origin that its manifest names in full.

use portcullis_sdk::approvals::{Change, FieldChange, announce};
use portcullis_sdk::audit::{self, Source};
use portcullis_sdk::credentials::{Environment, Identity};
use portcullis_sdk::http::{Path, Request, Response, path};
use portcullis_sdk::{Failure, Output, Tool};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Deserialize, JsonSchema)]
struct Get {
    /// The path, such as `/record/1`.
    path: String,
    /// Another origin than the connection's.
    origin: Option<String>,
}

/// What came back.
#[derive(Serialize, JsonSchema)]
struct Answer {
    status: u16,
    body: String,
}

fn get(args: Get) -> Result<Output, Failure> {
    let mut request = Request::get(Path::parse(&args.path)?);
    if let Some(origin) = args.origin {
        request = request.origin(origin);
    }
    let response = request.send()?;
    let body = response.text().into_owned();
    let status = response.status();
    Ok(Output::text(body.clone()).structured(&Answer { status, body }))
}

#[derive(Deserialize, JsonSchema)]
struct Search {
    /// What to look for.
    text: String,
}

fn search(args: Search) -> Result<Output, Failure> {
    audit::step("Searched records", Some(&args.text));
    let request = Request::post("/search").json(&json!({ "text": args.text }));
    Ok(Output::text(accepted(request.send()?)?.text()))
}

#[derive(Deserialize, JsonSchema)]
struct Put {
    /// The record's id.
    id: String,
    /// The record's new name.
    name: String,
}

fn put(args: Put) -> Result<Output, Failure> {
    let path = path!("/record/{}", args.id);
    let before: Value = accepted(Request::get(path.clone()).send()?)?.json()?;
    let ticket = announce(&[Change::new("update", "Record", &args.id)
        .id(&args.id)
        .field(
            FieldChange::new("name", "Name")
                .before(&before["name"])
                .after(&args.name, "/name"),
        )])?;
    let body = json!({ "name": args.name });
    accepted(Request::patch(path).json(&body).change(ticket).send()?)?;
    audit::cite(&[Source::new("Record").id(&args.id).fields(["name"])]);
    Ok(Output::text(format!("renamed {}", args.id)))
}

#[derive(Deserialize, JsonSchema)]
struct Delete {
    /// The record's id.
    id: String,
}

fn delete(args: Delete) -> Result<Output, Failure> {
    let ticket = announce(&[Change::new("delete", "Record", &args.id).id(&args.id)])?;
    let request = Request::delete(path!("/record/{}", args.id)).change(ticket);
    accepted(request.send()?)?;
    Ok(Output::text(format!("deleted {}", args.id)))
}

fn accepted(response: Response) -> Result<Response, Failure> {
    match response.status() {
        200..300 => Ok(response),
        404 => Err(Failure::not_found("there is no such record").field("/id", "unknown")),
        status => Err(Failure::unavailable(format!(
            "the service answered {status}: {}",
            response.text()
        ))),
    }
}

fn identify() -> Result<Identity, Failure> {
    let user: Value = accepted(Request::get("/record/me").send()?)?.json()?;
    let word = |name: &str| user[name].as_str().unwrap_or_default().to_owned();
    Ok(Identity {
        environment: Environment::Production,
        user_id: word("id"),
        user_name: word("name"),
        organization_id: None,
        organization_name: None,
        facts: Vec::new(),
    })
}

portcullis_sdk::connector! {
    manifest: include_str!("fetch.json"),
    identify: identify,
    tools: [
        Tool::read("get", "Get", "records", "Returns what is at a path.", get).output::<Answer>(),
        Tool::read("search", "Search", "records", "Finds records by text.", search),
        Tool::write("put", "Rename", "records", "Renames a record.", put).idempotent(),
        Tool::destructive("delete", "Delete", "records", "Deletes a record.", delete),
    ],
}
