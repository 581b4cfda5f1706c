//! Records into an org: every file is read twice, first for what its records are called, then for
//! what they are, so that it does not matter in which order they refer to one another.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use serde_json::Value as Json;

use super::notes::{Note, Notes};
use super::problem::{DataError, Problem, Problems};
use super::reference::References;
use super::sources::{Source, sources};
use super::tree::{Written, each_record};
use crate::error::ApiError;
use crate::id::Id;
use crate::org::Org;
use crate::records::fill::{self, Values};
use crate::records::restore::{self, Use};
use crate::schema::{Field, FieldType, Object, Schema};
use crate::value::Value;

/// Loads the records of a folder, and gives what there is to say of them.
///
/// # Errors
///
/// What is wrong with the files, or with the records in them.
pub(super) fn load(
    org: &mut Org,
    administrator: Id,
    folder: &Path,
    loaded: &AtomicU64,
) -> Result<Vec<String>, DataError> {
    let mut notes = Notes::default();
    let sources = sources(folder, &mut notes)?;
    let schema = Arc::clone(&org.schema);

    let mut names = Names::default();
    let mut walk = Walk::new(&schema);
    for source in &sources {
        walk.file(source, &mut |place, problems| names.add(place, problems))?;
    }
    walk.problems.end()?;
    let references = names.settle(org, &schema);

    let mut loader = Loader {
        schema: &schema,
        at: org.now(),
        org,
        administrator,
        references,
        notes,
        numbers: BTreeMap::new(),
    };
    let mut walk = Walk::new(&schema);
    for source in &sources {
        walk.file(source, &mut |place, problems| {
            loader.take(place, problems);
            loaded.fetch_add(1, Ordering::Relaxed);
        })?;
    }
    walk.problems.end()?;
    Ok(loader.finish())
}

/// A record in its file.
struct Place<'a> {
    source: &'a Source,
    object: &'a Object,
    record: &'a Written,
    /// Its place among the records of all files.
    at: usize,
    /// Which record of the file it is, or is below, from 1.
    number: usize,
    /// Its `referenceId`.
    name: Option<&'a str>,
    /// The place of the record that it is below, and the field that refers to that.
    parent: Option<(usize, &'a Field)>,
}

impl Place<'_> {
    fn problem(&self, field: Option<&str>, error: ApiError) -> Problem {
        let Self { object, number, .. } = self;
        let name = self.name.map_or(String::new(), |name| format!(" ({name})"));
        let place = match self.parent {
            None => format!("record {number}{name}"),
            Some(_) => format!("{}{name} below record {number}", object.name),
        };
        Problem {
            file: self.source.file.clone(),
            place,
            field: field.map(str::to_owned),
            error,
        }
    }
}

type Take<'t> = dyn FnMut(&Place<'_>, &mut Problems) + 't;

/// A way through the records of all files, which is the same each time.
struct Walk<'s> {
    schema: &'s Schema,
    count: usize,
    problems: Problems,
}

impl<'s> Walk<'s> {
    fn new(schema: &'s Schema) -> Self {
        Self {
            schema,
            count: 0,
            problems: Problems::default(),
        }
    }

    /// Gives every record of a file to `take`, each before those below it.
    fn file(&mut self, source: &Source, take: &mut Take<'_>) -> Result<(), DataError> {
        let mut number = 0;
        each_record(source, &mut |record| {
            number += 1;
            let kind = source.object.as_deref();
            self.record(source, (&record, number), (kind, None), take);
            !self.problems.are_enough()
        })
    }

    /// Gives a record, which is of an object unless it says itself of which, and those below it.
    fn record(
        &mut self,
        source: &Source,
        (record, number): (&Written, usize),
        (object, parent): (Option<&str>, Option<(usize, &Field)>),
        take: &mut Take<'_>,
    ) {
        let attribute = |key: &str| record.get("attributes")?.get(key)?.as_str();
        let name = attribute("referenceId");
        let kind = attribute("type").or(object);
        let Some(object) = self.schema.object(kind.unwrap_or_default()) else {
            let message = match kind {
                None => "the record has no `type` among its `attributes`".to_owned(),
                Some(kind) => format!("sObject type '{kind}' is not supported."),
            };
            let named = name.map_or(String::new(), |name| format!(" ({name})"));
            return self.problems.add(Problem {
                file: source.file.clone(),
                place: format!("record {number}{named}"),
                field: None,
                error: ApiError::bad_request("INVALID_TYPE", message),
            });
        };
        let place = Place {
            source,
            object,
            record,
            at: self.count,
            number,
            name,
            parent,
        };
        self.count += 1;
        take(&place, &mut self.problems);
        for (key, value) in record {
            let Some(below) = children(value) else {
                continue;
            };
            let relationship = object.child_relationship(key);
            let child = relationship.and_then(|child| {
                let object = self.schema.object(&child.child_object)?;
                Some((object, object.field(&child.field)?))
            });
            let Some((object, field)) = child else {
                let message = format!("Didn't understand relationship '{key}'.");
                let error = ApiError::bad_request("INVALID_FIELD", message);
                self.problems.add(place.problem(Some(key), error));
                continue;
            };
            for json in below {
                match below_of(object, json) {
                    Ok(record) => {
                        let parent = Some((place.at, field));
                        let object = Some(&*object.name);
                        self.record(source, (record, number), (object, parent), take);
                    }
                    Err(error) => self.problems.add(place.problem(Some(key), error)),
                }
            }
        }
    }
}

/// Gives what a value has below a record.
fn children(value: &Json) -> Option<&Vec<Json>> {
    value.as_object()?.get("records")?.as_array()
}

/// Reads a record below another, which is of one object.
fn below_of<'j>(object: &Object, json: &'j Json) -> Result<&'j Written, ApiError> {
    let record = json.as_object().ok_or_else(|| {
        let message = format!("a record is an object, and this is none: {json}");
        ApiError::bad_request("JSON_PARSER_ERROR", message)
    })?;
    let kind = json["attributes"]["type"].as_str();
    match kind.filter(|kind| !kind.eq_ignore_ascii_case(&object.name)) {
        None => Ok(record),
        Some(kind) => {
            let message = format!("the records here are of {}, and not of {kind}", object.name);
            Err(ApiError::bad_request("INVALID_TYPE", message))
        }
    }
}

/// What the records of the files are called.
#[derive(Default)]
struct Names {
    references: References,
    /// The object of each record, and the id that it had elsewhere.
    records: Vec<(Arc<str>, Option<Id>)>,
}

impl Names {
    fn add(&mut self, place: &Place<'_>, problems: &mut Problems) {
        if let Err(error) = restore::check_object(place.object) {
            problems.add(place.problem(None, error));
        }
        if let Some(name) = place.name
            && !self.references.name(&place.source.scopes, name, place.at)
        {
            let message = format!("another record of the export is `{name}`, too");
            let error = ApiError::bad_request("DUPLICATE_VALUE", message);
            problems.add(place.problem(Some("referenceId"), error));
        }
        let mut given = place.record.iter();
        let given = given.find(|(key, id)| key.eq_ignore_ascii_case("Id") && !id.is_null());
        let given = given.map(|(_, id)| id);
        let id = given.and_then(Json::as_str).and_then(Id::parse);
        if let Some(id) = id
            && !self.references.was(id, place.at)
        {
            let message = format!("another record of the export has the id {id}, too");
            let error = ApiError::bad_request("DUPLICATE_VALUE", message);
            problems.add(place.problem(Some("Id"), error));
        }
        if let (Some(given), None) = (given, id) {
            let given = given
                .as_str()
                .map_or_else(|| given.to_string(), str::to_owned);
            let message = format!(
                "{}: id value of incorrect type: {given}",
                place.object.label
            );
            let error = ApiError::bad_request("MALFORMED_ID", message);
            problems.add(place.problem(Some("Id"), error));
        }
        self.records.push((place.object.name.clone(), id));
    }

    /// Gives every record its id here: the one that it had, where that is free, or a new one.
    fn settle(self, org: &mut Org, schema: &Schema) -> References {
        let Self {
            mut references,
            records,
        } = self;
        let is_free = |org: &Org, object: &Object, id: Id| {
            id.prefix() == object.key_prefix && org.store.get(&object.name, id).is_none()
        };
        // Before any new one is given: those that follow these are free at once.
        for (name, id) in &records {
            let prefix = schema.object(name).map(|object| &*object.key_prefix);
            let id = id.filter(|id| Some(id.prefix()) == prefix);
            if let Some(number) = id.and_then(|id| id.number()) {
                org.store.skip_numbers(name, number);
            }
        }
        let kept = |org: &Org, name: &str, id: Option<Id>| {
            let object = schema.object(name)?;
            id.filter(|id| is_free(org, object, *id))
        };
        let taken = records.iter().filter_map(|(name, id)| kept(org, name, *id));
        let taken: HashSet<Id> = taken.collect();
        for (name, id) in &records {
            let Some(object) = schema.object(name) else {
                continue; // Every record has been given one.
            };
            let id = kept(org, name, *id).unwrap_or_else(|| {
                let mut new = || org.store.next_id(name, &object.key_prefix);
                let mut id = new();
                while taken.contains(&id) {
                    id = new();
                }
                id
            });
            references.here.push(id);
        }
        references
    }
}

/// Says whether a record names its record type.
fn names_record_type(place: &Place<'_>) -> bool {
    let mut given = place.record.iter();
    given.any(|(name, json)| {
        let named = |key: &str| json.get(key).is_some_and(Json::is_string);
        name.eq_ignore_ascii_case("RecordType") && (named("Name") || named("DeveloperName"))
    })
}

/// Makes the records.
struct Loader<'l> {
    schema: &'l Schema,
    org: &'l mut Org,
    administrator: Id,
    references: References,
    notes: Notes,
    at: Timestamp,
    /// The last of the numbers that records of an object have in their numbered field.
    numbers: BTreeMap<Arc<str>, u64>,
}

impl Loader<'_> {
    fn take(&mut self, place: &Place<'_>, problems: &mut Problems) {
        let (object, mut values) = (place.object, Values::new());
        let mut sound = true;
        for (name, json) in place.record {
            let known = name == "attributes" || name.eq_ignore_ascii_case("Id");
            if known || json.is_null() || children(json).is_some() {
                continue;
            }
            match self.value(place, name, json) {
                Ok(Some((field, _))) if values.contains_key(&field.name) => {
                    let message = format!("the record gives a value of {} twice", field.name);
                    let error = ApiError::bad_request("INVALID_FIELD", message);
                    problems.add(place.problem(Some(name), error));
                    sound = false;
                }
                Ok(Some((field, value))) => {
                    if let (true, Some(text)) = (field.auto_number, value.as_text()) {
                        let number = fill::numbers_until(object, text);
                        let last = self.numbers.entry(object.name.clone()).or_default();
                        *last = number.max(*last);
                    }
                    values.insert(field.name.clone(), value);
                }
                Ok(None) => {}
                Err(error) => {
                    problems.add(place.problem(Some(name), error));
                    sound = false;
                }
            }
        }
        let here = |at: usize| self.references.here.get(at).copied();
        if let Some((parent, field)) = place.parent
            && values
                .insert(field.name.clone(), here(parent).into())
                .is_some()
        {
            let message = format!("{} is the record that this one is below", field.name);
            let error = ApiError::bad_request("INVALID_FIELD", message);
            problems.add(place.problem(Some(&field.name), error));
        }
        // None has no id but in a file that has grown since it was read.
        let Some(id) = here(place.at).filter(|_| sound) else {
            return;
        };
        let by = (self.administrator, self.at);
        if let Err(error) = restore::restore(self.org, object, id, values, by) {
            problems.add(place.problem(None, error));
        }
    }

    /// Reads a value; nothing of one that is not taken over.
    fn value<'o>(
        &mut self,
        place: &Place<'o>,
        name: &str,
        json: &Json,
    ) -> Result<Option<(&'o Field, Value)>, ApiError> {
        let object = place.object;
        if let Some(of_parent) = json.as_object()
            && let Some(field) = object.relationship(name)
        {
            if &*field.name == "RecordTypeId" && names_record_type(place) {
                return Ok(Some((
                    field,
                    restore::record_type(object, field, of_parent)?,
                )));
            }
            self.notes.count(&object.name, name, Note::OfOtherRecord);
            return Ok(None);
        }
        if let (None, Some(left_out)) = (object.field(name), object.left_out(name)) {
            self.notes.count(&object.name, left_out, Note::NoSuchType);
            return Ok(None);
        }
        let field = restore::field(object, name)?;
        if &*field.name == "RecordTypeId" && names_record_type(place) {
            return Ok(None); // By a name, which is the same in every org.
        }
        if restore::use_of(field) == Use::LeftOut {
            self.notes.count(&object.name, &field.name, Note::LeftOut);
            return Ok(None);
        }
        let text = json.as_str().filter(|text| !text.is_empty());
        let (FieldType::Reference, Some(text)) = (field.field_type, text) else {
            return Ok(Some((field, restore::value(field, json)?)));
        };
        if restore::is_master(object, field, text) {
            return Ok(None);
        }
        let scopes = &place.source.scopes;
        let administrator = self.administrator;
        let found = self
            .references
            .find(self.org, scopes, field, text, administrator)?;
        if let Some(note) = found.1 {
            self.notes.count(&object.name, &field.name, note);
        }
        Ok(Some((field, found.0)))
    }

    /// Brings up to date what follows from other records, and gives what there is to say.
    fn finish(self) -> Vec<String> {
        // What an activity is about may itself follow from another record: a case's account does.
        let is_activity = |object: &&Object| matches!(&*object.name, "Event" | "Task");
        for activities in [false, true] {
            for id in &self.references.here {
                let object = self.schema.object_by_prefix(id.prefix());
                if let Some(object) = object.filter(|object| is_activity(object) == activities) {
                    fill::settle(self.org, object, *id, self.at);
                }
            }
        }
        let campaigns = self.org.store.rows("Campaign").map(|campaign| campaign.id);
        for campaign in campaigns.collect::<Vec<Id>>() {
            fill::sum_up(self.org, campaign);
        }
        for (object, number) in self.numbers {
            self.org.store.skip_numbers(&object, number);
        }
        self.notes.into_lines()
    }
}
