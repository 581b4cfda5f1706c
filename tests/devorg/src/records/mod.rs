//! Records as clients read and write them.
//!
//! The schema decides what may be written ([`convert`]); what the org itself fills in is [`fill`]'s
//! and [`derive`]'s.
//! Codes and messages are Salesforce's.

mod convert;
mod derive;
pub(crate) mod fill;

use serde_json::{Map, Value as Json, json};

use crate::approvals;
use crate::error::ApiError;
use crate::id::Id;
use crate::org::{Org, Session};
use crate::schema::{Field, FieldType, Object};
use crate::seen::Glance;
use crate::store::Record;
use crate::value::Value;
use convert::Purpose;

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
    object: &Object,
    text: &str,
    to_read: bool,
) -> Result<&'o Record, ApiError> {
    let id = Id::parse(text).ok_or_else(|| no_external_id(text))?;
    if id.prefix() != object.key_prefix && !to_read {
        let message = format!("{} ID: id value of incorrect type: {text}", object.label);
        return Err(ApiError::of_fields(
            "MALFORMED_ID",
            message,
            ["Id".to_owned()],
        ));
    }
    let record = org
        .store
        .get(&object.name, id)
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

/// Finds the records that have a value in an external id field; texts are compared without regard
/// to case.
///
/// # Errors
///
/// `NOT_FOUND` when the field is none by which records are found.
pub(crate) fn by_field(
    org: &Org,
    object: &Object,
    field: &str,
    value: &str,
) -> Result<Key, ApiError> {
    let field = object
        .field(field)
        .filter(|field| field.external_id || field.id_lookup)
        .ok_or_else(|| no_external_id(field))?;
    if field.field_type == FieldType::Id {
        return Ok(Key::One(by_id(org, object, value, true)?.id));
    }
    let mut ids = having(org, object, field, value).map(|record| record.id);
    Ok(match (ids.next(), ids.next()) {
        (None, _) => Key::None,
        (Some(id), None) => Key::One(id),
        (Some(first), Some(second)) => {
            Key::Several([first, second].into_iter().chain(ids).collect())
        }
    })
}

/// Gives the records that are not deleted and have a text in a field.
fn having<'a>(
    org: &'a Org,
    object: &'a Object,
    field: &'a Field,
    value: &'a str,
) -> impl Iterator<Item = &'a Record> {
    let value = value.to_lowercase();
    org.store.rows(&object.name).filter(move |record| {
        let text = record.get(&field.name).as_text();
        !record.deleted && text.is_some_and(|text| text.to_lowercase() == value)
    })
}

/// Gives a record as JSON: the fields of a list, with `Id` always, or every field.
///
/// # Errors
///
/// `INVALID_FIELD`: the list has a name that is no field.
pub(crate) fn read(
    org: &Org,
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
        json.insert(
            (*field.name).to_owned(),
            org.field_json(object, record, field),
        );
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

/// Makes a record of a JSON body; `given` is the external id of an upsert and its value.
///
/// # Errors
///
/// What the schema refuses.
pub(crate) fn create(
    org: &mut Org,
    session: &Session,
    object: &Object,
    body: &[u8],
    given: Option<(&str, &str)>,
) -> Result<Id, ApiError> {
    if !object.createable {
        return Err(not_writable(object, "inserted"));
    }
    let mut body = convert::object_of(body)?;
    if let Some((name, value)) = given {
        body.insert(name.to_owned(), value.into());
    }
    let values = convert::values(org, object, &body, Purpose::Create)?;
    let missing: Vec<String> = object
        .fields
        .iter()
        .filter(|field| field.createable && !field.nillable && !field.defaulted_on_create)
        .filter(|field| {
            field.default_value.is_none() && values.get(&field.name).is_none_or(Value::is_null)
        })
        .map(|field| (*field.name).to_owned())
        .collect();
    if !missing.is_empty() {
        return Err(convert::required(missing));
    }
    let at = org.tick();
    let id = fill::insert(org, object, values, session.user_id, at);
    org.seen.note(session.user_id, id, Glance::View, at);
    Ok(id)
}

/// Changes a record by a JSON body.
///
/// # Errors
///
/// What the schema refuses.
pub(crate) fn change(
    org: &mut Org,
    session: &Session,
    object: &Object,
    record: &Record,
    body: &[u8],
) -> Result<(), ApiError> {
    if !object.updateable {
        return Err(not_writable(object, "updated"));
    }
    let body = convert::object_of(body)?;
    approvals::check_unlocked(org, session, record.id)?;
    let values = convert::values(org, object, &body, Purpose::Change(record.id))?;
    let at = org.tick();
    fill::update(org, object, record, values, session.user_id, at);
    org.seen.note(session.user_id, record.id, Glance::View, at);
    Ok(())
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
    if !object.deletable {
        return Err(not_writable(object, "deleted"));
    }
    approvals::check_unlocked(org, session, id)?;
    check_kept(org, object, id)?;
    let at = org.tick();
    fill::delete(org, id, session.user_id, at);
    Ok(())
}

/// Refuses to delete what another record needs.
fn check_kept(org: &Org, object: &Object, id: Id) -> Result<(), ApiError> {
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
        let names: Vec<&str> = keepers.map(|record| record.id.as_str()).collect();
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
mod tests;
