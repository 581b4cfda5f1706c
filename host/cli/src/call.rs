//! `portcullis call`: one tool, once.

use std::io::{Read, Write};

use anyhow::Result;
use portcullis::ports::MemoryAudit;
use portcullis::ports::audit::{Event, Record};
use portcullis::{ComponentCache, Outcome, Reply};
use serde_json::{Value, json};

use crate::activity;
use crate::args::{Call, Format, StoreSettings};
use crate::desk::{Desk, Where};
use crate::org;
use crate::problem::Problem;
use crate::show;

/// Calls the tool, and gives the problem where there is no answer.
pub(crate) async fn run(args: &Call, store: &StoreSettings, cache: ComponentCache) -> Result<()> {
    let arguments = arguments(&args.json)?;
    let mut decides = None;
    let (reply, records) = match args.org.is_given() {
        true => {
            let world = org::open(&args.org, &args.network, cache).await?;
            let (connector, _) = world.connect().await?;
            let name = &connector.manifest().name;
            let reply = world.call(name, &args.tool, arguments).await;
            let records = records(&reply, &world.audit);
            (reply, records)
        }
        false => {
            let pages = match &args.public_url {
                Some(base) => Where::At(base.clone()),
                None => Where::AtAnothers(args.connect_port),
            };
            let desk = Desk::open(store, &args.who, &args.network, cache, pages).await?;
            let reply = desk.call(&args.tool, arguments, args.reason.clone()).await;
            let reply = match reply {
                Ok(reply) => reply,
                Err(error) => {
                    activity::close(&desk.audit, &desk.host).await;
                    return Err(error);
                }
            };
            let records = match reply.call {
                Some(call) if args.audit || !reply.sent.is_empty() => {
                    desk.audit.records(call).await?
                }
                _ => Vec::new(),
            };
            activity::close(&desk.audit, &desk.host).await;
            decides = desk.somebody_else().cloned();
            (reply, records)
        }
    };

    if args.output == Format::Json {
        let mut object = show::reply::reply_json(&reply);
        if args.audit {
            object.insert("audit".to_owned(), show::audit::json(&records));
        }
        show::json(&Value::Object(object))?;
    } else {
        let mut out = anstream::stdout().lock();
        if let Outcome::Done(output) = &reply.outcome {
            show::reply::output(&mut out, output)?;
        }
        let is_kept = |record: &Record| matches!(record.event, Event::Fetched { .. });
        show::reply::sent(&mut out, &reply, records.iter().any(is_kept))?;
        if args.audit {
            if matches!(reply.outcome, Outcome::Done(_)) {
                writeln!(out)?;
            }
            show::audit::entry(&mut out, &records)?;
        }
    }
    let Some(mut problem) = Problem::of_reply(&reply) else {
        return Ok(());
    };
    if let (Outcome::ApprovalRequired(asked), Some(person)) = (&reply.outcome, decides)
        && asked.link.is_none()
    {
        problem.hint = Some(format!(
            "`{person}` decides, and nobody else: `portcullis approvals approve {}`, run by them; then make the same call again",
            asked.id
        ));
    }
    Err(problem.into())
}

fn records(reply: &Reply, audit: &MemoryAudit) -> Vec<Record> {
    reply
        .call
        .map(|call| audit.records(call))
        .unwrap_or_default()
}

/// Reads the tool's arguments. Whether they fit the tool is for the host to say.
fn arguments(text: &str) -> Result<Value> {
    let mut read = String::new();
    let text = match text {
        "-" => {
            std::io::stdin().read_to_string(&mut read)?;
            read.as_str()
        }
        text => text,
    };
    let shape = json!({ "soql": "SELECT Name FROM Account LIMIT 3" });
    let hint = format!("give the arguments as one object in single quotes: --json '{shape}'");
    let value: Value = serde_json::from_str(text).map_err(|error| {
        let message = format!("the text after `--json` is no JSON: {error}");
        Problem::mistake("arguments", message, hint.clone())
    })?;
    match value.is_object() {
        true => Ok(value),
        false => {
            let message = "the text after `--json` is no object of named arguments";
            Err(Problem::mistake("arguments", message, hint).into())
        }
    }
}
