//! What a call came to, as a model reads it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use portcullis::ports::audit::RequestEnd;
use portcullis::{Failure, Outcome, Output, Reply};
use rmcp::model::{CallToolResult, ContentBlock, MetaObject, ResourceContents};
use serde_json::{Value, json};

use crate::{Served, check};

/// Where programs find what went wrong.
const PROBLEM: &str = "portcullis/problem";

/// Turns a reply into a tool's result.
pub(crate) fn result(reply: Reply, served: &Served) -> CallToolResult {
    let call = reply.call.map(|call| call.to_string());
    let mut words = text(&reply);
    if served.checks_approvals && matches!(reply.outcome, Outcome::ApprovalRequired(_)) {
        words.push_str(&format!(
            "\nOr look with `{}` whether it was decided.",
            check::NAME
        ));
    }
    let problem = problem(&reply.outcome);
    match reply.outcome {
        Outcome::Done(output) => done(output),
        _ => {
            let mut result = CallToolResult::error(vec![ContentBlock::text(words)]);
            // Not as structured content: clients hold that to the tool's output schema, also where it is an error.
            result.meta = problem.map(|mut problem| {
                problem["call"] = call.into();
                let mut meta = MetaObject::new();
                meta.0.insert(PROBLEM.to_owned(), problem);
                meta
            });
            result
        }
    }
}

fn done(output: Output) -> CallToolResult {
    let mut words = output.text;
    if let Some(cursor) = &output.next_cursor
        && !words.contains(cursor)
    {
        words.push_str(&format!("\n\nThere is more: pass `cursor` {cursor:?}."));
    }
    let mut content = vec![ContentBlock::text(words)];
    for file in output.attachments {
        let data = STANDARD.encode(&file.data);
        content.push(match file.media_type.split('/').next() {
            Some("image") => ContentBlock::image(data, file.media_type),
            Some("audio") => ContentBlock::audio(data, file.media_type),
            _ => ContentBlock::resource(ResourceContents::BlobResourceContents {
                uri: format!("attachment:{}", file.name.replace([' ', '\n', '\r'], "-")),
                mime_type: Some(file.media_type),
                blob: data,
                meta: None,
            }),
        });
    }
    let mut result = CallToolResult::success(content);
    result.structured_content = output.structured;
    result
}

/// Says in words what a call came to: its answer, or what went wrong and what to do.
pub fn text(reply: &Reply) -> String {
    let mut words = match &reply.outcome {
        Outcome::Done(output) => return output.text.clone(),
        Outcome::ApprovalRequired(approval) => {
            let at = approval
                .link
                .as_ref()
                .map_or(String::new(), |link| format!(" at {link}"));
            let mut words = format!(
                "A person must approve this first{at} (approval {}). Nothing was changed. Ask for it, then make the same call again: it gives the answer.\n- {}",
                approval.id,
                approval.card.title()
            );
            for difference in &approval.card.differs {
                words.push_str(&format!("\n- {difference}"));
            }
            words
        }
        Outcome::ConnectRequired(connect) => {
            let at = connect
                .link
                .as_ref()
                .map_or(String::new(), |link| format!(" Sign in at {link}")); // What stands behind it is copied with it.
            format!("An account is needed first: {}.{at}", connect.advice)
        }
        Outcome::Refused(refusal) => {
            format!("Refused ({}): {}.", refusal.code.as_str(), refusal.message)
        }
        Outcome::Failed(failure) => failed(failure),
    };
    for change in &reply.sent {
        let end = match &change.end {
            RequestEnd::Status(status) => format!("the service answered with status {status}"),
            RequestEnd::NotModified => "nothing had changed".to_owned(),
            RequestEnd::NotSent(_) => continue,
            RequestEnd::Unclear(_) => change.unclear().unwrap_or_default(),
        };
        words.push_str(&format!(
            "\nA change was sent ({} {}); {end}.",
            change.method, change.route
        ));
    }
    words
}

fn failed(failure: &Failure) -> String {
    let mut words = failure.message.clone();
    for field in &failure.fields {
        words.push_str(&format!("\n- {}: {}", field.pointer, field.problem));
    }
    if let Some(hint) = &failure.hint {
        words.push_str(&format!("\nHint: {hint}"));
    }
    if let Some(wait) = failure.retry_after {
        words.push_str(&format!("\nTry again in {} seconds.", wait.as_secs()));
    }
    words
}

/// The same for programs.
fn problem(outcome: &Outcome) -> Option<Value> {
    let mut problem = json!({
        "outcome": outcome.name(),
        "code": outcome.code(),
        "message": outcome.message(),
    });
    match outcome {
        Outcome::Done(_) => return None,
        Outcome::ApprovalRequired(approval) => {
            problem["approval"] = json!({"id": approval.id, "link": approval.link});
        }
        Outcome::ConnectRequired(connect) => problem["link"] = json!(connect.link),
        Outcome::Refused(_) => {}
        Outcome::Failed(failure) => {
            problem["hint"] = json!(failure.hint);
            problem["service_code"] = json!(failure.service_code);
            problem["fields"] = json!(failure.fields);
            problem["retry_after_seconds"] = json!(failure.retry_after.map(|wait| wait.as_secs()));
        }
    }
    Some(problem)
}
