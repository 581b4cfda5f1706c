//! Who may own a record: an active user, or a queue where the object can have one.

use super::files;
use crate::error::ApiError;
use crate::org::Org;
use crate::schema::Object;
use crate::store::Record;

/// Checks the owner of a record whose owner is new; `old` is the record that it replaces.
///
/// # Errors
///
/// `INACTIVE_OWNER_OR_USER`, or `INVALID_OPERATION` for a group that is no queue.
pub(super) fn check(
    org: &Org,
    object: &Object,
    old: Option<&Record>,
    record: &Record,
) -> Result<(), ApiError> {
    // A new version has the owner that its document already has.
    let before = old.or_else(|| files::document(org, record));
    if before.is_some_and(|before| before.get("OwnerId") == record.get("OwnerId")) {
        return Ok(());
    }
    let owner = record.reference("OwnerId").and_then(|id| org.find(id));
    let Some((kind, owner)) = owner else {
        return Ok(());
    };
    match &*kind.name {
        "User" if owner.get("IsActive").as_bool() != Some(true) => {
            let message = format!(
                "operation performed with inactive user [{}] as owner of {}",
                owner.id.short(),
                object.name.to_lowercase()
            );
            Err(ApiError::bad_request("INACTIVE_OWNER_OR_USER", message))
        }
        "Group" if owner.get("Type").as_text() != Some("Queue") => Err(ApiError::bad_request(
            "INVALID_OPERATION",
            "Queue not associated with this SObject type",
        )),
        _ => Ok(()),
    }
}
