//! A record by its id alone, as calls for several records name it.
//!
//! Whoever sees only some of the records is kept from the others here and in [`super::by_id`].

use crate::error::ApiError;
use crate::id::Id;
use crate::org::{Org, Session};
use crate::schema::Object;
use crate::store::Record;

/// Finds a record that is not deleted, to change or delete it.
///
/// # Errors
///
/// `MALFORMED_ID`, `INVALID_CROSS_REFERENCE_KEY` or `ENTITY_IS_DELETED`.
pub(crate) fn to_write<'o>(
    org: &'o Org,
    session: &Session,
    text: &str,
) -> Result<(&'o Object, &'o Record), ApiError> {
    let (object, record) = even_deleted(org, session, text)?;
    if record.deleted {
        return Err(ApiError::new(404, "ENTITY_IS_DELETED", "entity is deleted"));
    }
    Ok((object, record))
}

/// Finds a record that the user sees, also in the recycle bin.
///
/// # Errors
///
/// `MALFORMED_ID` or `INVALID_CROSS_REFERENCE_KEY`.
pub(crate) fn even_deleted<'o>(
    org: &'o Org,
    session: &Session,
    text: &str,
) -> Result<(&'o Object, &'o Record), ApiError> {
    let id = parse(text)?;
    org.find(id)
        .filter(|(_, record)| session.may_read(org, record))
        .ok_or_else(|| {
            ApiError::bad_request("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
        })
}

/// Reads an id.
///
/// # Errors
///
/// `MALFORMED_ID`.
pub(crate) fn parse(text: &str) -> Result<Id, ApiError> {
    Id::parse(text)
        .ok_or_else(|| ApiError::bad_request("MALFORMED_ID", format!("malformed id {text}")))
}

/// Finds a record of an object that is to be written.
///
/// # Errors
///
/// As [`to_write`], and `MALFORMED_ID`: it is of another object.
pub(crate) fn to_write_of<'o>(
    org: &'o Org,
    session: &Session,
    object: &Object,
    text: &str,
) -> Result<&'o Record, ApiError> {
    let (of, record) = to_write(org, session, text)?;
    if of.name != object.name {
        return Err(incorrect_id(object, text));
    }
    Ok(record)
}

/// Makes the error of what is no id of a record of an object.
pub(crate) fn incorrect_id(object: &Object, text: &str) -> ApiError {
    incorrect_type(&format!("{} ID", object.label), "Id", text)
}

/// Makes the error of what is no id that a field, shown under a label, can hold.
pub(super) fn incorrect_type(label: &str, field: &str, text: &str) -> ApiError {
    let message = format!("{label}: id value of incorrect type: {text}");
    ApiError::of_fields("MALFORMED_ID", message, [field.to_owned()])
}
