//! Several records of one object made one: the master keeps its values, gets the others' children,
//! and the others go to the recycle bin with `MasterRecordId` saying where they went.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::convert::{self, Purpose};
use super::derive::set;
use super::{WriteOptions, fill, hierarchy, lookup, rights, write};
use crate::approvals;
use crate::error::ApiError;
use crate::id::Id;
use crate::org::{Org, Session};
use crate::schema::Object;

/// The objects whose records can be merged.
const OBJECTS: [&str; 4] = ["Account", "Case", "Contact", "Lead"];
/// The records that a request merges into its master.
const VICTIMS_MAX: usize = 2;

/// What to merge.
#[derive(Debug, Clone)]
pub(crate) struct MergeRequest {
    /// The name of the records' object.
    pub(crate) object: String,
    /// The record that stays.
    pub(crate) master_id: String,
    /// The values that the master gets, such as those that the others have and it lacks.
    pub(crate) values: Map<String, Json>,
    /// The one or two records that go.
    pub(crate) record_to_merge_ids: Vec<String>,
}

/// What was merged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MergeResult {
    /// The record that stayed.
    pub(crate) id: Id,
    /// Those that went.
    pub(crate) merged_record_ids: Vec<Id>,
    /// The records that belonged to those and now belong to the master.
    pub(crate) updated_related_ids: Vec<Id>,
}

/// Merges up to three records.
///
/// # Errors
///
/// `INVALID_TYPE`, `MISSING_ARGUMENT`, `LIMIT_EXCEEDED`, `MALFORMED_ID`,
/// `INVALID_CROSS_REFERENCE_KEY`, `ENTITY_IS_DELETED`, `CANNOT_UPDATE_CONVERTED_LEAD`,
/// `CIRCULAR_DEPENDENCY`, `INSUFFICIENT_ACCESS_OR_READONLY`, and what the schema or a rule refuses of the master's values.
pub(crate) fn merge(
    org: &mut Org,
    session: &Session,
    request: &MergeRequest,
) -> Result<MergeResult, ApiError> {
    let object = session
        .schema()
        .object(&request.object)
        .filter(|object| OBJECTS.contains(&&*object.name))
        .ok_or_else(|| {
            let message = format!("merge is not supported for type: {}", request.object);
            ApiError::bad_request("INVALID_TYPE", message)
        })?;
    let master = of_object(org, session, object, &request.master_id)?;
    let victims = victims(org, session, object, master, &request.record_to_merge_ids)?;
    for victim in &victims {
        rights::check_delete(org, session, object, *victim)?;
        approvals::check_unlocked(org, session, *victim)?;
    }
    org.transaction(|org| {
        let values = convert::values(
            org,
            session,
            object,
            &request.values,
            Purpose::Change(master),
        )?;
        // Whoever merges knows of the duplicates.
        let options = WriteOptions {
            allow_duplicates: true,
            ..WriteOptions::default()
        };
        let mut updated_related_ids = Vec::new();
        for victim in &victims {
            updated_related_ids.extend(reparent(org, session, object, *victim, master)?);
        }
        let at = org.tick();
        for victim in &victims {
            fill::delete(org, *victim, session.user_id, at);
            if let Some(record) = org.store.get(&object.name, *victim) {
                let mut record = record.clone();
                set(&mut record, "MasterRecordId", master);
                org.store.put(record);
            }
        }
        // Last, so that the master may take a unique value over.
        write::update_values(org, session, object, master, values, &options)?;
        updated_related_ids.sort();
        updated_related_ids.dedup();
        Ok(MergeResult {
            id: master,
            merged_record_ids: victims.clone(),
            updated_related_ids,
        })
    })
}

/// Finds a record that can take part.
fn of_object(org: &Org, session: &Session, object: &Object, text: &str) -> Result<Id, ApiError> {
    let record = lookup::to_write_of(org, session, object, text)?;
    if record.get("IsConverted").as_bool() == Some(true) {
        return Err(write::converted_lead());
    }
    Ok(record.id)
}

fn victims(
    org: &Org,
    session: &Session,
    object: &Object,
    master: Id,
    texts: &[String],
) -> Result<Vec<Id>, ApiError> {
    if texts.is_empty() {
        return Err(ApiError::bad_request(
            "MISSING_ARGUMENT",
            "recordToMergeIds not specified",
        ));
    }
    if texts.len() > VICTIMS_MAX {
        let message = format!("cannot merge more than {VICTIMS_MAX} records into the master");
        return Err(ApiError::bad_request("LIMIT_EXCEEDED", message));
    }
    let mut victims = Vec::new();
    for text in texts {
        let id = of_object(org, session, object, text)?;
        if id == master || victims.contains(&id) {
            let message = format!("a record is named twice: {id}");
            return Err(ApiError::bad_request("INVALID_ID_FIELD", message));
        }
        victims.push(id);
    }
    Ok(victims)
}

/// Gives the children of a record to another, and their ids.
fn reparent(
    org: &mut Org,
    session: &Session,
    object: &Object,
    from: Id,
    to: Id,
) -> Result<Vec<Id>, ApiError> {
    let schema = org.schema.clone();
    // Also those that the user does not see.
    let whole = schema.object(&object.name).unwrap_or(object);
    let moves: Vec<(Arc<str>, Arc<str>, Id)> = whole
        .child_relationships
        .iter()
        .flat_map(|child| {
            org.store
                .children(&child.child_object, &child.field, from)
                .map(|record| (record.object.clone(), child.field.clone(), record.id))
        })
        .collect();
    let at = org.tick();
    let mut moved = Vec::new();
    for (name, field, id) in moves {
        let child = schema.object(&name).zip(org.store.get(&name, id).cloned());
        let Some((child, old)) = child else {
            continue;
        };
        if name == object.name && hierarchy::reaches(org, &name, &field, to, id) {
            return Err(ApiError::bad_request(
                "CIRCULAR_DEPENDENCY",
                "attempt to violate hierarchy constraints",
            ));
        }
        let values = fill::Values::from([(field, to.into())]);
        fill::update(org, child, &old, values, session.user_id, at);
        // What the user does not see is moved, and not named.
        if !old.deleted && session.may_read(org, &old) {
            moved.push(id);
        }
    }
    Ok(moved)
}
