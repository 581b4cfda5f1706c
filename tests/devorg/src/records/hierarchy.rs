//! Records above one another: an account's parent, a contact's superior, a user's manager.

use std::collections::HashSet;

use crate::error::ApiError;
use crate::id::Id;
use crate::org::Org;
use crate::schema::Object;
use crate::store::Record;

/// The fields that put a record below another of its object.
const UPWARD: [&str; 3] = ["ParentId", "ReportsToId", "ManagerId"];

/// Refuses a record that would be above itself; `old` is the one that it replaces.
///
/// # Errors
///
/// `CIRCULAR_DEPENDENCY`.
pub(super) fn check(
    org: &Org,
    object: &Object,
    old: Option<&Record>,
    record: &Record,
) -> Result<(), ApiError> {
    for field in UPWARD {
        let own = object.field(field).is_some_and(|field| {
            field.reference_to.len() == 1 && *field.reference_to[0] == *object.name
        });
        let parent = record.reference(field).filter(|_| own);
        let same = old.is_some_and(|old| old.get(field) == record.get(field));
        if let Some(parent) = parent.filter(|_| !same)
            && reaches(org, &object.name, field, parent, record.id)
        {
            return Err(ApiError::bad_request(
                "CIRCULAR_DEPENDENCY",
                "attempt to violate hierarchy constraints",
            ));
        }
    }
    Ok(())
}

/// Says whether a record is another, or below it.
pub(super) fn reaches(org: &Org, object: &str, field: &str, from: Id, to: Id) -> bool {
    let mut seen = HashSet::new();
    let mut at = Some(from);
    while let Some(id) = at {
        if id == to {
            return true;
        }
        if !seen.insert(id) {
            return false;
        }
        at = org
            .store
            .get(object, id)
            .and_then(|record| record.reference(field));
    }
    false
}
