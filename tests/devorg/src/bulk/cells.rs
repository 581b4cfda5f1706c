//! Columns and cells of a job that writes: which field a column is, and what a cell says.

use csv::StringRecord;
use serde_json::{Map, Value as Json};

use crate::error::ApiError;
use crate::id::Id;
use crate::org::{Org, Session};
use crate::records::{self, Key};
use crate::schema::{Field, FieldType, Object, Schema};

/// What a cell holds to say that there is no value; an empty one says nothing.
const NO_VALUE: &str = "#N/A";

/// What a column is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Column<'s> {
    /// A field.
    Own(&'s Field),
    /// A field of a parent by which the parent is found: `Account.External_Key__c`.
    Parent {
        /// The reference that is written.
        reference: &'s Field,
        /// The parent's object.
        object: &'s Object,
        /// The parent's field.
        key: &'s Field,
    },
}

/// Finds what the columns of a header are.
///
/// # Errors
///
/// What the job says of itself when a column is nothing.
pub(super) fn columns<'s>(
    schema: &'s Schema,
    object: &'s Object,
    header: &StringRecord,
) -> Result<Vec<Column<'s>>, String> {
    let mut columns = Vec::with_capacity(header.len());
    for name in header {
        columns.push(column(schema, object, name.trim())?);
    }
    Ok(columns)
}

fn column<'s>(schema: &'s Schema, object: &'s Object, name: &str) -> Result<Column<'s>, String> {
    let unknown = || format!("InvalidBatch : Field name not found : {name}");
    let Some((relationship, key)) = name.rsplit_once('.') else {
        return object.field(name).map(Column::Own).ok_or_else(unknown);
    };
    let (kind, relationship) = match relationship.split_once(':') {
        Some((kind, relationship)) => (Some(kind), relationship),
        None => (None, relationship),
    };
    let reference = object.relationship(relationship).ok_or_else(unknown)?;
    let parent = match (kind, reference.reference_to.as_slice()) {
        (None, [parent]) => parent,
        (Some(_), [_]) => {
            return Err(format!(
                "InvalidBatch : type is not needed for non polymorphic foreign key references: {relationship}"
            ));
        }
        (None, _) => {
            return Err(format!(
                "InvalidBatch : type is needed for polymorphic foreign key references: {relationship}"
            ));
        }
        (Some(kind), several) => several
            .iter()
            .find(|known| known.eq_ignore_ascii_case(kind))
            .ok_or_else(unknown)?,
    };
    let parent = schema.object(parent).ok_or_else(unknown)?;
    let key = parent
        .field(key)
        .filter(|key| key.external_id || key.id_lookup)
        .ok_or_else(unknown)?;
    Ok(Column::Parent {
        reference,
        object: parent,
        key,
    })
}

/// Reads a row as the JSON of a record; `skipped` is the column that says which record it is.
///
/// # Errors
///
/// `INVALID_FIELD`: a parent is not found. `INVALID_TYPE_ON_FIELD_IN_RECORD`: a cell is not of its
/// field's type.
pub(super) fn record(
    org: &Org,
    session: &Session,
    columns: &[Column<'_>],
    row: &StringRecord,
    skipped: Option<&str>,
) -> Result<Map<String, Json>, ApiError> {
    let mut record = Map::new();
    for (column, cell) in columns.iter().zip(row) {
        if cell.is_empty() {
            continue;
        }
        match column {
            Column::Own(field) if Some(&*field.name) == skipped => {}
            Column::Own(field) => {
                record.insert((*field.name).to_owned(), value(field, cell)?);
            }
            Column::Parent { reference, .. } if cell == NO_VALUE => {
                record.insert((*reference.name).to_owned(), Json::Null);
            }
            Column::Parent {
                reference,
                object,
                key,
            } => {
                let id = parent(org, session, object, key, cell)?;
                record.insert((*reference.name).to_owned(), Json::from(id.as_str()));
            }
        }
    }
    Ok(record)
}

/// Puts ids in the place of a record's parents, which JSON names as `"Account": {"Key__c": "x"}`.
///
/// # Errors
///
/// `INVALID_FIELD`: there is no such parent.
pub(super) fn resolve(
    org: &Org,
    session: &Session,
    object: &Object,
    record: &mut Map<String, Json>,
) -> Result<(), ApiError> {
    record.remove("attributes");
    let parents: Vec<String> = record
        .iter()
        .filter(|(_, value)| value.is_object())
        .map(|(name, _)| name.clone())
        .collect();
    for name in parents {
        let Some(Json::Object(keys)) = record.remove(&name) else {
            continue;
        };
        let kind = keys
            .get("attributes")
            .and_then(|attributes| attributes["type"].as_str());
        let mut keys = keys.iter().filter(|(key, _)| *key != "attributes");
        let found = keys.next().and_then(|(key, value)| {
            let path = match kind {
                Some(kind) => format!("{kind}:{name}.{key}"),
                None => format!("{name}.{key}"),
            };
            match column(session.schema(), object, &path).ok()? {
                Column::Parent {
                    reference,
                    object,
                    key,
                } => Some((reference, object, key, value.as_str()?)),
                Column::Own(_) => None,
            }
        });
        let (reference, parents, key, value) =
            found.ok_or_else(|| records::no_field(object, &name))?;
        let id = parent(org, session, parents, key, value)?;
        record.insert((*reference.name).to_owned(), Json::from(id.as_str()));
    }
    Ok(())
}

fn value(field: &Field, cell: &str) -> Result<Json, ApiError> {
    let value = match field.field_type {
        _ if cell == NO_VALUE => Json::Null,
        FieldType::Boolean => match cell.trim().to_ascii_lowercase().as_str() {
            "true" | "1" => Json::Bool(true),
            "false" | "0" => Json::Bool(false),
            _ => Json::from(cell),
        },
        _ => Json::from(cell),
    };
    if records::is_readable(field, &value) {
        return Ok(value);
    }
    let name = &field.name;
    let message = format!("{name}: value not of required type: {cell}");
    Err(ApiError::of_fields(
        "INVALID_TYPE_ON_FIELD_IN_RECORD",
        message,
        [(**name).to_owned()],
    ))
}

fn parent(
    org: &Org,
    session: &Session,
    object: &Object,
    key: &Field,
    cell: &str,
) -> Result<Id, ApiError> {
    match records::by_field(org, session, object, &key.name, cell) {
        Ok(Key::One(id)) => Ok(id),
        Ok(Key::Several(ids)) => Err(several(&ids)),
        Ok(Key::None) | Err(_) => {
            let message = format!(
                "Foreign key external ID: {cell} not found for field {} in entity {}",
                key.name, object.name
            );
            Err(ApiError::bad_request("INVALID_FIELD", message))
        }
    }
}

/// Makes the error of a key that several records have.
pub(super) fn several(ids: &[Id]) -> ApiError {
    let ids: Vec<&str> = ids.iter().map(Id::as_str).collect();
    let message = format!(
        "more than one record found for external id field: [{}]",
        ids.join(", ")
    );
    ApiError::bad_request("DUPLICATE_EXTERNAL_ID", message)
}

/// Writes an error as results have it: `CODE:message:fields --`.
pub(super) fn sentence(error: &ApiError) -> String {
    let fields = error.fields.join(",");
    match &*error.code {
        // A path names what is not there; a row refers to it.
        "NOT_FOUND" => "INVALID_CROSS_REFERENCE_KEY:invalid cross reference id:--".into(),
        code if fields.is_empty() => format!("{code}:{}:--", error.message),
        code => format!("{code}:{}:{fields} --", error.message),
    }
}
