//! Calls in the Open Cybersecurity Schema Framework, version 1.8.0: API Activity (class 6003), <https://schema.ocsf.io/1.8.0/classes/api_activity>.
//! What it has no place for stands in `unmapped`, as its own rules say.

use portcullis_store::CallEnd;
use serde_json::{Map, Value, json};

use portcullis::policy::Effect;

use crate::activity::entry::{Announced, Entry, Fate, Request, request_json};
use crate::activity::list::mode_word;

/// The version of the schema.
pub(super) const VERSION: &str = "1.8.0";

const CATEGORY: u32 = 6;
const CLASS: u32 = 6003;

/// Makes an event of a call. `label` is what people call its account.
pub(super) fn event(entry: &Entry<'_>, label: Option<&str>) -> Value {
    let call = entry.call;
    let (activity, activity_name) = activity(entry);
    let (status_id, status) = outcome(&call.ended);
    let (severity, severity_name) = severity(&call.ended);
    let tool = call.tool.as_deref().unwrap_or("identify");
    let ended = call.ended.as_str();
    let time = call.at.as_millisecond();
    let duration = call.elapsed_us.map(|us| us / 1_000);
    let end = duration
        .and_then(|ms| i64::try_from(ms).ok())
        .map(|ms| time + ms);
    let event = json!({
        "activity_id": activity,
        "activity_name": activity_name,
        "category_uid": CATEGORY,
        "category_name": "Application Activity",
        "class_uid": CLASS,
        "class_name": "API Activity",
        "type_uid": CLASS * 100 + activity,
        "type_name": format!("API Activity: {activity_name}"),
        "severity_id": severity,
        "severity": severity_name,
        "time": time,
        "start_time": time,
        "end_time": end,
        "duration": duration,
        "timezone_offset": 0,
        "status_id": status_id,
        "status": status,
        "status_code": call.code,
        "status_detail": entry.message,
        "message": format!("The agent {} called {tool} of {} for {}: {ended}", call.agent, call.connector, call.person),
        "metadata": {
            "version": VERSION,
            "uid": call.id,
            "log_name": "audit",
            "product": product(),
        },
        "actor": {
            "user": { "uid": call.person, "name": call.person, "type_id": 1, "type": "User" },
            "app_uid": call.agent,
            "app_name": call.agent,
        },
        "api": {
            "operation": tool,
            "service": { "name": call.connector, "uid": call.component, "version": call.version },
            "request": { "uid": call.id },
        },
        "src_endpoint": { "name": "portcullis", "svc_name": "portcullis" },
        "dst_endpoint": destination(entry),
        "http_request": http_request(entry),
        "http_response": http_response(entry),
        "resources": resources(entry),
        "unmapped": unmapped(entry, label),
    });
    without_nothing(event)
}

/// What wrote an event.
pub(super) fn product() -> Value {
    json!({ "name": "Portcullis", "vendor_name": "Portcullis", "version": env!("CARGO_PKG_VERSION") })
}

/// What the schema has no place for.
fn unmapped(entry: &Entry<'_>, label: Option<&str>) -> Value {
    let call = entry.call;
    json!({
        "outcome": call.ended.as_str(),
        "effect": call.effect,
        "mode": call.mode.as_deref().map(mode_word),
        "rule": call.rule,
        "connection": call.connection,
        "connection_label": label,
        "answer_of": call.answer_of,
        "approvals": entry.approvals().collect::<Vec<_>>(),
        "arguments": entry.opened.map(|opened| opened.arguments.expose()),
        "steps": entry.steps.iter().filter_map(|step| step.title).collect::<Vec<_>>(),
        "queries": entry.steps.iter().filter_map(|step| step.detail).collect::<Vec<_>>(),
        "requests": entry.requests().map(request_json).collect::<Value>(),
        "sent_bytes": call.sent_bytes,
        "received_bytes": call.received_bytes,
    })
}

/// What was done, of what the schema knows: a change that was sent, else a read; what only asked for a change did something else.
fn activity(entry: &Entry<'_>) -> (u32, &'static str) {
    let mut sent = entry
        .changes()
        .filter(|announced| announced.fate != Fate::NotSent);
    let action = sent.next().map(|sent| sent.change.action.as_str());
    let asked = entry.changes().next().is_some();
    match (action, entry.call.effect.as_deref()) {
        (Some("create"), _) => (1, "Create"),
        (Some("update"), _) => (3, "Update"),
        (Some("delete"), _) => (4, "Delete"),
        (Some(_), _) => (99, "Other"),
        (None, Some("read")) => (2, "Read"),
        (None, Some(_)) if !asked && last(entry).is_some() => (2, "Read"),
        (None, Some(_)) => (99, "Other"),
        (None, None) => (0, "Unknown"),
    }
}

fn outcome(ended: &CallEnd) -> (u32, &str) {
    match ended {
        CallEnd::As(outcome) if outcome == "done" => (1, "Success"),
        CallEnd::As(outcome)
            if outcome == "refused" || outcome == "failed" || outcome == "abandoned" =>
        {
            (2, "Failure")
        }
        CallEnd::CutOff => (2, "Failure"),
        CallEnd::Running | CallEnd::Unclear => (0, "Unknown"),
        CallEnd::As(outcome) => (99, outcome),
    }
}

fn severity(ended: &CallEnd) -> (u32, &'static str) {
    match ended {
        CallEnd::Unclear => (3, "Medium"),
        CallEnd::As(outcome) if outcome == "refused" => (2, "Low"),
        _ => (1, "Informational"),
    }
}

fn destination(entry: &Entry<'_>) -> Option<Value> {
    let origin = entry.requests().find_map(|request| match request {
        Request::Sent(intent, _) => Some(&intent.origin),
        Request::Unsent(..) | Request::Denied(..) => None,
    })?;
    Some(
        json!({ "hostname": origin.host(), "port": origin.port(), "svc_name": entry.call.connector }),
    )
}

/// The request that says most: the one that changes something, else the last.
fn shown<'a, 'b>(entry: &'b Entry<'a>) -> Option<&'b Request<'a>> {
    change_of(entry).or_else(|| last(entry))
}

fn change_of<'a, 'b>(entry: &'b Entry<'a>) -> Option<&'b Request<'a>> {
    entry
        .requests()
        .find(|request| matches!(request, Request::Sent(intent, _) if intent.effect > Effect::Read))
}

fn last<'a, 'b>(entry: &'b Entry<'a>) -> Option<&'b Request<'a>> {
    let is_sent = |request: &&Request<'_>| matches!(request, Request::Sent(..));
    entry.requests().filter(is_sent).last()
}

fn http_request(entry: &Entry<'_>) -> Option<Value> {
    let Some(Request::Sent(intent, _)) = shown(entry) else {
        return None;
    };
    let url = format!("{}{}", intent.origin, intent.path.expose());
    let (path, query) = match intent.path.expose().split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (intent.path.expose(), None),
    };
    Some(json!({
        "uid": intent.request.to_string(),
        "http_method": intent.method,
        "body_length": intent.body_bytes,
        "url": {
            "url_string": url,
            "hostname": intent.origin.host(),
            "port": intent.origin.port(),
            "path": path,
            "query_string": query,
        },
    }))
}

fn http_response(entry: &Entry<'_>) -> Option<Value> {
    let Some(Request::Sent(_, Some(answer))) = shown(entry) else {
        return None;
    };
    let code = answer.end.status()?;
    Some(
        json!({ "code": code, "latency": answer.elapsed_us / 1_000, "body_length": answer.body_bytes }),
    )
}

fn resources(entry: &Entry<'_>) -> Value {
    let read = entry.sources().map(|source| {
        json!({
            "type": source.kind,
            "uid": source.id,
            "name": source.label.as_ref().map(|label| label.expose()),
            "data": { "access": "read", "fields": source.fields, "url": source.url },
        })
    });
    let changed = entry.changes().map(|Announced { change, fate }| {
        let access = match fate.may_have_changed() {
            true => change.action.as_str(),
            false => "none",
        };
        let fields: Vec<&str> = change
            .fields
            .iter()
            .map(|field| field.name.as_str())
            .collect();
        json!({
            "type": change.kind,
            "uid": change.id,
            "name": change.label,
            "data": { "access": access, "asked": change.action, "became": fate.as_str(), "fields": fields, "url": change.url },
        })
    });
    read.chain(changed).collect()
}

/// An attribute that is not known is left out.
fn without_nothing(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let known = members.into_iter().filter(|(_, value)| !value.is_null());
            let members: Map<String, Value> = known
                .map(|(name, value)| (name, without_nothing(value)))
                .collect();
            Value::Object(members)
        }
        Value::Array(items) => items.into_iter().map(without_nothing).collect(),
        value => value,
    }
}
