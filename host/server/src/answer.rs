//! What a call came to, as a model reads it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use portcullis::{
    Attachment, Failure, FieldProblem, Outcome, Output, Reply, SentChange, StillWaits,
};
use rmcp::model::{CallToolResult, ContentBlock, MetaObject, ProtocolVersion, Resource};
use rmcp::service::{RequestContext, RoleServer};
use serde_json::{Value, json};

use crate::resources::{Addresses, attached};
use crate::{Served, check};

/// Records of an answer that are linked. One that rests on more is a table, which has their ids, and each link costs a model as much as a
/// row of it.
const LINKS_MAX: usize = 8;

/// Bytes of a file that stand in an answer, where there is an address by which a client reads it when it wants it.
const EMBEDDED_BYTES_MAX: usize = 64 << 10;

/// Says whether a client knows links: they are in the protocol since 2025-06-18.
pub(crate) fn takes_links(context: &RequestContext<RoleServer>) -> bool {
    let version = context.protocol_version();
    version.is_some_and(|version| version.as_str() >= ProtocolVersion::V_2025_06_18.as_str())
}

/// Where programs find what went wrong.
const PROBLEM: &str = "portcullis/problem";

/// Turns a reply into a tool's result.
pub(crate) fn result(reply: Reply, served: &Served, addresses: &Addresses<'_>) -> CallToolResult {
    let problem = problem(&reply);
    let words = text_for(&reply, served);
    match reply.outcome {
        Outcome::Done(output) => done(output, addresses),
        _ => {
            let mut result = CallToolResult::error(vec![ContentBlock::text(words)]);
            // Not as structured content: clients hold that to the tool's output schema, also where it is an error.
            result.meta = problem.map(|problem| {
                let mut meta = MetaObject::new();
                meta.0.insert(PROBLEM.to_owned(), problem);
                meta
            });
            result
        }
    }
}

fn done(output: Output, addresses: &Addresses<'_>) -> CallToolResult {
    let mut words = output.text;
    if let Some(cursor) = &output.next_cursor
        && !words.contains(cursor)
    {
        words.push_str(&format!("\n\nThere is more: pass `cursor` {cursor:?}."));
    }
    let mut content = vec![ContentBlock::text(words)];
    for file in output.attachments {
        content.push(attachment(file, addresses));
    }
    if output.records.len() <= LINKS_MAX {
        let links = output.records.iter();
        let links = links.filter_map(|record| addresses.link_to(record));
        content.extend(links.map(ContentBlock::resource_link));
    }
    let mut result = CallToolResult::success(content);
    result.structured_content = output.structured;
    result
}

/// Gives a file: pictures and sounds as a model takes them, others whole, or as a link where they are large.
fn attachment(file: Attachment, addresses: &Addresses<'_>) -> ContentBlock {
    match file.media_type.split('/').next() {
        Some("image") => ContentBlock::image(STANDARD.encode(&file.data), file.media_type),
        Some("audio") => ContentBlock::audio(STANDARD.encode(&file.data), file.media_type),
        _ => match addresses.of_answer() {
            Some(uri) if file.data.len() > EMBEDDED_BYTES_MAX => {
                let size = u64::try_from(file.data.len()).unwrap_or(u64::MAX);
                let link = Resource::new(uri, file.name).with_size(size);
                ContentBlock::resource_link(link.with_mime_type(file.media_type))
            }
            address => {
                let name = file.name.replace([' ', '\n', '\r'], "-");
                let uri = address.unwrap_or_else(|| format!("attachment:{name}"));
                ContentBlock::resource(attached(uri, file))
            }
        },
    }
}

/// Says it as a client reads it that can ask what became of a question, where it can.
pub(crate) fn text_for(reply: &Reply, served: &Served) -> String {
    let mut words = text(reply);
    let waits =
        matches!(reply.outcome, Outcome::ApprovalRequired(_)) || reply.still_waits.is_some();
    if served.checks_approvals && waits {
        words.push_str(&format!(
            "\nOr look with `{}` whether it was decided.",
            check::NAME
        ));
    }
    words
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
    for sentence in reply.sent.iter().filter_map(SentChange::sentence) {
        words.push('\n');
        words.push_str(&sentence);
    }
    if let Some(waits) = &reply.still_waits {
        let StillWaits { id, link } = waits.as_ref();
        let at = link
            .as_ref()
            .map_or(String::new(), |link| format!(" at {link}"));
        words.push_str(&format!(
            "\nSo the person's yes was not taken, and nothing was changed: the question still waits (approval {id}). Once the call would run, a person decides{at}."
        ));
    }
    words
}

fn failed(failure: &Failure) -> String {
    let mut words = failure.message.clone();
    for field in &failure.fields {
        words.extend(place(&failure.message, field).map(|line| format!("\n- {line}")));
    }
    if let Some(hint) = &failure.hint {
        words.push_str(&format!("\nHint: {hint}"));
    }
    if let Some(wait) = failure.retry_after {
        words.push_str(&format!("\nTry again in {} seconds.", wait.as_secs()));
    }
    words
}

/// Says what is wrong at a place, as far as the message has not said it. The whole of the arguments has an empty pointer.
fn place(message: &str, field: &FieldProblem) -> Option<String> {
    let FieldProblem { pointer, problem } = field;
    if is_said(message, &format!("{problem} at `{pointer}`")) {
        return None;
    }
    match (is_said(message, problem), pointer.is_empty()) {
        (true, true) => None,
        (true, false) => Some(pointer.clone()),
        (false, true) => Some(problem.clone()),
        (false, false) => Some(format!("{pointer}: {problem}")),
    }
}

/// Says whether a message has these words as a clause of its own: within another one they are said of something else.
fn is_said(message: &str, words: &str) -> bool {
    message.match_indices(words).any(|(at, words)| {
        let (before, after) = (&message[..at], &message[at + words.len()..]);
        (before.is_empty() || before.ends_with(": ") || before.ends_with("; "))
            && (after.is_empty() || after.starts_with([',', ';', '.']))
    })
}

/// The same for programs.
pub(crate) fn problem(reply: &Reply) -> Option<Value> {
    let outcome = &reply.outcome;
    let mut problem = json!({
        "call": reply.call.map(|call| call.to_string()),
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
    if let Some(waits) = &reply.still_waits {
        let StillWaits { id, link } = waits.as_ref();
        problem["approval"] = json!({"id": id, "link": link});
    }
    Some(problem)
}

#[cfg(test)]
mod tests {
    use portcullis::FailureCode;

    use super::*;

    #[test]
    fn nothing_is_said_twice_and_no_place_is_empty() {
        let failed = |message: &str, fields: &[(&str, &str)]| {
            let fields = fields.iter().map(|(pointer, problem)| FieldProblem {
                pointer: (*pointer).to_owned(),
                problem: (*problem).to_owned(),
            });
            let failure = Failure {
                code: FailureCode::InvalidArguments,
                message: message.to_owned(),
                hint: None,
                service_code: None,
                fields: fields.collect(),
                retry_after: None,
            };
            super::failed(&failure)
        };
        for (message, fields, words) in [
            (
                "no user is called “x”",
                &[("/owner", "no user is called “x”")][..],
                "no user is called “x”\n- /owner",
            ),
            (
                "two do not fit",
                &[("/a", "is empty"), ("/b", "is no day")],
                "two do not fit\n- /a: is empty\n- /b: is no day",
            ),
            (
                "x: 7 is too few at `/n`, and 1 more problem",
                &[("/n", "7 is too few"), ("/m", "is empty")],
                "x: 7 is too few at `/n`, and 1 more problem\n- /m: is empty",
            ),
            (
                "say what",
                &[("", "needs either `id` or `fields`")],
                "say what\n- needs either `id` or `fields`",
            ),
            (
                "x: `a` was unexpected",
                &[("", "`a` was unexpected")],
                "x: `a` was unexpected",
            ),
            // What the message says of another place, or of something else, it does not say of this one.
            (
                "x: is bad at `/0`, and 1 more problem",
                &[("/0", "is bad"), ("/1", "is bad")],
                "x: is bad at `/0`, and 1 more problem\n- /1: is bad",
            ),
            (
                "no view is called “it is empty”",
                &[("/view", "is empty")],
                "no view is called “it is empty”\n- /view: is empty",
            ),
            (
                "two do not fit at `/b`: 17 is too few",
                &[("/a", "7 is too few"), ("", "do not fit")],
                "two do not fit at `/b`: 17 is too few\n- /a: 7 is too few\n- do not fit",
            ),
        ] {
            assert_eq!(failed(message, fields), words);
        }
    }
}
