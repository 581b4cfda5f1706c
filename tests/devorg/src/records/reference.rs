//! References to other records: by id, or by an external id of theirs.

use serde_json::Value as Json;

use super::convert::of_field;
use super::lookup::incorrect_type;
use super::{Key, by_field, write};
use crate::error::ApiError;
use crate::id::Id;
use crate::org::{Org, Session};
use crate::schema::{Field, Object};

/// Finds the record that an external id names, as in `"Account__r": {"Key__c": "17"}`, among those
/// that the user sees, and gives its id.
///
/// # Errors
///
/// `INVALID_FIELD`, or `DUPLICATE_EXTERNAL_ID` where several have it.
pub(super) fn by_external_id(
    org: &Org,
    session: &Session,
    field: &Field,
    json: &Json,
) -> Result<Json, ApiError> {
    let invalid = |message: String| ApiError::bad_request("INVALID_FIELD", message);
    let mut keys = json
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, _)| *name != "attributes");
    let (Some((name, key)), None) = (keys.next(), keys.next()) else {
        let message = format!("{}: a reference by external id has one field", field.label);
        return Err(invalid(message));
    };
    let key = match key {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    };
    let stated = json["attributes"]["type"].as_str();
    let targets = field
        .reference_to
        .iter()
        .filter(|to| stated.is_none_or(|stated| to.eq_ignore_ascii_case(stated)))
        .filter_map(|to| session.schema().object(to));
    for object in targets {
        match by_field(org, session, object, name, &key) {
            Ok(Key::One(id)) => return Ok(Json::from(id.as_str())),
            Ok(Key::None) => {
                return Err(invalid(format!(
                    "Foreign key external ID: {key} not found for field {name} in entity {}",
                    object.name
                )));
            }
            Ok(Key::Several(_)) => {
                let message = format!("{name}: more than one record found for external id: {key}");
                return Err(ApiError::bad_request("DUPLICATE_EXTERNAL_ID", message));
            }
            Err(_) => {}
        }
    }
    Err(invalid(format!(
        "{}: no external id of this name: {name}",
        field.label
    )))
}

/// Checks that an id can be in a reference field of an object.
///
/// # Errors
///
/// `MALFORMED_ID`, `INVALID_CROSS_REFERENCE_KEY`, `ENTITY_IS_DELETED`,
/// `CANNOT_UPDATE_CONVERTED_LEAD`, or `INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY` for a record
/// that the user does not see.
pub(super) fn check(
    org: &Org,
    session: &Session,
    object: &Object,
    field: &Field,
    text: &str,
) -> Result<(), ApiError> {
    let incorrect = || incorrect_type(&field.label, &field.name, text);
    let id = Id::parse(text).ok_or_else(incorrect)?;
    if let Some(object) = org.schema.object_by_prefix(id.prefix())
        && !field.reference_to.iter().any(|to| **to == *object.name)
    {
        return Err(incorrect());
    }
    let other_record_type = &*field.name == "RecordTypeId"
        && !object
            .record_types
            .iter()
            .any(|record_type| record_type.id == id);
    if other_record_type {
        let message = format!(
            "{}: this ID value isn't valid for the user: {text}",
            field.label
        );
        return Err(of_field("INVALID_CROSS_REFERENCE_KEY", message, field));
    }
    match org.find(id) {
        Some((_, record)) if !session.may_read(org, record) => Err(ApiError::bad_request(
            "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
            "insufficient access rights on cross-reference id",
        )),
        Some((_, record)) if record.get("IsConverted").as_bool() == Some(true) => {
            Err(write::converted_lead())
        }
        Some((_, record)) if !record.deleted => Ok(()),
        // The record type of records that have none is no record.
        None if &*field.name == "RecordTypeId" => Ok(()),
        Some(_) => Err(of_field(
            "ENTITY_IS_DELETED",
            "entity is deleted".into(),
            field,
        )),
        None => Err(of_field(
            "INVALID_CROSS_REFERENCE_KEY",
            format!("invalid cross reference id: {text}"),
            field,
        )),
    }
}
