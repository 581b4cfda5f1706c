//! One line of an audit entry, for programs.

use std::time::UNIX_EPOCH;

use portcullis::policy::Mode;
use portcullis::ports::audit::{Event, Record, Source};
use serde_json::{Value, json};

use super::reply::end;
use crate::activity::entry::parts_json;

/// Makes an object of a record.
pub(crate) fn record_json(record: &Record) -> Value {
    let at = record.at.duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut object = event_json(&record.event);
    object["at_unix_ms"] = json!(at.as_millis());
    object
}

fn event_json(event: &Event) -> Value {
    match event {
        Event::Opened(opened) => json!({
            "event": "opened",
            "agent": opened.caller.agent,
            "person": opened.caller.person,
            "connector": opened.connector,
            "version": opened.version,
            "component": opened.component.map(|digest| digest.to_string()),
            "tool": opened.tool,
            "effect": opened.effect,
            "mode": opened.mode.map(Mode::as_word),
            "rule": opened.rule,
            "connection": opened.connection,
            "arguments": opened.arguments.expose(),
        }),
        Event::Step { title, detail } => json!({
            "event": "step",
            "title": title.expose(),
            "detail": detail.as_ref().map(|detail| detail.expose()),
        }),
        Event::Cited(sources) => json!({
            "event": "cited",
            "sources": sources.iter().map(source_json).collect::<Value>(),
        }),
        Event::Announced(changes) => json!({
            "event": "announced",
            "changes": changes,
        }),
        Event::Intended(intent) => json!({
            "event": "intended",
            "request": intent.request,
            "attempt": intent.attempt,
            "method": intent.method,
            "origin": intent.origin,
            "route": intent.route,
            "path": intent.path.expose(),
            "message": intent.message.as_ref().map(|message| message.expose()),
            "parts": parts_json(intent),
            "effect": intent.effect,
            "body_sha256": intent.body.to_string(),
            "body_bytes": intent.body_bytes,
            "approval": intent.approval,
            "finds_out": intent.finds_out,
        }),
        Event::Answered(answer) => json!({
            "event": "answered",
            "request": answer.request,
            "effect": answer.effect,
            "end": end(&answer.end),
            "renewed": answer.renewed,
            "elapsed_us": answer.elapsed_us,
            "body_bytes": answer.body_bytes,
        }),
        Event::Unseen { request, route } => json!({
            "event": "unseen",
            "request": request,
            "route": route,
        }),
        Event::Unsent {
            request,
            attempt,
            why,
            ..
        } => json!({
            "event": "unsent",
            "request": request,
            "attempt": attempt,
            "message": why.expose(),
        }),
        Event::Denied {
            request,
            code,
            message,
        } => json!({
            "event": "denied",
            "request": request,
            "code": code,
            "message": message.expose(),
        }),
        Event::Fetched { approval, call } => json!({
            "event": "fetched",
            "approval": approval,
            "call": call,
        }),
        Event::Closed(closed) => json!({
            "event": "closed",
            "outcome": closed.outcome,
            "code": closed.code,
            "message": closed.message.as_ref().map(|message| message.expose()),
            "dropped": closed.dropped,
            "received_bytes": closed.received_bytes,
            "elapsed_us": closed.elapsed_us,
        }),
        Event::CutOff { unclear } => json!({ "event": "cut_off", "unclear": unclear }),
        other => json!({ "event": "other", "debug": format!("{other:?}") }),
    }
}

/// Makes an object of a source.
pub(crate) fn source_json(source: &Source) -> Value {
    json!({
        "kind": source.kind,
        "id": source.id,
        "label": source.label.as_ref().map(|label| label.expose()),
        "url": source.url,
        "fields": source.fields,
    })
}
