//! `create_records`, `update_records`, `delete_records`: up to 200 records of one object by one request (*REST API Developer
//! Guide*, "sObject Collections").
//!
//! Every record is announced, and what came of each is said: the request may succeed for some and fail for others. What is wrong with
//! any of them before it is sent refuses the whole call.

mod create;
mod delete;
mod update;

use portcullis_sdk::audit::Source;
use portcullis_sdk::http::{Path, path};
use portcullis_sdk::{Failure, Output};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use super::asked::{self, Asked};
use super::record::Found;
use super::refused;
use super::value;
use crate::client::Client;
use crate::describe::Describe;
use crate::json::Json;
use crate::keyed::Keyed;
use crate::names;
use crate::table::{Bounds, Table};

pub use create::{CreateRecords, create_records};
pub use delete::{DeleteRecords, delete_records};
pub use update::{UpdateRecords, update_records};

/// Records of one request.
const RECORDS_MAX: usize = 200;

const BOUNDS: Bounds = Bounds {
    cell_chars_max: 300,
    text_bytes_max: 50_000,
};

/// What a change of several records answers as data.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ManyWritten {
    object: String,
    /// In the order of the call.
    records: Vec<RecordWritten>,
    /// What else there is to know.
    notes: Vec<String>,
}

/// What came of one record.
#[derive(Debug, Serialize, JsonSchema)]
struct RecordWritten {
    id: Option<String>,
    /// `created`, `updated`, `deleted`, `unchanged` or `failed`.
    done: String,
    /// Where it failed: the service's code and words.
    problem: Option<String>,
    /// Fields that are not stored as asked.
    not_as_asked: Vec<String>,
}

/// What came of one record.
#[derive(Debug, Default)]
struct One {
    id: Option<String>,
    done: &'static str,
    problem: Option<String>,
    /// Field, asked, stored.
    not_as_asked: Vec<(String, Json, Json)>,
}

/// What came of all.
struct Many<'a> {
    /// `created`, `updated`, `deleted`.
    done: &'static str,
    describe: &'a Describe,
    fields: Vec<String>,
    records: Vec<One>,
    notes: Vec<String>,
}

/// The address of several records.
fn collection(client: &Client<'_>) -> Result<Path, Failure> {
    let version = client.version()?;
    Ok(path!("/services/data/{}/composite/sobjects", version))
}

/// Checks how many there are.
///
/// # Errors
/// `invalid-argument`.
fn check_count(count: usize, at: &str) -> Result<(), Failure> {
    match count {
        1..=RECORDS_MAX => Ok(()),
        0 => Err(Failure::invalid("no record is given").field(at, "give at least one")),
        _ => Err(Failure::invalid(format!(
            "{count} records are given, and one call takes {RECORDS_MAX}"
        ))
        .field(
            at,
            format!("give at most {RECORDS_MAX}, and the rest in another call"),
        )),
    }
}

/// The place of a record in the arguments, and in the body.
fn place(index: usize) -> String {
    format!("/records/{index}")
}

/// Gives the names of all fields, each once.
///
/// # Errors
/// One is none that a field can have.
fn names_of_all(
    client: &Client<'_>,
    kind: &str,
    all: &[Map<String, Value>],
) -> Result<Vec<String>, Failure> {
    let mut known: Keyed<String, String> = Keyed::default();
    for (index, fields) in all.iter().enumerate() {
        for name in asked::names(client, kind, fields, &place(index))? {
            known.or_insert(name.to_ascii_lowercase(), || name);
        }
    }
    let names = known.into_pairs().into_iter();
    Ok(names.map(|(_, name)| name).collect())
}

/// Writes the body: a record each, with its object, its id where it has one, and its fields.
fn body<'a>(
    kind: &str,
    records: impl Iterator<Item = (Option<&'a str>, &'a [Asked<'a>])>,
) -> String {
    let record = |(id, asked): (Option<&str>, &[Asked<'_>])| {
        let attributes = Json::object([("type", kind.into())]);
        let mut members = vec![("attributes", attributes)];
        members.extend(id.map(|id| ("id", id.into())));
        members.extend(
            asked
                .iter()
                .map(|asked| (asked.field.name(), asked.value.clone())),
        );
        Json::object(members)
    };
    let records = Json::Array(records.map(record).collect());
    Json::object([("records", records)]).text()
}

/// Reads the answer: what came of each record. None: it is not an answer for so many.
fn outcomes(
    client: &Client<'_>,
    kind: &str,
    reply: &Json,
    count: usize,
    done: &'static str,
) -> Option<Vec<One>> {
    let results = reply.items();
    if results.len() != count {
        return None;
    }
    let one = |result: &Json| {
        let id = result.str_at("id").map(names::long_id);
        if result.is_true_at("success") {
            return One {
                id,
                done,
                ..One::default()
            };
        }
        let errors = result.get("errors").map_or(&[][..], Json::items);
        let mut said: Vec<String> = Vec::new();
        for error in errors {
            let code = error.str_at("statusCode").unwrap_or("UNKNOWN_EXCEPTION");
            let (words, _) = refused::words(client, kind, error);
            let (_, hint) = refused::meaning(client, code, errors);
            let hint = hint.map_or(String::new(), |hint| format!(" ({hint})"));
            said.push(format!("{code}: {words}{hint}"));
        }
        if said.is_empty() {
            said.push("the org does not say why".to_owned());
        }
        One {
            id,
            done: "failed",
            problem: Some(said.join("; ")),
            ..One::default()
        }
    };
    Some(results.iter().map(one).collect())
}

/// Compares what is stored with what was asked.
fn compare(one: &mut One, asked: &[Asked<'_>], stored: &Found) {
    for asked in asked {
        let found = stored.value(asked.field);
        if !value::same(asked.field, found, &asked.value) {
            let name = asked.field.name().to_owned();
            one.not_as_asked
                .push((name, asked.value.clone(), value::plain(asked.field, found)));
        }
    }
}

/// The condition that finds records by their ids.
fn by_ids<'i>(ids: impl Iterator<Item = &'i str>) -> String {
    let ids: Vec<String> = ids.map(|id| format!("'{id}'")).collect();
    format!("Id IN ({})", ids.join(", "))
}

impl Many<'_> {
    /// Cites the records and answers; where none was changed, that is a failure.
    ///
    /// # Errors
    /// Every record failed.
    fn answer(self, client: &Client<'_>) -> Result<Output, Failure> {
        let kind = self.describe.name();
        let failed = self
            .records
            .iter()
            .filter(|one| one.problem.is_some())
            .count();
        if failed == self.records.len() {
            return Err(self.failure());
        }
        let sources = self.records.iter().filter(|one| one.problem.is_none());
        let sources: Vec<Source> = sources
            .filter_map(|one| {
                let source = Source::new(kind)
                    .id(one.id.as_deref()?)
                    .fields(&self.fields);
                Some(source.url(names::record_url(client.origin(), kind, one.id.as_deref()?)))
            })
            .collect();
        client.host.cite(&sources);
        let total = self.records.len();
        let unchanged = self.records.iter().filter(|one| one.done == "unchanged");
        let unchanged = unchanged.count();
        let mut text = format!(
            "{} {} of {total} {kind}",
            self.done,
            total - failed - unchanged
        );
        if failed > 0 {
            text.push_str(&format!("; {failed} failed, and nothing of them was done"));
        }
        if unchanged > 0 {
            text.push_str(&format!("; {unchanged} already so, and not sent"));
        }
        for table in [self.made(), self.problems(), self.differences()]
            .into_iter()
            .flatten()
        {
            let rendered = table.render(BOUNDS);
            text.push('\n');
            text.push_str(&client.fenced(&rendered.text));
            let left_out = table.rows.len() - rendered.rows_shown;
            if left_out > 0 {
                text.push_str(&format!(
                    "\n{left_out} more rows are left out; query shows them"
                ));
            }
        }
        for note in &self.notes {
            text.push('\n');
            text.push_str(note);
        }
        let records = self.records.iter().map(|one| {
            let not_as_asked = one.not_as_asked.iter();
            let not_as_asked = not_as_asked.map(|(name, ..)| name.as_str().into());
            Json::object([
                ("id", one.id.as_deref().into()),
                ("done", one.done.into()),
                ("problem", one.problem.as_deref().into()),
                ("not_as_asked", Json::Array(not_as_asked.collect())),
            ])
        });
        let data = Json::object([
            ("object", kind.into()),
            ("records", Json::Array(records.collect())),
            ("notes", Json::texts(&self.notes)),
        ]);
        Ok(data.answer(text))
    }

    fn failure(&self) -> Failure {
        let problems = self.records.iter().enumerate();
        let problems = problems.filter_map(|(at, one)| Some((at, one.problem.as_deref()?)));
        let mut failure = Failure::invalid(format!(
            "the org refused every one of the {} records; nothing was changed",
            self.records.len()
        ));
        for (index, problem) in problems.take(20) {
            failure = failure.field(place(index), problem);
        }
        let first = self.records.iter().find_map(|one| one.problem.as_deref());
        match first.and_then(|problem| problem.split_once(':')) {
            Some((code, _)) => failure.code(code),
            None => failure,
        }
    }

    /// New records: the call has no other way to learn of their ids.
    fn made(&self) -> Option<Table> {
        let rows: Vec<Vec<Json>> = self
            .records
            .iter()
            .enumerate()
            .filter(|(_, one)| one.done == "created")
            .map(|(at, one)| vec![(at as u64).into(), one.id.clone().into()])
            .collect();
        (!rows.is_empty()).then(|| Table::plain(["record", "id"], rows))
    }

    fn problems(&self) -> Option<Table> {
        let rows: Vec<Vec<Json>> = self
            .records
            .iter()
            .enumerate()
            .filter_map(|(at, one)| {
                let problem = one.problem.clone()?;
                Some(vec![
                    (at as u64).into(),
                    one.id.clone().into(),
                    problem.into(),
                ])
            })
            .collect();
        (!rows.is_empty()).then(|| Table::plain(["record", "id", "failed"], rows))
    }

    fn differences(&self) -> Option<Table> {
        let mut rows = Vec::new();
        for (at, one) in self.records.iter().enumerate() {
            for (name, asked, stored) in &one.not_as_asked {
                let (at, name) = ((at as u64).into(), name.as_str().into());
                rows.push(vec![at, name, asked.clone(), stored.clone()]);
            }
        }
        let columns = ["record", "field", "asked", "stored otherwise"];
        (!rows.is_empty()).then(|| Table::plain(columns, rows))
    }
}
