//! One record written, in Salesforce's order of execution: the user's rights, the schema's checks,
//! defaults, triggers, validation rules, duplicate rules, unique values, and what follows in other
//! records.
//!
//! A write is a transaction: what is refused leaves the org as it was.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::convert::{self, Purpose};
use super::fill::{self, Values};
use super::{
    Key, automation, by_field, duplicates, files, hierarchy, key_field, key_value, members,
    not_writable, owner, rights, rules,
};
use crate::approvals;
use crate::error::ApiError;
use crate::id::Id;
use crate::org::{Org, Session};
use crate::schema::{FieldType, Object};
use crate::seen::Glance;
use crate::store::Record;
use crate::value::Value;

/// How a write is meant: what its headers say.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct WriteOptions<'a> {
    /// Whether a record is saved though a duplicate rule alerts.
    pub(crate) allow_duplicates: bool,
    /// Whether an alert gives the fields of the records that were found, not their ids alone.
    pub(crate) include_record_details: bool,
    /// The version's path, for the addresses of records in an answer.
    pub(crate) base: Option<&'a str>,
}

/// What an upsert did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Upserted {
    /// It made a record.
    Created(Id),
    /// It changed one.
    Updated(Id),
}

/// Makes a record.
///
/// # Errors
///
/// What the schema or a rule refuses.
pub(crate) fn insert(
    org: &mut Org,
    session: &Session,
    object: &Object,
    body: &Map<String, Json>,
    options: &WriteOptions,
) -> Result<Id, ApiError> {
    // Whoever may make none is told so, whatever the values are.
    check_createable(object)?;
    let values = convert::values(org, session, object, body, Purpose::Create)?;
    insert_values(org, session, object, values, options)
}

/// Makes a record of values that the schema allows.
///
/// # Errors
///
/// A value that is missing, `STORAGE_LIMIT_EXCEEDED`, `LIMIT_EXCEEDED`, `INSUFFICIENT_ACCESS_OR_READONLY`, or what a rule refuses.
pub(crate) fn insert_values(
    org: &mut Org,
    session: &Session,
    object: &Object,
    mut values: Values,
    options: &WriteOptions,
) -> Result<Id, ApiError> {
    check_createable(object)?;
    org.check_room_for_record()?;
    org.check_ids(&[&object.name])?;
    if &*object.name == "ContentVersion" {
        org.check_ids(&["ContentDocument", "ContentDocumentLink"])?; // Which it may bring along.
    }
    files::complete(org, object, &mut values)?;
    let missing = missing(object, &values);
    if !missing.is_empty() {
        return Err(convert::required(missing));
    }
    rights::check_parent(org, session, object, &values)?;
    // Fields that the user does not see are filled in all the same.
    let schema = Arc::clone(&org.schema);
    let object = schema.object(&object.name).unwrap_or(object);
    org.transaction(|org| {
        let at = org.tick();
        let record = fill::draft(org, object, values, session.user_id, at);
        let id = record.id;
        if let Some(document) = files::document(org, &record) {
            rights::check_owner(org, session, document, &record.values)?;
        }
        save(org, session, object, None, record, options)?;
        Ok(id)
    })
}

/// Changes a record.
///
/// # Errors
///
/// What the schema or a rule refuses.
pub(crate) fn update(
    org: &mut Org,
    session: &Session,
    object: &Object,
    id: Id,
    body: &Map<String, Json>,
    options: &WriteOptions,
) -> Result<(), ApiError> {
    // Whoever may not change the record is told so, whatever the values are.
    writable(org, session, object, id)?;
    let values = convert::values(org, session, object, body, Purpose::Change(id))?;
    update_values(org, session, object, id, values, options)
}

/// Changes a record by values that the schema allows.
///
/// # Errors
///
/// `INSUFFICIENT_ACCESS_OR_READONLY`, `CANNOT_UPDATE_CONVERTED_LEAD`, or what a rule refuses.
pub(crate) fn update_values(
    org: &mut Org,
    session: &Session,
    object: &Object,
    id: Id,
    values: Values,
    options: &WriteOptions,
) -> Result<(), ApiError> {
    let old = writable(org, session, object, id)?.clone();
    approvals::check_unlocked(org, session, id)?;
    rights::check_owner(org, session, &old, &values)?;
    files::check_change(org, &old, &values)?;
    if old.get("IsConverted").as_bool() == Some(true) {
        return Err(converted_lead());
    }
    let schema = Arc::clone(&org.schema);
    let object = schema.object(&object.name).unwrap_or(object);
    org.transaction(|org| {
        let at = org.tick();
        let record = fill::changed(object, &old, values, session.user_id, at);
        save(org, session, object, Some(&old), record, options)
    })
}

fn check_createable(object: &Object) -> Result<(), ApiError> {
    if object.createable {
        return Ok(());
    }
    Err(not_writable(object, "inserted"))
}

/// Finds a record that the user may change.
fn writable<'o>(
    org: &'o Org,
    session: &Session,
    object: &Object,
    id: Id,
) -> Result<&'o Record, ApiError> {
    let record = org.store.get(&object.name, id);
    let record = record.ok_or_else(ApiError::not_found)?;
    rights::check_change(org, session, record)?;
    Ok(record)
}

/// Makes the record that an external id does not find, or changes the one that it does.
///
/// # Errors
///
/// `DUPLICATE_EXTERNAL_ID`: it finds several. What the schema or a rule refuses.
pub(crate) fn upsert(
    org: &mut Org,
    session: &Session,
    object: &Object,
    (field, value): (&str, &str),
    body: &Map<String, Json>,
    options: &WriteOptions,
) -> Result<Upserted, ApiError> {
    let key = by_field(org, session, object, field, value)?;
    upsert_found(org, session, object, key, (field, value), body, options)
}

/// Does the same where it is known what the external id finds.
///
/// # Errors
///
/// As [`upsert`].
pub(crate) fn upsert_found(
    org: &mut Org,
    session: &Session,
    object: &Object,
    key: Key,
    (field, value): (&str, &str),
    body: &Map<String, Json>,
    options: &WriteOptions,
) -> Result<Upserted, ApiError> {
    match key {
        Key::One(id) => {
            update(org, session, object, id, body, options)?;
            Ok(Upserted::Updated(id))
        }
        Key::None => {
            let key = key_value(key_field(object, field)?, value);
            let mut body = body.clone();
            body.retain(|name, _| !name.eq_ignore_ascii_case(field));
            body.insert(field.to_owned(), key.to_json());
            Ok(Upserted::Created(insert(
                org, session, object, &body, options,
            )?))
        }
        Key::Several(ids) => {
            let message = format!(
                "{field}: more than one record found for external id field: [{}]",
                ids.iter().map(Id::as_str).collect::<Vec<_>>().join(", ")
            );
            Err(ApiError::bad_request("DUPLICATE_EXTERNAL_ID", message))
        }
    }
}

/// Makes the error of writing to a lead that has been converted.
pub(super) fn converted_lead() -> ApiError {
    ApiError::bad_request(
        "CANNOT_UPDATE_CONVERTED_LEAD",
        "cannot reference converted lead",
    )
}

/// Names the fields that a new record must give and does not.
pub(super) fn missing(object: &Object, values: &Values) -> Vec<String> {
    object
        .fields
        .iter()
        .filter(|field| field.createable && !field.nillable && !field.defaulted_on_create)
        .filter(|field| !files::fills_in(object, field))
        // A person's name is made of its parts.
        .filter(|field| {
            let mut parts = field.parts(object);
            !parts.any(|part| values.get(&part.name).is_some_and(|value| !value.is_null()))
        })
        .filter(|field| {
            field.default_value.is_none() && values.get(&field.name).is_none_or(Value::is_null)
        })
        .map(|field| (*field.name).to_owned())
        .collect()
}

/// Saves a record that the schema allows, if the org's rules let it pass.
fn save(
    org: &mut Org,
    session: &Session,
    object: &Object,
    old: Option<&Record>,
    mut record: Record,
    options: &WriteOptions,
) -> Result<(), ApiError> {
    owner::check(org, object, old, &record)?;
    hierarchy::check(org, object, old, &record)?;
    automation::before_save(object, old, &mut record);
    members::check(org, old, &record)?;
    rules::check(org, object, &record)?;
    duplicates::check(org, session, object, old, &record, options)?;
    check_unique(org, session, object, old, &record)?;
    let (at, id) = (org.last_change(), record.id);
    fill::save(org, object, old, record, session.user_id, at);
    // Who writes a record looks at it.
    org.seen.note(session.user_id, id, Glance::View, at);
    Ok(())
}

/// Refuses a value that another record has in a field whose values are unique.
pub(super) fn check_unique(
    org: &Org,
    session: &Session,
    object: &Object,
    old: Option<&Record>,
    record: &Record,
) -> Result<(), ApiError> {
    let unique = object
        .fields
        .iter()
        .filter(|field| field.unique && field.field_type != FieldType::Id);
    for field in unique {
        let value = record.get(&field.name);
        if old.is_some_and(|old| !old.deleted && old.get(&field.name) == value) {
            continue;
        }
        convert::check_unique(org, session, object, field, value, record.id)?;
    }
    Ok(())
}
