//! A record as another org had it, made anew in this one.
//!
//! The schema's checks hold. Rights, an administrator's triggers and rules, and who may own a record
//! do not: the other org took the record, and its rules are not known here.

use jiff::Timestamp;
use serde_json::{Map, Value as Json};

use super::fill::{self, AUDIT, Values};
use super::{convert, files, no_field, not_writable, write};
use crate::error::ApiError;
use crate::id::Id;
use crate::org::Org;
use crate::schema::{Field, FieldType, Object};
use crate::value::Value;

/// What the stages of another org say, which no describe does. Stages that are this org's own say it
/// again.
const OF_STAGE: [&str; 3] = ["ForecastCategory", "IsClosed", "IsWon"];

/// What a value that is given to a field is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// The record has it.
    Taken,
    /// The org itself fills the field in, by a formula or otherwise.
    LeftOut,
}

/// Says what becomes of a value that is given to a field.
pub(crate) fn use_of(field: &Field) -> Use {
    let kept = field.createable
        || field.auto_number
        || AUDIT.contains(&&*field.name)
        || OF_STAGE.contains(&&*field.name);
    match kept && !field.calculated && !field.field_type.is_compound() {
        true => Use::Taken,
        false => Use::LeftOut,
    }
}

/// Checks that records of an object can be made at all.
///
/// # Errors
///
/// `CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY`.
pub(crate) fn check_object(object: &Object) -> Result<(), ApiError> {
    match object.createable && !object.key_prefix.is_empty() {
        true => Ok(()),
        false => Err(not_writable(object, "inserted")),
    }
}

/// Finds a field by the name that a record has for it.
///
/// # Errors
///
/// `INVALID_FIELD`.
pub(crate) fn field<'o>(object: &'o Object, name: &str) -> Result<&'o Field, ApiError> {
    object.field(name).ok_or_else(|| no_field(object, name))
}

/// Reads a value of a field that is no reference.
///
/// # Errors
///
/// A value that is none of the field's type, or that the field cannot have.
pub(crate) fn value(field: &Field, json: &Json) -> Result<Value, ApiError> {
    convert::restored(field, json)
}

/// Makes the error of a reference to a record that is nowhere.
pub(crate) fn no_record(field: &Field, text: &str) -> ApiError {
    let message = format!("invalid cross reference id: {text}");
    convert::of_field("INVALID_CROSS_REFERENCE_KEY", message, field)
}

/// Makes the error of a reference to a record of an object that the field does not refer to.
pub(crate) fn other_object(field: &Field, text: &str) -> ApiError {
    let message = format!("{}: id value of incorrect type: {text}", field.label);
    convert::of_field("MALFORMED_ID", message, field)
}

/// Finds the record type that a record names, as `sf` exports it: `"RecordType": {"Name": "…"}`.
///
/// # Errors
///
/// `INVALID_CROSS_REFERENCE_KEY`.
pub(crate) fn record_type(
    object: &Object,
    field: &Field,
    named: &Map<String, Json>,
) -> Result<Value, ApiError> {
    let text = |key: &str| named.get(key).and_then(Json::as_str);
    let (name, developer_name) = (text("Name"), text("DeveloperName"));
    let mut known = object.record_types.iter();
    let found = known
        .find(|known| Some(&*known.name) == name || Some(&*known.developer_name) == developer_name);
    match found {
        Some(found) if found.master => Ok(Value::Null),
        Some(found) => Ok(found.id.into()),
        None => {
            let text = name.or(developer_name).unwrap_or_default();
            Err(no_record(field, text))
        }
    }
}

/// Says whether a text is the id of the record type of records that have none.
pub(crate) fn is_master(object: &Object, field: &Field, text: &str) -> bool {
    let mut known = object.record_types.iter();
    &*field.name == "RecordTypeId"
        && known.any(|known| known.master && Id::parse(text) == Some(known.id))
}

/// Refuses a value that another record has, in a field of which each record has its own.
fn check_unique(org: &Org, object: &Object, values: &Values) -> Result<(), ApiError> {
    let unique = |field: &&Field| field.unique && field.field_type != FieldType::Id;
    for field in object.fields.iter().filter(unique) {
        let value = values.get(&field.name);
        let other = value.and_then(|value| super::having(org, object, field, value).next());
        if let Some(other) = other {
            let message = format!(
                "duplicate value found: {} duplicates value on record with id: {}",
                field.name, other.id
            );
            return Err(convert::of_field("DUPLICATE_VALUE", message, field));
        }
    }
    Ok(())
}

/// Makes a record of values that its fields can have.
///
/// # Errors
///
/// A value that is missing or that another record has, or what files must be like.
pub(crate) fn restore(
    org: &mut Org,
    object: &Object,
    id: Id,
    mut values: Values,
    (by, at): (Id, Timestamp),
) -> Result<(), ApiError> {
    files::complete(org, object, &mut values)?;
    let missing = write::missing(object, &values);
    if !missing.is_empty() {
        return Err(convert::required(missing));
    }
    check_unique(org, object, &values)?;
    fill::restore(org, object, id, values, by, at);
    Ok(())
}
