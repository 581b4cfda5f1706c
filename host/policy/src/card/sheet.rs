//! A card, laid out: its words, in their order, without saying how they are drawn.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

use super::{Card, ChangeCard, Checked, FieldCard, WireRequest};
use crate::{Digest, Effect, Environment, look_alikes, visible};

/// Characters of base64 that are shown as they are. A longer run is a file, which nobody reads so: its digest stands for it. Everything
/// else is shown to its end, for what a person does not see they have not approved; how long it gets the bounds of a request
/// say.
const BASE64_CHARS_MAX: usize = 16_000;

/// Words that may be taken for others, and are named one by one; of further ones it is said that there are.
const LOOK_ALIKES_MAX: usize = 20;

/// The actions on what is not there before. Of another action on a record without an id, whose values before are not known, a person is told so.
const NEW: [&str; 2] = ["create", "send"];

/// A card's words.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Sheet {
    /// What is asked.
    pub(super) title: String,
    /// Which kind of system it hits, in capital letters where that is real data.
    pub(super) environment: &'static str,
    /// Its parts.
    pub(super) sections: Vec<Section>,
}

/// A part of a card.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Section {
    /// Who says what follows.
    pub(super) heading: String,
    /// What follows.
    pub(super) lines: Vec<Line>,
}

/// What a field had before it is changed.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Before {
    /// Nothing: the record is a new one, as the connector says.
    NoRecord,
    /// The connector does not know it.
    NotKnown,
    /// The value.
    Value(String),
}

impl Before {
    /// Says it in words, where it is to be said.
    pub(super) fn words(&self) -> &str {
        match self {
            Self::Value(before) => before,
            Self::NoRecord | Self::NotKnown => "not known",
        }
    }
}

/// A line of a card.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Line {
    /// A name and a value.
    Fact(&'static str, String),
    /// A heading within a part.
    Record(String),
    /// A place to look at.
    Link(String),
    /// A field: what it is called, its value before, and its value after with what vouches for it.
    Field {
        /// Its label and name.
        name: String,
        /// The value before.
        before: Before,
        /// The value after; none: it is not sent.
        after: Option<String>,
        /// Whether the host found the value after in the request.
        checked: Checked,
    },
    /// Something to be careful of.
    Warning(String),
    /// Text that is sent as it stands here.
    Code(String),
}

impl Sheet {
    /// Says in a line what is asked.
    pub(super) fn title_of(card: &Card) -> String {
        match card.changes.as_slice() {
            [] => format!(
                "Let the agent call {} ({})",
                visible(&card.tool_title),
                card.tool
            ),
            [change] => one(change),
            changes => {
                let first = &changes[0];
                let is_alike = |change: &ChangeCard| {
                    change.action == first.action && change.kind == first.kind
                };
                match changes.iter().all(is_alike) {
                    true => {
                        let (action, kind) = (capital(&visible(&first.action)), &first.kind);
                        format!("{action} {} {} records", changes.len(), visible(kind))
                    }
                    false => format!("Change {} records", changes.len()),
                }
            }
        }
    }

    pub(super) fn of(card: &Card) -> Self {
        let mut sections = vec![asked(card)];
        if !card.differs.is_empty() {
            let lines = card.differs.iter();
            sections.push(Section {
                heading: "What was approved before".to_owned(),
                lines: lines
                    .map(|line| Line::Warning(visible(line).into_owned()))
                    .collect(),
            });
        }
        if !card.changes.is_empty() {
            sections.push(changes(card));
        }
        match &card.wire {
            Some(wire) => sections.push(sent(wire)),
            None => sections.push(Section {
                heading: "The call's arguments".to_owned(),
                lines: vec![Line::Code(whole(&card.arguments))],
            }),
        }
        let warnings = warnings(card);
        if !warnings.is_empty() {
            sections.push(Section {
                heading: "Look twice".to_owned(),
                lines: warnings.into_iter().map(Line::Warning).collect(),
            });
        }
        Self {
            title: Self::title_of(card),
            environment: match card.account.environment {
                Environment::Production => "PRODUCTION",
                Environment::Sandbox => "sandbox",
                Environment::Development => "development",
                Environment::Unknown => "PRODUCTION or not: not known",
            },
            sections,
        }
    }
}

fn one(change: &ChangeCard) -> String {
    let mut title = format!(
        "{} {} “{}”",
        capital(&visible(&change.action)),
        visible(&change.kind),
        visible(&change.label)
    );
    if let Some(id) = &change.id {
        let _ = write!(title, " ({})", visible(id));
    }
    title
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    let first = chars.next().map(|char| char.to_uppercase().to_string());
    first.unwrap_or_default() + chars.as_str()
}

/// Who asks, as whom, and how far it goes: what the host knows, and the reason, which nobody has verified.
fn asked(card: &Card) -> Section {
    let account = &card.account;
    let organization = match (&account.organization, &account.organization_id) {
        (Some(name), Some(id)) => format!("{} ({})", visible(name), visible(id)),
        (Some(text), None) | (None, Some(text)) => visible(text).into_owned(),
        (None, None) => "not known".to_owned(),
    };
    let user = account.user.as_deref().map_or("not known".into(), visible);
    let shared = match account.shared {
        true => ", a shared account",
        false => "",
    };
    let effect = match card.effect {
        Effect::Read => "it reads",
        Effect::Write => "it changes something",
        Effect::Destructive => "it cannot simply be undone",
    };
    let mut lines = vec![
        Line::Fact("Organization", organization),
        Line::Fact("At", account.origin.to_string()),
        Line::Fact("Acting as", format!("{user}{shared}")),
        Line::Fact(
            "Asked by",
            format!("the agent {} for {}", card.agent, card.person),
        ),
        Line::Fact(
            "By",
            format!(
                "{} of {} ({effect})",
                visible(&card.tool_title),
                visible(&card.service)
            ),
        ),
    ];
    if let Some(reason) = &card.reason {
        let reason = format!("{} (nobody has verified this)", quoted(reason));
        lines.push(Line::Fact("The agent says why", reason));
    }
    Section {
        heading: "Who and where".to_owned(),
        lines,
    }
}

fn changes(card: &Card) -> Section {
    let mut lines = Vec::new();
    for change in &card.changes {
        lines.push(Line::Record(one(change)));
        if let Some(url) = &change.url {
            lines.push(Line::Link(visible(url).into_owned()));
        }
        let is_new = change.id.is_none() && NEW.contains(&change.action.as_str());
        lines.extend(change.fields.iter().map(|one| field(one, is_new)));
        let notes = change.notes.iter();
        lines.extend(notes.map(|note| Line::Fact("Note", visible(note).into_owned())));
        if let Some(undo) = &change.undo {
            lines.push(Line::Fact("To undo", visible(undo).into_owned()));
        }
    }
    Section {
        heading: "What changes, as the connector says".to_owned(),
        lines,
    }
}

fn field(field: &FieldCard, is_new: bool) -> Line {
    let name = match field.label == field.name {
        true => visible(&field.name).into_owned(),
        false => format!("{} ({})", visible(&field.label), visible(&field.name)),
    };
    Line::Field {
        name,
        before: match &field.before {
            Some(before) => Before::Value(value(before)),
            None if is_new => Before::NoRecord,
            None => Before::NotKnown,
        },
        after: field.after.as_deref().map(value),
        checked: field.checked,
    }
}

fn sent(wire: &WireRequest) -> Section {
    let mut lines = vec![Line::Code(format!(
        "{} {}",
        wire.method,
        visible(&wire.url)
    ))];
    let headers = wire.headers.iter();
    lines.extend(headers.map(|(name, value)| Line::Code(format!("{name}: {}", visible(value)))));
    match (&wire.body, wire.body_bytes) {
        (_, 0) => {}
        (Some(body), _) => lines.push(Line::Code(whole(body))),
        (None, bytes) => lines.push(Line::Fact(
            "Body",
            format!(
                "{bytes} bytes that are no text, SHA-256 {}",
                wire.body_digest
            ),
        )),
    }
    Section {
        heading: "What is sent".to_owned(),
        lines,
    }
}

/// What nothing vouches for, and words that may be taken for others.
fn warnings(card: &Card) -> Vec<String> {
    let mut warnings = Vec::new();
    for change in &card.changes {
        if !change.kind_checked {
            warnings.push(format!(
                "that the record is of the kind {} is what the connector says: the request does not show it",
                visible(&change.kind)
            ));
        }
        let unchecked = change.fields.iter();
        let unchecked = unchecked.filter(|field| field.checked == Checked::ConnectorSays);
        let names: Vec<_> = unchecked.map(|field| visible(&field.name)).collect();
        if !names.is_empty() {
            warnings.push(format!(
                "the new value of {} is what the connector says: it is not sent as such, so nothing vouches for it",
                names.join(", ")
            ));
        }
    }
    let found: BTreeMap<_, _> = texts(card)
        .iter()
        .flat_map(|text| look_alikes(text))
        .map(|found| (found.word.clone(), found))
        .collect();
    let more = found.len().saturating_sub(LOOK_ALIKES_MAX);
    for found in found.into_values().take(LOOK_ALIKES_MAX) {
        let scripts = found.scripts.join(" and ");
        warnings.push(match found.looks_like {
            Some(plain) => format!(
                "“{}” has letters of {scripts}, and looks like “{plain}”, which it is not",
                visible(&found.word)
            ),
            None => format!("“{}” mixes letters of {scripts}", visible(&found.word)),
        });
    }
    if more > 0 {
        warnings.push(format!(
            "{more} more words mix letters, or look like others"
        ));
    }
    warnings
}

/// Lists every text of a card that is not the host's own, as it is once it is read: in JSON an escape may stand for any letter.
fn texts(card: &Card) -> Vec<String> {
    let mut texts = vec![card.service.clone(), card.tool_title.clone()];
    let account = &card.account;
    let names = [&account.user, &account.organization, &card.reason];
    texts.extend(names.into_iter().flatten().cloned());
    for change in &card.changes {
        texts.extend([&change.action, &change.kind, &change.label].map(String::clone));
        texts.extend(change.id.iter().chain(&change.undo).cloned());
        texts.extend(change.notes.iter().cloned());
        for field in &change.fields {
            texts.extend([&field.label, &field.name].map(String::clone));
            for json in field.before.iter().chain(&field.after) {
                read(json, &mut texts);
            }
        }
    }
    match &card.wire {
        Some(wire) => {
            texts.push(wire.url.clone());
            texts.extend(wire.headers.iter().map(|(_, value)| value.clone()));
            if let Some(body) = &wire.body {
                read(body, &mut texts);
            }
        }
        None => read(&card.arguments, &mut texts),
    }
    texts
}

/// Adds the texts in a JSON text, and what is no JSON as it stands.
fn read(json: &str, texts: &mut Vec<String>) {
    match serde_json::from_str(json) {
        Ok(value) => read_value(value, texts),
        Err(_) => texts.push(json.to_owned()),
    }
}

fn read_value(value: Value, texts: &mut Vec<String>) {
    match value {
        Value::String(text) => texts.push(text),
        Value::Array(items) => {
            for item in items {
                read_value(item, texts);
            }
        }
        Value::Object(members) => {
            for (name, value) in members {
                texts.push(name);
                read_value(value, texts);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Shows a JSON value as a person reads it: a text in quotes, nothing for null.
fn value(json: &str) -> String {
    match serde_json::from_str::<Value>(json) {
        Ok(Value::Null) => "nothing".to_owned(),
        Ok(Value::String(text)) => quoted(&text),
        _ => whole(json),
    }
}

fn quoted(text: &str) -> String {
    format!("“{}”", whole(text))
}

/// Shows a text to its end, but for files in it.
fn whole(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let is_base64 = |char: char| char.is_ascii_alphanumeric() || matches!(char, '+' | '/' | '=');
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|char| !is_base64(char)).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        match run.len() > BASE64_CHARS_MAX {
            true => {
                let (chars, digest) = (run.len(), Digest::of(run.as_bytes()));
                let _ = write!(
                    shown,
                    "⟨{chars} characters without a space, not shown: a file in base64, or made to look like one; SHA-256 {digest}⟩"
                );
            }
            false => shown.push_str(run),
        }
        let next = after.find(is_base64).unwrap_or(after.len());
        let (between, further) = after.split_at(next);
        shown.push_str(&visible(between));
        rest = further;
    }
    shown
}
