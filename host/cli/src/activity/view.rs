//! A call, for a person: what its answer rests on, and what it changed.
//!
//! The attack: a connector's words, or a record's, that a terminal would obey. All of them pass through [`shown`].

use std::io::{self, Write};

use portcullis::ports::audit::Source;
use portcullis_store::CallEnd;

use super::entry::{Announced, Entry, Fate, Request, Step};
use super::list::{ended, mode_word, took};
use crate::connections::Labels;
use crate::show::reply::end;
use crate::show::style::{ERROR, QUIET, TITLE, styled};
use crate::show::table::shown;

/// Characters of a line that are shown; `--json` has all.
const LINE_CHARS_MAX: usize = 400;

/// Sources of a step that are named one by one; `--json` has all.
const SOURCES_SHOWN_MAX: usize = 20;

/// Writes a call.
pub(super) fn write(out: &mut impl Write, entry: &Entry<'_>, labels: &Labels) -> io::Result<()> {
    let call = entry.call;
    let tool = call.tool.as_deref().unwrap_or("who is signed in");
    let title = format!("{} / {tool}", call.connector);
    writeln!(out, "{}", styled(TITLE, shown(&title)))?;
    line(out, "call", &call.id.to_string())?;
    let at = call.at.strftime("%Y-%m-%d %H:%M:%S UTC");
    let took = took(call.elapsed_us);
    let took = if took.is_empty() {
        took
    } else {
        format!(", took {took}")
    };
    line(out, "when", &format!("{at}{took}"))?;
    line(
        out,
        "for",
        &format!("{}, asked by the agent `{}`", call.person, call.agent),
    )?;
    if let Some(connection) = &call.connection {
        let label = labels.get(connection).map_or_else(
            || connection.clone(),
            |label| format!("{label} ({connection})"),
        );
        line(out, "account", &label)?;
    }
    let version = call.version.as_deref().unwrap_or("no version");
    let digest = call
        .component
        .as_deref()
        .map_or("not installed", |digest| digest.get(..12).unwrap_or(digest));
    line(
        out,
        "connector",
        &format!("{} {version} ({digest})", call.connector),
    )?;
    if let Some(mode) = &call.mode {
        let rule = match &call.rule {
            Some(rule) => format!("by the rule \"{}\"", labels.in_words(rule)),
            None => "the default".to_owned(),
        };
        let effect = call.effect.as_deref().unwrap_or("no");
        let mode = mode_word(mode);
        line(out, "mode", &format!("{mode}, {rule}; {effect} effect"))?;
    }
    if let Some(opened) = entry.opened {
        line(out, "arguments", opened.arguments.expose())?;
    }
    if let Some((call, approval)) = entry.fetched {
        line(
            out,
            "answer",
            &format!("of call {call}, run after approval {approval}"),
        )?;
    }
    line(out, "ended", &ended(call))?;
    if let Some(message) = entry.message {
        line(out, "", message)?;
    }
    let mut number = 0;
    for step in &entry.steps {
        number += usize::from(step.title.is_some());
        self::step(out, number, step)?;
    }
    if entry.dropped > 0 {
        writeln!(
            out,
            "\n{} steps and sources more than are kept",
            entry.dropped
        )?;
    }
    finding_out(out, entry)
}

/// Says what to do about a change whose outcome nobody knows.
fn finding_out(out: &mut impl Write, entry: &Entry<'_>) -> io::Result<()> {
    if let Some((at, _)) = &entry.cut_off {
        writeln!(
            out,
            "\nThe program that ran this call ended in the middle of it; that was found out at {at}."
        )?;
    }
    if entry.call.ended != CallEnd::Unclear {
        return Ok(());
    }
    let words = portcullis::unclear(entry.finds_out());
    writeln!(
        out,
        "\n{} {}",
        styled(ERROR, "outcome unknown:"),
        shown(&words)
    )?;
    let unknown = |one: &&Announced<'_>| one.fate == Fate::Unknown;
    for Announced { change, .. } in entry.changes().filter(unknown) {
        let id = change.id.as_deref().unwrap_or("(a new one)");
        let link = change
            .url
            .as_deref()
            .map_or(String::new(), |url| format!("  {url}"));
        writeln!(out, "  {}", shown(&format!("{} {id}{link}", change.kind)))?;
    }
    Ok(())
}

fn line(out: &mut impl Write, label: &str, text: &str) -> io::Result<()> {
    let mut label = label;
    for text in text.lines() {
        writeln!(
            out,
            "  {} {}",
            styled(QUIET, format!("{label:<9}")),
            short(text)
        )?;
        label = "";
    }
    Ok(())
}

fn step(out: &mut impl Write, number: usize, step: &Step<'_>) -> io::Result<()> {
    match step.title {
        Some(title) => writeln!(out, "\n{number}. {}", short(title))?,
        None => writeln!(out, "\nBefore the connector named a step")?,
    }
    if let Some(detail) = step.detail {
        line(out, "", detail)?;
    }
    let mut label = "read";
    for source in step.sources.iter().take(SOURCES_SHOWN_MAX) {
        line(out, label, &source_words(source))?;
        label = "";
    }
    if let Some(more @ 1..) = step.sources.len().checked_sub(SOURCES_SHOWN_MAX) {
        line(out, "", &format!("and {more} more; `--json` has all"))?;
    }
    for change in &step.changes {
        self::change(out, change)?;
    }
    for request in &step.requests {
        self::request(out, request)?;
    }
    Ok(())
}

fn source_words(source: &Source) -> String {
    let mut words = source.kind.clone();
    let label = source
        .label
        .as_ref()
        .map(|label| format!("\"{}\"", label.expose()));
    for part in [source.id.clone(), label].into_iter().flatten() {
        words.push(' ');
        words.push_str(&part);
    }
    if !source.fields.is_empty() {
        words.push_str(&format!(": {}", source.fields.join(", ")));
    }
    if let Some(url) = &source.url {
        words.push_str(&format!("\n{url}"));
    }
    words
}

fn change(out: &mut impl Write, announced: &Announced<'_>) -> io::Result<()> {
    let change = announced.change;
    let (name, what) = match announced.fate {
        Fate::Made => ("changed", String::new()),
        Fate::NotSent => ("not sent", ", which would have changed".to_owned()),
        Fate::Refused(status) => ("refused", format!(", by the service ({status})")),
        Fate::Unknown => ("unclear", ", which may have changed".to_owned()),
    };
    let id = change
        .id
        .as_deref()
        .map_or(String::new(), |id| format!(" {id}"));
    line(
        out,
        name,
        &format!(
            "{} {}{id} \"{}\"{what}",
            change.action, change.kind, change.label
        ),
    )?;
    for field in &change.fields {
        let words = match (&field.before, &field.after) {
            (None, None) => format!("{} (values are not kept)", field.name),
            (before, after) => {
                let value =
                    |value: &Option<String>| value.clone().unwrap_or_else(|| "(none)".to_owned());
                format!("{}: {} -> {}", field.name, value(before), value(after))
            }
        };
        line(out, "", &words)?;
    }
    line(out, "", change.url.as_deref().unwrap_or_default())
}

fn request(out: &mut impl Write, request: &Request<'_>) -> io::Result<()> {
    match request {
        Request::Sent(intent, answer) => {
            let approval = intent.approval.map(|id| format!(", approved as {id}"));
            let (method, origin) = (intent.method, &intent.origin);
            let path = intent.path.expose();
            let approval = approval.unwrap_or_default();
            line(
                out,
                "request",
                &format!("{method} {origin}{path}{approval}"),
            )?;
            if let Some(asked) = intent.asked() {
                line(out, "", &format!("with {asked}"))?;
            }
            for part in &intent.parts {
                let path = part.path.expose();
                line(out, "", &format!("with {} {path}", part.method))?;
            }
            let answer = match answer {
                None => "sent, and no answer is on record".to_owned(),
                Some(answer) => {
                    let renewed = if answer.renewed {
                        ", with a renewed token"
                    } else {
                        ""
                    };
                    let bytes = answer.body_bytes.map(|bytes| format!(", {bytes} bytes"));
                    let bytes = bytes.unwrap_or_default();
                    format!(
                        "{}{renewed}, after {}{bytes}",
                        end(&answer.end),
                        took(Some(answer.elapsed_us))
                    )
                }
            };
            line(out, "", &format!("-> {answer}"))
        }
        Request::Unsent(_, why) => line(
            out,
            "not sent",
            &format!("a second time, with a renewed token, as was written down: {why}"),
        ),
        Request::Denied(_, code, message) => line(out, "denied", &format!("{message} ({code})")),
    }
}

/// What of a text is shown on a line.
fn short(text: &str) -> String {
    match text.char_indices().nth(LINE_CHARS_MAX) {
        Some((end, _)) => format!("{}…", shown(&text[..end])),
        None => shown(text),
    }
}
