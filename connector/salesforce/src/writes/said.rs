//! A change in words: the announcement for the person who decides, and the answer for who asked.

use portcullis_sdk::Output;
use portcullis_sdk::approvals::{Change, FieldChange};
use portcullis_sdk::audit::Source;
use schemars::JsonSchema;
use serde::Serialize;

use super::asked::Asked;
use super::decimal::Decimal;
use super::record::Found;
use super::targets::Names;
use super::value;
use crate::client::Client;
use crate::describe::{Describe, Field};
use crate::fence;
use crate::json::Json;
use crate::names;
use crate::table::{Bounds, Table};

/// How much of a record an answer repeats.
const BOUNDS: Bounds = Bounds {
    cell_chars_max: 1_000,
    text_bytes_max: 50_000,
};

/// What a change answers as data.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Written {
    /// `created`, `updated`, `deleted`, or `unchanged` where there was nothing to change.
    done: String,
    object: String,
    id: String,
    url: Option<String>,
    fields: Vec<WrittenField>,
    /// What else there is to know, such as fields that are not stored as asked.
    notes: Vec<String>,
}

impl Written {
    /// An answer as data: to which record what was done.
    pub(super) fn data(
        done: &str,
        object: &str,
        id: &str,
        url: Option<String>,
        fields: Vec<Json>,
        notes: &[String],
    ) -> Json {
        Json::object([
            ("done", done.into()),
            ("object", object.into()),
            ("id", id.into()),
            ("url", url.into()),
            ("fields", Json::Array(fields)),
            ("notes", Json::texts(notes)),
        ])
    }
}

/// One field of a change.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct WrittenField {
    name: String,
    before: serde_json::Value,
    asked: serde_json::Value,
    /// As it was read back.
    stored: serde_json::Value,
    /// Whether that is what was asked; null where it could not be read back, or is masked.
    as_asked: Option<bool>,
}

/// Announces fields, each with its value before where the record is there already. They stand below a place of the body.
pub(super) fn fields(
    mut change: Change,
    asked: &[Asked<'_>],
    before: Option<&Found>,
    at: &str,
) -> Change {
    for asked in asked {
        let name = asked.field.name();
        let label = match asked.field.kind() {
            "datetime" => format!("{} (UTC)", asked.field.label()),
            _ => asked.field.label().to_owned(),
        };
        let mut field = FieldChange::new(name, label);
        // As JSON texts: a number keeps its digits.
        field.before =
            before.map(|found| value::plain(asked.field, found.value(asked.field)).text());
        field.after = Some(asked.value.text());
        field.pointer = Some(format!("{at}/{name}"));
        change = change.field(field);
    }
    change
}

/// Says of references and amounts what their values do not: names, and groups of digits with a currency.
pub(super) fn in_words(asked: &[Asked<'_>], before: Option<&Found>, names: &Names) -> Vec<String> {
    let code = asked
        .iter()
        .find(|asked| asked.field.name() == "CurrencyIsoCode")
        .and_then(|asked| asked.value.as_str())
        .or_else(|| before?.json.str_at("CurrencyIsoCode"));
    let words = |asked: &Asked<'_>| {
        let field = asked.field;
        let (old, new) = match field.kind() {
            "reference" => (
                before
                    .and_then(|found| found.name_of(field))
                    .map(str::to_owned),
                asked.value.as_str().and_then(|id| names.get(id)).cloned(),
            ),
            "currency" => (
                before.and_then(|found| amount(field, found.value(field), code)),
                amount(field, &asked.value, code),
            ),
            // A comment on a case that is published, say.
            "boolean" if field.name() == "IsPublished" && asked.value == Json::Bool(true) => {
                return Some(format!(
                    "{}: customers who may see the record read it.",
                    field.label()
                ));
            }
            _ => return None,
        };
        let label = field.label();
        let shown = |text: String| fence::inline(&text, 120);
        match (old.map(shown), new.map(shown)) {
            (None, None) => None,
            (Some(old), Some(new)) => Some(format!("{label}: from {old} to {new}")),
            (Some(old), None) => Some(format!("{label}: it was {old}")),
            (None, Some(new)) => Some(format!("{label}: {new}")),
        }
    };
    asked.iter().filter_map(words).collect()
}

fn amount(field: Field<'_>, value: &Json, code: Option<&str>) -> Option<String> {
    let Json::Number(text) = value else {
        return None;
    };
    let amount = Decimal::parse(text)?.grouped(field.count("scale"));
    Some(match code {
        Some(code) => format!("{amount} {code}"),
        None => amount,
    })
}

/// What was done to a record, for the answer.
pub(super) struct Done<'a> {
    /// `created`, `updated`, `deleted`, `unchanged`.
    pub(super) done: &'static str,
    /// The record's object.
    pub(super) describe: &'a Describe,
    /// Its id.
    pub(super) id: &'a str,
    /// What a person calls it.
    pub(super) label: &'a str,
    /// The fields that were sent.
    pub(super) asked: &'a [Asked<'a>],
    /// The record before.
    pub(super) before: Option<&'a Found>,
    /// The record as it was read back.
    pub(super) stored: Option<&'a Found>,
    /// What else there is to say.
    pub(super) notes: Vec<String>,
}

impl Done<'_> {
    /// Cites the record and answers.
    pub(super) fn answer(mut self, client: &Client<'_>) -> Output {
        let kind = self.describe.name();
        let url =
            (self.done != "deleted").then(|| names::record_url(client.origin(), kind, self.id));
        let mut source = Source::new(kind)
            .id(self.id)
            .label(self.label)
            .fields(self.asked.iter().map(|asked| asked.field.name()));
        source.url.clone_from(&url);
        client.host.cite(&[source]);

        let differs: Vec<bool> = self
            .asked
            .iter()
            .map(|asked| self.as_asked(asked) == Some(false))
            .collect();
        for (asked, _) in self
            .asked
            .iter()
            .zip(&differs)
            .filter(|(_, differs)| **differs)
        {
            let note = self.why(asked);
            self.notes.push(note);
        }
        let masked = self.masked();
        self.notes.extend(masked);
        let mut columns = vec!["field"];
        columns.extend(self.before.map(|_| "before"));
        columns.push("after");
        columns.extend(differs.contains(&true).then_some("asked"));
        let rows = self.asked.iter().map(|asked| {
            let stored = self
                .stored
                .map(|found| value::plain(asked.field, found.value(asked.field)));
            let mut row = vec![Json::from(asked.field.name())];
            row.extend(
                self.before
                    .map(|found| value::plain(asked.field, found.value(asked.field))),
            );
            row.push(stored.unwrap_or_else(|| asked.value.clone()));
            row.extend(differs.contains(&true).then(|| asked.value.clone()));
            row
        });
        let mut text = match &url {
            Some(url) => format!("{} {kind} {url}", self.done),
            None => format!("{} {kind} {}", self.done, self.id),
        };
        if !self.asked.is_empty() {
            let rendered = Table::plain(columns, rows).render(BOUNDS);
            text.push('\n');
            text.push_str(&client.fenced(&rendered.text));
            let missing = self.asked.len() - rendered.rows_shown;
            if missing > 0 || rendered.cells_cut > 0 {
                text.push_str("\nlong values are cut here; get_record shows them whole");
            }
        }
        for note in &self.notes {
            text.push('\n');
            text.push_str(note);
        }
        let data = self.data(kind, url);
        data.answer(text)
    }

    fn as_asked(&self, asked: &Asked<'_>) -> Option<bool> {
        let stored = self.stored?.value(asked.field);
        let is_same = value::same(asked.field, stored, &asked.value);
        (is_same || !self.is_masked(asked)).then_some(is_same)
    }

    /// Says whether the org shows another text than was asked, since it masks what this user may not view.
    fn is_masked(&self, asked: &Asked<'_>) -> bool {
        let stored = self.stored.map(|found| found.value(asked.field));
        let text = stored.and_then(Json::as_str);
        text.is_some_and(|text| asked.field.is_masked(text) && asked.value.as_str() != Some(text))
    }

    /// Names the fields whose stored values nobody here can compare.
    fn masked(&self) -> Option<String> {
        let names: Vec<_> = self
            .asked
            .iter()
            .filter(|asked| self.is_masked(asked))
            .map(|asked| format!("`{}`", asked.field.name()))
            .collect();
        let names = (!names.is_empty()).then(|| names.join(", "))?;
        Some(format!(
            "encrypted, and masked for this user, so that it could not be compared: {names}"
        ))
    }

    /// Says how a stored value came to be another one, as far as that shows.
    fn why(&self, asked: &Asked<'_>) -> String {
        let (name, field) = (asked.field.name(), asked.field);
        let stored = self.stored.map_or(&Json::Null, |found| found.value(field));
        let kept = self
            .before
            .is_some_and(|before| value::same(field, before.value(field), stored));
        match kept {
            true => format!(
                "`{name}` is not as asked: it kept its value, so the org ignored the new one or a trigger put it back"
            ),
            false => format!(
                "`{name}` is not as asked: a trigger, a flow or the field's own rules wrote another value"
            ),
        }
    }

    fn data(&self, kind: &str, url: Option<String>) -> Json {
        let fields = self.asked.iter().map(|asked| {
            let of = |found: Option<&Found>| found.map(|found| found.value(asked.field).clone());
            Json::object([
                ("name", asked.field.name().into()),
                ("before", of(self.before).unwrap_or(Json::Null)),
                ("asked", asked.value.clone()),
                ("stored", of(self.stored).unwrap_or(Json::Null)),
                (
                    "as_asked",
                    self.as_asked(asked).map_or(Json::Null, Json::Bool),
                ),
            ])
        });
        Written::data(self.done, kind, self.id, url, fields.collect(), &self.notes)
    }
}
