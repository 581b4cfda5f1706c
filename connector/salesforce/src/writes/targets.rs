//! The records that new references lead to: that the agent may read them, that they are there, and what a person calls them.
//!
//! The attack: to hang something on a record that is hidden from the agent, or to learn by the org's answer that it is there. So a
//! reference leads only to records of objects that the agent may read; to people and queues, whom it may not look up, by their ids.

use portcullis_sdk::{Failure, Reason};

use super::asked::{Asked, FIELDS, Problems};
use super::record;
use super::value::about;
use crate::client::{Client, ReadError};
use crate::describe::{Describe, Field};
use crate::json::Json;
use crate::keyed::Keyed;
use crate::known::{check_record, unreadable};
use crate::names;
use crate::nearest::{Candidate, listed, nearest};
use crate::order;

/// The fields of one record, at their place in the arguments.
pub(super) fn of_one<'a, 'd>(
    asked: &'a [Asked<'d>],
) -> impl Iterator<Item = (&'static str, &'a Asked<'d>)> {
    asked.iter().map(|asked| (FIELDS, asked))
}

/// Names by ids.
pub(super) type Names = Keyed<String, String>;

/// Looks up what the references lead to, one query a kind of record; what is in `known` is not asked for. Where the kind is not known, or its
/// names are hidden from this agent, the service alone checks the id.
///
/// # Errors
/// The agent may not read the object of a record; the host stopped a request. What is not there is among the problems.
pub(super) fn names<'p, 'a, 'd: 'a>(
    client: &Client<'_>,
    describe: &Describe,
    asked: impl Iterator<Item = (&'p str, &'a Asked<'d>)>,
    known: &Names,
    problems: &mut Problems,
) -> Result<Names, Failure> {
    let mut found = known.clone();
    let mut wanted: Keyed<&str, Vec<(&str, Field<'_>, &str)>> = Keyed::default();
    for (at, asked) in asked {
        let (field, Some(id)) = (asked.field, asked.value.as_str()) else {
            continue;
        };
        if known.contains(id) {
            continue;
        }
        problems.look_at(at);
        match target(field, id) {
            Some("RecordType") => {
                let mut types = describe.record_types();
                match types.find(|(known, ..)| names::long_id(known) == id) {
                    Some((_, _, name)) => found.insert(id.to_owned(), name.to_owned()),
                    None => problems.add(field.name(), about(field, &not_a_type(describe, id))),
                }
            }
            kind => {
                check_target(client, field, kind, id)
                    .map_err(|failure| told(failure, at, field))?;
                if let Some(kind) = kind {
                    wanted.or_insert(kind, Vec::new).push((at, field, id));
                }
            }
        }
    }
    for (kind, references) in wanted.into_pairs() {
        let name = names::name_field_of(kind);
        let columns = ["Id".to_owned(), name.to_owned()];
        // Who is not active owns nothing, and may be named by any other field.
        let owns = |field: Field<'_>| kind == "User" && field.name() == "OwnerId";
        let active = match references.iter().any(|(_, field, _)| owns(*field)) {
            true => client.visible_fields(kind, &["IsActive".to_owned()]),
            false => Vec::new(),
        };
        if !client.may_read(kind) || client.visible_fields(kind, &columns).len() < columns.len() {
            continue;
        }
        let mut ids: Vec<String> = references
            .iter()
            .map(|(.., id)| format!("'{id}'"))
            .collect();
        order::sort_once(&mut ids);
        let active = active
            .first()
            .map_or(String::new(), |field| format!(", {field}"));
        let soql = format!(
            "SELECT Id, {name}{active} FROM {kind} WHERE Id IN ({})",
            ids.join(", ")
        );
        let reply = match record::query(client, &soql) {
            Ok(reply) => reply,
            // It may have no such field: the names are an extra.
            Err(ReadError::Service(_)) => continue,
            Err(ReadError::Failed(failure)) => return Err(failure),
        };
        let records = reply.get("records").map_or(&[][..], Json::items);
        for (at, field, id) in references {
            problems.look_at(at);
            let is_it = |record: &&Json| {
                record
                    .str_at("Id")
                    .is_some_and(|known| names::long_id(known) == id)
            };
            match records.iter().find(is_it) {
                Some(record)
                    if owns(field) && record.get("IsActive") == Some(&Json::Bool(false)) =>
                {
                    let says = "leads to an inactive user, who can own nothing: find_users finds those who are active";
                    problems.add(field.name(), about(field, says));
                }
                Some(record) => {
                    let name = record.str_at(name).unwrap_or(id);
                    found.insert(id.to_owned(), name.to_owned());
                }
                None => {
                    let says = format!(
                        "leads to no record: there is no {kind} with the id {id}, or you may not see it"
                    );
                    problems.add(field.name(), about(field, &says));
                }
            }
        }
    }
    Ok(found)
}

/// Refuses a reference to a record of an object that the agent may not read.
fn check_target(
    client: &Client<'_>,
    field: Field<'_>,
    kind: Option<&str>,
    id: &str,
) -> Result<(), Failure> {
    match kind {
        // Who owns a record is a value of the record's own.
        Some("User" | "Group") => Ok(()),
        Some(kind) if client.may_read(kind) => Ok(()),
        Some(_) => Err(unreadable(id)),
        None if field.kind() == "reference" => check_record(client, id),
        None => Ok(()),
    }
}

/// Says at its argument what is wrong with a reference.
fn told(failure: Failure, at: &str, field: Field<'_>) -> Failure {
    match failure.reason {
        Reason::NotPermitted => failure.field(
            format!("{at}/{}", field.name()),
            about(field, "leads to a record that this agent may not read"),
        ),
        _ => failure,
    }
}

/// Says which record types there are instead.
pub(super) fn not_a_type(describe: &Describe, wanted: &str) -> String {
    let candidates = describe
        .record_types()
        .map(|(_, name, label)| Candidate { name, label });
    let near = match nearest(wanted, candidates).as_slice() {
        [] => String::new(),
        near => format!("; near: {}", listed(near)),
    };
    let known: Vec<_> = describe
        .record_types()
        .map(|(_, api_name, _)| format!("`{api_name}`"))
        .collect();
    let wanted = crate::fence::inline(wanted, 80);
    if known.is_empty() {
        return format!("has no record types for this user, so “{wanted}” is none");
    }
    format!(
        "has no record type “{wanted}” for this user{near}; valid: {}",
        known.join(", ")
    )
}

/// Gives the kind of record that an id is of, where the field or the id says so.
fn target<'f>(field: Field<'f>, id: &str) -> Option<&'f str> {
    if field.kind() != "reference" {
        return None;
    }
    let targets: Vec<&str> = field.targets().collect();
    match (targets.as_slice(), names::object_of(id)) {
        ([only], _) => Some(only),
        (several, Some(object)) => several.iter().find(|target| **target == object).copied(),
        _ => None,
    }
}
