//! Calls in a list.

use std::io::Write;

use anyhow::Result;
use portcullis::policy::Mode;
use portcullis_store::{CallEnd, CallRow};
use serde_json::{Value, json};

use crate::args::Form;
use crate::show;
use crate::show::table::{Table, shown};

/// Digits of an id that are shown: the time, and enough to tell calls of the same millisecond apart.
const ID_DIGITS: usize = 16;

/// Lists calls.
pub(super) fn list(calls: &[CallRow], form: Form) -> Result<()> {
    if form.json {
        let calls: Value = calls.iter().map(json).collect();
        return Ok(show::json(&calls)?);
    }
    if calls.is_empty() {
        return Ok(show::done(
            form,
            &Value::Null,
            "There are no such calls.",
            None,
        )?);
    }
    let mut table = Table::new(&HEAD);
    for call in calls {
        table.row(cells(call).each_ref().map(String::as_str));
    }
    Ok(table.write(&mut anstream::stdout().lock())?)
}

const HEAD: [&str; 8] = [
    "CALL", "WHEN", "PERSON", "AGENT", "TOOL", "EFFECT", "ENDED", "TOOK",
];

/// The widths of columns where those that are to come are not known.
const WIDTHS: [usize; 8] = [ID_DIGITS, 19, 16, 12, 26, 11, 26, 9];

/// Writes the head of a list that goes on.
pub(super) fn begin(form: Form) -> Result<()> {
    match form.json {
        true => Ok(()),
        false => row(&HEAD.map(str::to_owned)),
    }
}

/// Writes a call of a list that goes on.
pub(super) fn follow(call: &CallRow, form: Form) -> Result<()> {
    match form.json {
        true => {
            let mut out = std::io::stdout().lock();
            writeln!(out, "{}", json(call))?;
            Ok(out.flush()?)
        }
        false => row(&cells(call)),
    }
}

fn row(cells: &[String; 8]) -> Result<()> {
    let cells = cells.iter().zip(WIDTHS);
    let cells: Vec<String> = cells
        .map(|(cell, width)| format!("{:<width$}", shown(cell)))
        .collect();
    let mut out = anstream::stdout().lock();
    writeln!(out, "{}", cells.join("  ").trim_end())?;
    Ok(out.flush()?)
}

fn cells(call: &CallRow) -> [String; 8] {
    let tool = call.tool.as_deref().unwrap_or("(who is signed in)");
    [
        call.id.to_string()[..ID_DIGITS].to_owned(),
        call.at.strftime("%Y-%m-%d %H:%M:%S").to_string(),
        call.person.clone(),
        call.agent.clone(),
        format!("{}/{tool}", call.connector),
        call.effect.clone().unwrap_or_default(),
        ended(call),
        took(call.elapsed_us),
    ]
}

/// How a call ended, in a few words.
pub(super) fn ended(call: &CallRow) -> String {
    let words = match &call.ended {
        CallEnd::Unclear => "sent, outcome unknown",
        CallEnd::CutOff => "cut off",
        ended => ended.as_str(),
    };
    match (&call.ended, &call.code) {
        (CallEnd::As(_), Some(code)) => format!("{words}: {code}"),
        // Nothing was done by this one.
        _ if call.answer_of.is_some() => format!("{words} (answer fetched)"),
        _ => words.to_owned(),
    }
}

/// Gives the word that rules are written with for a mode as the log has it.
pub(crate) fn mode_word(stored: &str) -> &str {
    // The log has what the mode is called in programs.
    Mode::from_word(stored).map_or(stored, |mode| mode.as_word())
}

/// A duration for people.
pub(super) fn took(elapsed_us: Option<u64>) -> String {
    match elapsed_us {
        None => String::new(),
        Some(us) => {
            let tenths = us / 100;
            format!("{}.{} ms", tenths / 10, tenths % 10)
        }
    }
}

/// Makes an object of a call.
pub(super) fn json(call: &CallRow) -> Value {
    json!({
        "id": call.id,
        "at": call.at.to_string(),
        "person": call.person,
        "agent": call.agent,
        "connector": call.connector,
        "version": call.version,
        "component": call.component,
        "tool": call.tool,
        "effect": call.effect,
        "mode": call.mode.as_deref().map(mode_word),
        "rule": call.rule,
        "connection": call.connection,
        "outcome": call.ended.as_str(),
        "code": call.code,
        "elapsed_us": call.elapsed_us,
        "requests": call.requests,
        "changes": call.changes,
        "denied": call.denied,
        "sources": call.sources,
        "sent_bytes": call.sent_bytes,
        "received_bytes": call.received_bytes,
        "answer_of": call.answer_of,
    })
}
