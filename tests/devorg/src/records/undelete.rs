//! Out of the recycle bin: a record with all that its deletion took along.

use std::collections::HashSet;

use super::{fill, hierarchy, lookup, rights, write};
use crate::error::ApiError;
use crate::id::Id;
use crate::org::{Org, Session};
use crate::store::{Emptied, Record};
use crate::value::Value;

/// Restores records, each with those that were deleted with it and the lookups that its deletion
/// emptied, as far as nobody has filled them since.
///
/// A record that only went along with another comes back with that one. The losers of a merge come
/// back without what had been theirs.
///
/// Each result is the id of a record, or its error: `UNDELETE_FAILED`, `MALFORMED_ID`,
/// `INVALID_CROSS_REFERENCE_KEY`, `INSUFFICIENT_ACCESS_OR_READONLY` or `DUPLICATE_VALUE`.
pub(crate) fn undelete(
    org: &mut Org,
    session: &Session,
    ids: &[String],
) -> Vec<Result<Id, ApiError>> {
    ids.iter()
        .map(|id| org.transaction(|org| restore(org, session, id)))
        .collect()
}

fn restore(org: &mut Org, session: &Session, text: &str) -> Result<Id, ApiError> {
    let (object, record) = lookup::even_deleted(org, session, text)?;
    let id = record.id;
    let in_bin = record
        .deletion
        .as_ref()
        .is_some_and(|deletion| deletion.with.is_none());
    if !record.deleted || !in_bin || !object.undeletable {
        return Err(failed("entity is not in the recycle bin"));
    }
    rights::check_undelete(org, session, record)?;
    let mut group = Group::default();
    group.add(id);
    taken_along(org, id, id, &mut group);
    let at = org.tick();
    let mut emptied = Vec::new();
    for id in &group.ids {
        emptied.extend(put_back(org, session, *id, &group, at)?);
    }
    for (parent, lookup) in emptied {
        refill(org, parent, &lookup);
    }
    Ok(id)
}

/// The records that come back together.
#[derive(Default)]
struct Group {
    /// In the order in which they come back.
    ids: Vec<Id>,
    members: HashSet<Id>,
}

impl Group {
    /// Adds a record, and says whether it is new.
    fn add(&mut self, id: Id) -> bool {
        let new = self.members.insert(id);
        if new {
            self.ids.push(id);
        }
        new
    }
}

/// Adds the records below `id` that the deletion of `root` took along.
fn taken_along(org: &Org, id: Id, root: Id, group: &mut Group) {
    let Some((object, _)) = org.find(id) else {
        return;
    };
    let owning = object
        .child_relationships
        .iter()
        .filter(|child| child.cascade_delete);
    for child in owning {
        for record in org.store.children(&child.child_object, &child.field, id) {
            let with = record.deletion.as_ref().and_then(|deletion| deletion.with);
            if with == Some(root) && group.add(record.id) {
                taken_along(org, record.id, root, group);
            }
        }
    }
}

/// Takes one record out of the recycle bin, and gives the lookups that its deletion emptied.
fn put_back(
    org: &mut Org,
    session: &Session,
    id: Id,
    group: &Group,
    at: jiff::Timestamp,
) -> Result<Vec<(Id, Emptied)>, ApiError> {
    let schema = org.schema.clone();
    let Some((name, old)) = org
        .find(id)
        .map(|(object, record)| (object.name.clone(), record.clone()))
    else {
        return Ok(Vec::new());
    };
    let Some(object) = schema.object(&name) else {
        return Ok(Vec::new());
    };
    let mut record = Record {
        deleted: false,
        deletion: None,
        ..old.clone()
    };
    record.values.insert("IsDeleted".into(), false.into());
    if object.field("MasterRecordId").is_some() {
        record.values.insert("MasterRecordId".into(), Value::Null);
    }
    // What has been deleted since cannot be referred to.
    for field in object
        .fields
        .iter()
        .filter(|field| !field.reference_to.is_empty())
    {
        let gone = record
            .reference(&field.name)
            .filter(|parent| !group.members.contains(parent))
            .and_then(|parent| org.find(parent))
            .is_some_and(|(_, parent)| parent.deleted);
        if gone && !field.nillable {
            return Err(failed(&format!(
                "{}: the record that it belongs to is deleted",
                field.label
            )));
        }
        if gone {
            record.values.insert(field.name.clone(), Value::Null);
        }
    }
    write::check_unique(org, session, object, Some(&old), &record)?;
    fill::audit(object, &mut record, session.user_id, at, false);
    org.store.put(record.clone());
    fill::roll_up(org, Some(&old), &record);
    let deletion = old.deletion.unwrap_or_default();
    let emptied = deletion.emptied.into_iter();
    Ok(emptied.map(|lookup| (id, lookup)).collect())
}

/// Fills a lookup that is still empty.
fn refill(org: &mut Org, parent: Id, lookup: &Emptied) {
    let Some(old) = org.find(lookup.child).map(|(_, record)| record.clone()) else {
        return;
    };
    let circular = hierarchy::reaches(org, &old.object, &lookup.field, parent, old.id);
    if circular || !old.get(&lookup.field).is_null() {
        return;
    }
    let mut record = old.clone();
    record.values.insert(lookup.field.clone(), parent.into());
    org.store.put(record.clone());
    fill::roll_up(org, Some(&old), &record);
}

fn failed(message: &str) -> ApiError {
    ApiError::bad_request("UNDELETE_FAILED", message)
}
