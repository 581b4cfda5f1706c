//! Audit entries, for people: who asked what, what the connector did, what was sent, what the answer
//! rests on, and how it ended.

use std::io::{self, Write};

use portcullis::ports::audit::{Answer, Event, Intent, Opened, Record, Source};
use serde_json::Value;

pub(crate) use super::event::record_json;
use super::reply::end;
use super::style::{QUIET, styled};
use crate::activity::entry::answer_to;

/// Sources that are named one by one.
const SOURCES_SHOWN_MAX: usize = 3;

/// Characters of a detail, such as a query or a path, that are shown; `--output json` has all.
const DETAIL_CHARS_MAX: usize = 160;

/// Makes a list of an entry's records.
pub(crate) fn json(records: &[Record]) -> Value {
    records.iter().map(record_json).collect()
}

/// Writes an entry.
pub(crate) fn entry(out: &mut impl Write, records: &[Record]) -> io::Result<()> {
    let mut sources: Vec<&Source> = Vec::new();
    for record in records {
        match &record.event {
            Event::Opened(opened) => opening(out, record, opened)?,
            Event::Step { title, detail } => {
                line(out, "step", title.expose())?;
                if let Some(detail) = detail {
                    line(out, "", shortened(detail.expose()))?;
                }
            }
            // They come one by one, and are read together.
            Event::Cited(cited) => sources.extend(cited),
            Event::Announced(changes) => {
                for change in changes {
                    let (kind, label) = (&change.kind, &change.label);
                    line(out, "announced", format!("{kind}: {label}"))?;
                }
            }
            Event::Intended(intent) if intent.attempt > 1 => {
                line(
                    out,
                    "again",
                    "the service called the token stale: sent a second time",
                )?;
            }
            Event::Unsent { why, .. } => {
                line(
                    out,
                    "again",
                    format!("it was not sent after all: {}", why.expose()),
                )?;
            }
            Event::Intended(intent) => {
                request(out, intent, answer_to(records.iter(), intent.request))?;
            }
            Event::Unseen { route, .. } => {
                let said = format!("that {route} touches only what it may is the connector's word");
                line(out, "trusted", said)?;
            }
            Event::Denied { code, message, .. } => {
                line(out, "denied", format!("{} ({code})", message.expose()))?;
            }
            Event::Fetched { approval, call } => {
                line(
                    out,
                    "answer",
                    format!("of call {call}, run after approval {approval}"),
                )?;
            }
            Event::Closed(closed) => {
                self::sources(out, &sources)?;
                let code = closed
                    .code
                    .as_ref()
                    .map(|code| format!(": {code}"))
                    .unwrap_or_default();
                let elapsed = milliseconds(closed.elapsed_us);
                line(
                    out,
                    "ended",
                    format!("{}{code}, after {elapsed}", closed.outcome),
                )?;
                if closed.dropped > 0 {
                    let dropped =
                        format!("{} steps and sources more than are kept", closed.dropped);
                    line(out, "", dropped)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn line(out: &mut impl Write, label: &str, text: impl AsRef<str>) -> io::Result<()> {
    let mut label = label;
    for text in text.as_ref().lines() {
        writeln!(out, "  {} {text}", styled(QUIET, format!("{label:<9}")))?;
        label = "";
    }
    Ok(())
}

fn opening(out: &mut impl Write, record: &Record, opened: &Opened) -> io::Result<()> {
    line(out, "audit", record.call.to_string())?;
    let tool = match &opened.tool {
        Some(tool) => format!("{} / {tool}", opened.connector),
        None => format!("{}: who is signed in", opened.connector),
    };
    let effect = opened.effect.map(|effect| format!(", {}", effect.as_str()));
    line(out, "tool", format!("{tool}{}", effect.unwrap_or_default()))?;
    let connection = opened.connection.as_ref();
    let account = connection.map(|connection| format!(", as the account `{connection}`"));
    let (agent, person) = (&opened.caller.agent, &opened.caller.person);
    let account = account.unwrap_or_default();
    line(
        out,
        "for",
        format!("{person}, asked by the agent `{agent}`{account}"),
    )?;
    if let Some(rule) = &opened.rule {
        line(out, "by", rule)?;
    }
    line(out, "arguments", shortened(opened.arguments.expose()))
}

fn request(out: &mut impl Write, intent: &Intent, answer: Option<&Answer>) -> io::Result<()> {
    let path = shortened(intent.path.expose());
    let approved = match intent.approval {
        Some(id) => format!(", approved as {id}"),
        None => String::new(),
    };
    let request = format!("{} {}{path}{approved}", intent.method, intent.origin);
    line(out, "request", request)?;
    if let Some(asked) = intent.asked() {
        line(out, "", format!("with {}", shortened(asked)))?;
    }
    for part in &intent.parts {
        let path = shortened(part.path.expose());
        line(out, "", format!("with {} {path}", part.method))?;
    }
    let answer = match answer {
        Some(answer) => {
            let renewed = match answer.renewed {
                true => ", with a renewed token",
                false => "",
            };
            format!(
                "{}{renewed}, after {}",
                end(&answer.end),
                milliseconds(answer.elapsed_us)
            )
        }
        None => "no answer is recorded".to_owned(),
    };
    line(out, "", format!("-> {answer}"))
}

fn sources(out: &mut impl Write, sources: &[&Source]) -> io::Result<()> {
    let mut label = "sources";
    for source in sources.iter().take(SOURCES_SHOWN_MAX) {
        let mut text = source.kind.clone();
        for part in [
            source.id.as_deref(),
            source.label.as_ref().map(|label| label.expose()),
        ] {
            text.extend(part.into_iter().flat_map(|part| [" ", part]));
        }
        if !source.fields.is_empty() {
            text.push_str(&format!(" ({})", source.fields.join(", ")));
        }
        line(out, label, shortened(&text))?;
        label = "";
    }
    match sources.len().checked_sub(SOURCES_SHOWN_MAX) {
        None | Some(0) => Ok(()),
        Some(more) => line(out, "", format!("and {more} more")),
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(DETAIL_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[allow(clippy::cast_precision_loss, reason = "a duration for people")]
fn milliseconds(microseconds: u64) -> String {
    format!("{:.1} ms", microseconds as f64 / 1000.0)
}
