//! Whether who asks may write a record, apart from what its values are.
//!
//! What nobody may do is a mistake about the object; what this user may not is a want of rights.

use super::fill::Values;
use super::{files, not_writable};
use crate::access::Level;
use crate::error::ApiError;
use crate::id::Id;
use crate::org::{Org, Session};
use crate::schema::Object;
use crate::store::Record;

/// Makes the error of a record that the user sees and may not write.
pub(crate) fn insufficient() -> ApiError {
    ApiError::new(
        403,
        "INSUFFICIENT_ACCESS_OR_READONLY",
        "insufficient access rights on object id",
    )
}

/// Refuses to change a record that the user may not.
///
/// # Errors
///
/// `CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY` or `INSUFFICIENT_ACCESS_OR_READONLY`.
pub(super) fn check_change(org: &Org, session: &Session, record: &Record) -> Result<(), ApiError> {
    match org.schema.object(&record.object) {
        Some(whole) if !whole.updateable => Err(not_writable(whole, "updated")),
        _ if session.may_edit(org, record) => Ok(()),
        _ => Err(insufficient()),
    }
}

/// Refuses another owner from who may change a record and not give it away. The owner of a file's
/// version is its document's.
///
/// # Errors
///
/// `INSUFFICIENT_ACCESS_OR_READONLY`.
pub(super) fn check_owner(
    org: &Org,
    session: &Session,
    record: &Record,
    values: &Values,
) -> Result<(), ApiError> {
    let record = files::document(org, record).unwrap_or(record);
    let other = values
        .get("OwnerId")
        .is_some_and(|owner| owner != record.get("OwnerId"));
    if other && !session.may_transfer(org, record) {
        return Err(insufficient());
    }
    Ok(())
}

/// Refuses to delete a record that the user may not.
///
/// # Errors
///
/// `CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY` or `INSUFFICIENT_ACCESS_OR_READONLY`.
pub(super) fn check_delete(
    org: &Org,
    session: &Session,
    object: &Object,
    id: Id,
) -> Result<(), ApiError> {
    match org.schema.object(&object.name) {
        Some(whole) if !whole.deletable => return Err(not_writable(whole, "deleted")),
        _ => {}
    }
    match org.store.get(&object.name, id) {
        Some(record) if session.may_delete(org, record) => Ok(()),
        _ => Err(insufficient()),
    }
}

/// Refuses to take a record out of the recycle bin that the user could not have put there.
///
/// # Errors
///
/// `INSUFFICIENT_ACCESS_OR_READONLY`.
pub(super) fn check_undelete(
    org: &Org,
    session: &Session,
    record: &Record,
) -> Result<(), ApiError> {
    let object = session.schema().object(&record.object);
    let undeletable = object.is_some_and(|object| object.undeletable);
    if undeletable && session.may_delete(org, record) {
        return Ok(());
    }
    Err(insufficient())
}

/// Refuses a new detail of a record that the user may not change.
///
/// # Errors
///
/// `INSUFFICIENT_ACCESS_OR_READONLY`.
pub(super) fn check_parent(
    org: &Org,
    session: &Session,
    object: &Object,
    values: &Values,
) -> Result<(), ApiError> {
    let parent = session
        .access
        .parent_field(&object.name)
        .and_then(|field| values.get(field)?.as_text().and_then(Id::parse))
        .and_then(|parent| org.find(parent));
    match parent {
        Some((_, parent)) if session.access.level(org, parent) < Level::Edit => Err(insufficient()),
        _ => Ok(()),
    }
}
