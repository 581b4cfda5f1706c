//! Answers and problems.

use std::io::{self, Write};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use portcullis::ports::audit::RequestEnd;
use portcullis::{Outcome, Output, Reply, SentChange};
use serde_json::{Map, Value, json};

use super::style::{ERROR, HINT, QUIET, styled};
use crate::problem::Problem;

/// Writes an answer for people: its text, and what the text leaves out.
pub(crate) fn output(out: &mut impl Write, output: &Output) -> io::Result<()> {
    writeln!(out, "{}", output.text.trim_end())?;
    for file in &output.attachments {
        let (name, kind, bytes) = (&file.name, &file.media_type, file.data.len());
        let line = format!("[{name}: {kind}, {bytes} bytes; `--output json` has it]");
        writeln!(out, "{}", styled(QUIET, line))?;
    }
    Ok(())
}

/// Writes a problem for people.
pub(crate) fn problem(out: &mut impl Write, problem: &Problem) -> io::Result<()> {
    writeln!(out, "{} {problem}", styled(ERROR, "error:"))?;
    // One field is in the sentence already; with several, each is said.
    if problem.fields.len() > 1 {
        for field in &problem.fields {
            writeln!(out, "  {}: {}", place(&field.pointer), field.problem)?;
        }
    }
    if let Some(hint) = &problem.hint {
        writeln!(out, "{} {hint}", styled(HINT, "hint:"))?;
    }
    if let Some(seconds) = problem.retry_after_seconds {
        writeln!(
            out,
            "{} try again after {seconds} seconds",
            styled(HINT, "hint:")
        )?;
    }
    Ok(())
}

fn place(pointer: &str) -> &str {
    match pointer {
        "" => "the whole",
        pointer => pointer,
    }
}

/// Writes the changes that were sent, where the answer does not speak of them.
///
/// `is_kept`: the answer was kept, so that it was not this call that sent them.
pub(crate) fn sent(out: &mut impl Write, reply: &Reply, is_kept: bool) -> io::Result<()> {
    let was = match is_kept {
        true => "this change was sent earlier, once, when it was approved",
        false => "a change was sent",
    };
    for change in &reply.sent {
        let end = end(&change.end);
        writeln!(
            out,
            "note: {was}: {} {}: {end}",
            change.method, change.route
        )?;
        if let Some(words) = unclear(reply, change) {
            writeln!(out, "{} {words}", styled(HINT, "hint:"))?;
        }
    }
    Ok(())
}

/// Says what to do about a change, where nobody knows whether it was made. Of one whose call ended well the answer speaks.
fn unclear(reply: &Reply, change: &SentChange) -> Option<String> {
    match reply.outcome {
        Outcome::Done(_) => None,
        _ => change.unclear(),
    }
}

/// Says how a request ended.
pub(crate) fn end(end: &RequestEnd) -> String {
    match end {
        RequestEnd::Status(status) => status.to_string(),
        RequestEnd::Refused(status) => format!("{status}, and the answer refuses the change"),
        RequestEnd::InPart {
            status,
            refused,
            of,
        } => {
            let refused = refused.len();
            format!("{status}, and the answer refuses {refused} of {of} changes")
        }
        RequestEnd::NotModified => "304, as remembered".to_owned(),
        RequestEnd::NotSent(reason) => format!("not sent: {reason}"),
        RequestEnd::Unclear(reason) => format!("it may have arrived: {reason}"),
    }
}

/// Makes one object of a reply.
pub(crate) fn reply_json(reply: &Reply) -> Map<String, Value> {
    let mut object = match Problem::of_reply(reply) {
        Some(problem) => problem_json(&problem),
        None => Map::new(),
    };
    object.insert("call".to_owned(), json!(reply.call));
    object.insert("outcome".to_owned(), json!(reply.outcome.name()));
    if let Outcome::Done(output) = &reply.outcome {
        object.insert("text".to_owned(), json!(output.text));
        object.insert("structured".to_owned(), json!(output.structured));
        object.insert("next_cursor".to_owned(), json!(output.next_cursor));
        let files = output.attachments.iter().map(|file| {
            json!({
                "name": file.name,
                "media_type": file.media_type,
                "data_base64": BASE64_STANDARD.encode(&file.data),
            })
        });
        object.insert("attachments".to_owned(), files.collect());
    }
    let sent = reply.sent.iter().map(|change| {
        json!({
            "method": change.method,
            "route": change.route,
            "end": end(&change.end),
            "finds_out": unclear(reply, change).and(change.finds_out.as_ref()),
        })
    });
    object.insert("sent".to_owned(), sent.collect());
    object
}

/// Makes one object of a problem.
pub(crate) fn problem_json(problem: &Problem) -> Map<String, Value> {
    let object = json!({
        "call": problem.call,
        "outcome": problem.outcome,
        "code": problem.code,
        "message": problem.message,
        "hint": problem.hint,
        "service_code": problem.service_code,
        "fields": problem.fields,
        "retry_after_seconds": problem.retry_after_seconds,
    });
    match object {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}
