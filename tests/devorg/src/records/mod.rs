//! Records as clients read and write them.
//!
//! The schema decides what may be written ([`convert`]); what the org itself fills in is [`fill`]'s
//! and [`derive`]'s; [`write`] has the order in which an administrator's triggers and rules come in.
//! Codes and messages are Salesforce's.

mod automation;
mod convert;
mod convert_lead;
mod derive;
mod duplicates;
pub(crate) mod files;
pub(crate) mod fill;
mod hierarchy;
mod lookup;
mod members;
mod merge;
mod owner;
mod reference;
pub(crate) mod restore;
mod rights;
mod rules;
mod undelete;
mod versions;
mod write;

use serde_json::{Map, Value as Json, json};

use crate::approvals;
use crate::error::ApiError;
use crate::id::Id;
use crate::org::{Org, Session};
use crate::schema::{Field, FieldType, Object};
use crate::store::Record;
use crate::value::Value;
pub(crate) use convert::{check_shape, is_readable, no_field, object_of};
pub(crate) use convert_lead::{LeadConvert, LeadConvertResult, convert_lead};
pub(crate) use duplicates::{FoundDuplicates, duplicate_rule, find_duplicates};
pub(crate) use lookup::{incorrect_id, to_write, to_write_of};
pub(crate) use merge::{MergeRequest, MergeResult, merge};
pub(crate) use rights::insufficient;
pub(crate) use undelete::undelete;
pub(crate) use write::{Upserted, WriteOptions, insert, update, upsert, upsert_found};

/// The records that an external id names.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Key {
    /// There is none.
    None,
    /// There is one.
    One(Id),
    /// There are several.
    Several(Vec<Id>),
}

/// Finds a record by the id in a path. What `to_read` an id of another object names is not there;
/// to write it is a mistake.
///
/// # Errors
///
/// `NOT_FOUND`, `MALFORMED_ID` or `ENTITY_IS_DELETED`.
pub(crate) fn by_id<'o>(
    org: &'o Org,
    session: &Session,
    object: &Object,
    text: &str,
    to_read: bool,
) -> Result<&'o Record, ApiError> {
    let id = Id::parse(text).ok_or_else(|| no_external_id(text))?;
    if id.prefix() != object.key_prefix && !to_read {
        return Err(incorrect_id(object, text));
    }
    let record = org
        .store
        .get(&object.name, id)
        .filter(|record| session.may_read(org, record))
        .ok_or_else(ApiError::not_found)?;
    if record.deleted {
        return Err(ApiError::new(404, "ENTITY_IS_DELETED", "entity is deleted"));
    }
    Ok(record)
}

fn no_external_id(name: &str) -> ApiError {
    let message = format!("Provided external ID field does not exist or is not accessible: {name}");
    ApiError::new(404, "NOT_FOUND", message)
}

/// Finds the records that the user sees and that have a value in an external id field; texts are
/// compared without regard to case.
///
/// # Errors
///
/// `NOT_FOUND` when the field is none by which records are found.
pub(crate) fn by_field(
    org: &Org,
    session: &Session,
    object: &Object,
    field: &str,
    value: &str,
) -> Result<Key, ApiError> {
    let field = key_field(object, field)?;
    if field.field_type == FieldType::Id {
        return Ok(Key::One(by_id(org, session, object, value, true)?.id));
    }
    let mut ids = having(org, object, field, &key_value(field, value))
        .filter(|record| session.may_read(org, record))
        .map(|record| record.id);
    Ok(match (ids.next(), ids.next()) {
        (None, _) => Key::None,
        (Some(id), None) => Key::One(id),
        (Some(first), Some(second)) => {
            Key::Several([first, second].into_iter().chain(ids).collect())
        }
    })
}

/// Finds the field by which records are found.
///
/// # Errors
///
/// `NOT_FOUND` when it is none.
pub(crate) fn key_field<'o>(object: &'o Object, name: &str) -> Result<&'o Field, ApiError> {
    let field = object.field(name);
    let key = field.filter(|field| field.external_id || field.id_lookup);
    key.ok_or_else(|| match Id::parse(name) {
        // `/sobjects/Account/{id}/Owner`: the record is there, and what hangs on it is not.
        Some(_) => ApiError::not_found(),
        None => no_external_id(name),
    })
}

/// Gives the value that an external id in a path names.
fn key_value(field: &Field, text: &str) -> Value {
    match text.parse() {
        Ok(number) if field.field_type.is_number() => Value::Number(number),
        _ => Value::text(text),
    }
}

/// Gives the records that are not deleted and have a value in a field: to the case of its letters where
/// that counts.
fn having<'a>(
    org: &'a Org,
    object: &'a Object,
    field: &'a Field,
    value: &Value,
) -> impl Iterator<Item = &'a Record> + use<'a> {
    let exact = field.case_sensitive().then(|| value.clone());
    let found = org.store.having(&object.name, &field.name, value);
    found.filter(move |record| {
        let is_same = |exact: &Value| record.get(&field.name) == exact;
        !record.deleted && exact.as_ref().is_none_or(is_same)
    })
}

/// Gives a record as JSON: the fields of a list, with `Id` always, or every field.
///
/// # Errors
///
/// `INVALID_FIELD`: the list has a name that is no field.
pub(crate) fn read(
    org: &Org,
    session: &Session,
    object: &Object,
    record: &Record,
    fields: Option<&str>,
    base: &str,
) -> Result<Json, ApiError> {
    let url = format!("{base}/sobjects/{}/{}", object.name, record.id);
    let mut json = Map::new();
    json.insert(
        "attributes".into(),
        json!({"type": &*object.name, "url": url}),
    );
    let mut show = |field: &Field| {
        let value = match field.field_type {
            FieldType::Base64 => files::data_url(base, record, &field.name),
            _ => match org.seen.value(session.user_id, record.id, &field.name) {
                Some(own) => own.to_json(),
                None => org.field_json(session, object, record, field),
            },
        };
        json.insert((*field.name).to_owned(), value);
    };
    match fields {
        None => object.fields.iter().for_each(&mut show),
        Some(list) => {
            for name in list.split(',').map(str::trim) {
                show(
                    object
                        .field(name)
                        .ok_or_else(|| convert::no_field(object, name))?,
                );
            }
            object.field("Id").into_iter().for_each(&mut show);
        }
    }
    Ok(Json::Object(json))
}

/// Moves a record to the recycle bin, with those that belong to it.
///
/// # Errors
///
/// `CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY`: records of this object are not deleted. `DELETE_FAILED`:
/// another record keeps this one.
pub(crate) fn remove(
    org: &mut Org,
    session: &Session,
    object: &Object,
    id: Id,
) -> Result<(), ApiError> {
    rights::check_delete(org, session, object, id)?;
    approvals::check_unlocked(org, session, id)?;
    check_kept(org, session, object, id)?;
    let at = org.tick();
    fill::delete(org, id, session.user_id, at);
    Ok(())
}

/// Deletes a record for good, with those that belong to it.
///
/// # Errors
///
/// As [`remove`].
pub(crate) fn erase(
    org: &mut Org,
    session: &Session,
    object: &Object,
    id: Id,
) -> Result<(), ApiError> {
    org.transaction(|org| {
        remove(org, session, object, id)?;
        fill::purge(org, id);
        Ok(())
    })
}

/// Refuses to delete what another record needs; of those, only what the user sees is named.
fn check_kept(org: &Org, session: &Session, object: &Object, id: Id) -> Result<(), ApiError> {
    for child in object
        .child_relationships
        .iter()
        .filter(|child| child.restricted_delete)
    {
        let mut keepers = org
            .store
            .children(&child.child_object, &child.field, id)
            .filter(|record| !record.deleted)
            .peekable();
        let Some(first) = keepers.peek() else {
            continue;
        };
        let label = org
            .schema
            .object(&first.object)
            .map_or("", |object| &object.label_plural);
        let names: Vec<&str> = keepers
            .filter(|record| session.may_read(org, record))
            .map(|record| record.id.as_str())
            .collect();
        let message = format!(
            "Your attempt to delete this record could not be completed because it is associated with the following {}.: {}",
            label.to_lowercase(),
            names.join(", ")
        );
        return Err(ApiError::bad_request("DELETE_FAILED", message));
    }
    Ok(())
}

fn not_writable(object: &Object, done: &str) -> ApiError {
    ApiError::bad_request(
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
        format!("entity type cannot be {done}: {}", object.label),
    )
}

#[cfg(test)]
mod bin_tests;
#[cfg(test)]
mod hidden_tests;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
