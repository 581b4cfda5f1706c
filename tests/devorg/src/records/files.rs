//! Files: what Salesforce asks of them, over and above what the schema says.
//!
//! *Object Reference*, "ContentVersion", "ContentDocument" and "ContentDocumentLink".

use serde_json::Value as Json;

use super::convert::required;
use super::fill::Values;
use crate::error::ApiError;
use crate::id::Id;
use crate::org::Org;
use crate::schema::{Field, Object};
use crate::store::{Record, Store};
use crate::value::Value;

/// Says whether the org gives a new record's field a value although a describe does not say so.
pub(super) fn fills_in(object: &Object, field: &Field) -> bool {
    &*object.name == "ContentVersion" && matches!(&*field.name, "ContentDocumentId" | "Title")
}

/// Gives the address of a field's bytes, or null where there are none.
pub(crate) fn data_url(base: &str, record: &Record, field: &str) -> Json {
    match record.get(field) {
        Value::Blob(_) => {
            let (object, id) = (&record.object, record.id);
            Json::from(format!("{base}/sobjects/{object}/{id}/{field}"))
        }
        _ => Json::Null,
    }
}

/// Gives the bytes at an address that [`data_url`] gave, unless they are gone.
pub(crate) fn data_at<'s>(store: &'s Store, address: &str) -> Option<&'s [u8]> {
    let mut parts = address.rsplit('/');
    let (field, id, object) = (parts.next()?, parts.next()?, parts.next()?);
    let record = store.get(object, Id::parse(id)?)?;
    record.get(field).as_blob().map(|bytes| &bytes[..])
}

/// Checks the values of a new record, and adds those that follow from others.
///
/// # Errors
///
/// `REQUIRED_FIELD_MISSING`, `STORAGE_LIMIT_EXCEEDED`, `INVALID_FIELD_FOR_INSERT_UPDATE`,
/// `FIELD_INTEGRITY_EXCEPTION` or `DUPLICATE_VALUE`.
pub(super) fn complete(org: &Org, object: &Object, values: &mut Values) -> Result<(), ApiError> {
    match &*object.name {
        "ContentVersion" => complete_version(org, values),
        "ContentDocumentLink" => complete_link(org, values),
        _ => Ok(()),
    }
}

fn complete_version(org: &Org, values: &mut Values) -> Result<(), ApiError> {
    let empty = |values: &Values, name: &str| values.get(name).is_none_or(Value::is_null);
    // A link is an address; anything else has a name and bytes.
    if empty(values, "ContentUrl") {
        let missing: Vec<String> = ["PathOnClient", "VersionData"]
            .into_iter()
            .filter(|name| empty(values, name))
            .map(str::to_owned)
            .collect();
        if !missing.is_empty() {
            return Err(required(missing));
        }
    } else if empty(values, "Title") {
        return Err(required(vec!["Title".to_owned()]));
    }
    if !empty(values, "ContentDocumentId") && !empty(values, "FirstPublishLocationId") {
        let name = "FirstPublishLocationId".to_owned();
        let message = format!(
            "Unable to create/update fields: {name}. Please check the security settings of this field and verify that \
             it is read/write for your profile or permission set."
        );
        return Err(ApiError::of_fields(
            "INVALID_FIELD_FOR_INSERT_UPDATE",
            message,
            [name],
        ));
    }
    org.check_room_for_file(values.get("VersionData").map_or(0, size), 0)?;
    // Whoever adds a version to a document does not become its owner.
    let document = values.get("ContentDocumentId").and_then(Value::as_text);
    let document = document
        .and_then(Id::parse)
        .and_then(|id| org.store.get("ContentDocument", id));
    if let (true, Some(document)) = (empty(values, "OwnerId"), document) {
        values.insert("OwnerId".into(), document.get("OwnerId").clone());
    }
    let path = values.get("PathOnClient").and_then(Value::as_text);
    let title = path.map(|path| Value::text(stem(file_name(path))));
    if let (true, Some(title)) = (empty(values, "Title"), title) {
        values.insert("Title".into(), title);
    }
    Ok(())
}

/// Finds the document that a version says it is of.
pub(super) fn document<'o>(org: &'o Org, version: &Record) -> Option<&'o Record> {
    if &*version.object != "ContentVersion" {
        return None;
    }
    let document = version.reference("ContentDocumentId")?;
    org.store.get("ContentDocument", document)
}

fn size(data: &Value) -> u64 {
    data.as_blob().map_or(0, |bytes| bytes.len() as u64)
}

fn integrity(message: String, field: &str) -> ApiError {
    ApiError::of_fields("FIELD_INTEGRITY_EXCEPTION", message, [field.to_owned()])
}

fn is_person(entity: Id) -> bool {
    entity.prefix() == "005"
}

/// Checks how a file is shared: rights to it are inferred from a record, and given to a person.
fn check_share_type(entity: Id, share: &str) -> Result<(), ApiError> {
    let never = if is_person(entity) { "I" } else { "C" };
    if share == never {
        let message = format!("Invalid sharing type {share}");
        return Err(integrity(message, "ShareType"));
    }
    Ok(())
}

fn check_visibility(entity: Id, visibility: &str) -> Result<(), ApiError> {
    if (visibility == "SharedUsers") != is_person(entity) && visibility != "AllUsers" {
        let message = format!("Invalid visibility {visibility}");
        return Err(integrity(message, "Visibility"));
    }
    Ok(())
}

fn check_not_frozen(org: &Org, document: Id) -> Result<(), ApiError> {
    let document = org.store.get("ContentDocument", document);
    if document.is_some_and(|document| document.get("SharingOption").as_text() == Some("R")) {
        let message = "Sharing of this file is frozen".to_owned();
        return Err(integrity(message, "ContentDocumentId"));
    }
    Ok(())
}

fn complete_link(org: &Org, values: &mut Values) -> Result<(), ApiError> {
    let of = |name: &str| values.get(name).and_then(Value::as_text);
    let (Some(document), Some(entity)) = (
        of("ContentDocumentId").and_then(Id::parse),
        of("LinkedEntityId").and_then(Id::parse),
    ) else {
        return Ok(()); // The schema requires both.
    };
    let share = of("ShareType").ok_or_else(|| required(vec!["ShareType".to_owned()]))?;
    check_share_type(entity, share)?;
    let visibility = of("Visibility").unwrap_or("AllUsers");
    check_visibility(entity, visibility)?;
    check_not_frozen(org, document)?;
    let linked = org
        .store
        .children("ContentDocumentLink", "ContentDocumentId", document)
        .any(|link| !link.deleted && link.reference("LinkedEntityId") == Some(entity));
    if linked {
        let message = format!(
            "Document with ID: {} is already linked with the entity with ID: {}",
            document.short(),
            entity.short()
        );
        return Err(ApiError::bad_request("DUPLICATE_VALUE", message));
    }
    let visibility = visibility.into();
    values.insert("Visibility".into(), visibility);
    Ok(())
}

/// Checks the change of a record.
///
/// # Errors
///
/// `INSUFFICIENT_ACCESS_OR_READONLY`: only a file's latest version is changed.
/// `STORAGE_LIMIT_EXCEEDED`. `FIELD_INTEGRITY_EXCEPTION`: a link that could not be made so.
pub(super) fn check_change(org: &Org, record: &Record, values: &Values) -> Result<(), ApiError> {
    match &*record.object {
        "ContentVersion" => check_version_change(org, record, values),
        "ContentDocumentLink" => check_link_change(org, record, values),
        _ => Ok(()),
    }
}

/// Checks what a link is changed to. What stays is good: an owner's rights are inferred.
fn check_link_change(org: &Org, link: &Record, values: &Values) -> Result<(), ApiError> {
    let new = |name: &str| {
        let value = values.get(name).filter(|value| *value != link.get(name));
        value.and_then(Value::as_text)
    };
    let (share, visibility) = (new("ShareType"), new("Visibility"));
    let (Some(document), Some(entity), true) = (
        link.reference("ContentDocumentId"),
        link.reference("LinkedEntityId"),
        share.is_some() || visibility.is_some(),
    ) else {
        return Ok(()); // Every link has both.
    };
    share.map_or(Ok(()), |share| check_share_type(entity, share))?;
    visibility.map_or(Ok(()), |visibility| check_visibility(entity, visibility))?;
    check_not_frozen(org, document)
}

fn check_version_change(org: &Org, record: &Record, values: &Values) -> Result<(), ApiError> {
    if record.get("IsLatest").as_bool() != Some(true) {
        return Err(ApiError::bad_request(
            "INSUFFICIENT_ACCESS_OR_READONLY",
            "insufficient access rights on object id",
        ));
    }
    let replaced = size(record.get("VersionData"));
    org.check_room_for_file(values.get("VersionData").map_or(0, size), replaced)
}

/// Gives the name at the end of a path, of whichever system.
pub(super) fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// Gives what is behind the last dot of a name.
pub(super) fn extension(name: &str) -> Option<&str> {
    let (stem, extension) = name.rsplit_once('.')?;
    // No longer than its field takes.
    let fits = (1..=40).contains(&extension.chars().count());
    (!stem.is_empty() && fits).then_some(extension)
}

pub(super) fn stem(name: &str) -> String {
    let stem = match extension(name) {
        Some(extension) => name
            .strip_suffix(extension)
            .unwrap_or(name)
            .trim_end_matches('.'),
        None => name,
    };
    stem.chars().take(255).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::file_type;

    #[test]
    fn a_path_is_taken_apart() {
        let cases = [
            (
                "/home/ada/Plan.v2.PDF",
                "Plan.v2.PDF",
                Some("PDF"),
                "Plan.v2",
                "PDF",
            ),
            (
                "C:\\notes\\todo.txt",
                "todo.txt",
                Some("txt"),
                "todo",
                "TEXT",
            ),
            ("README", "README", None, "README", "UNKNOWN"),
            (".profile", ".profile", None, ".profile", "UNKNOWN"),
            ("note.snote", "note.snote", Some("snote"), "note", "SNOTE"),
            ("end.", "end.", None, "end.", "UNKNOWN"),
        ];
        for (path, name, ext, title, kind) in cases {
            assert_eq!(file_name(path), name);
            assert_eq!(extension(name), ext, "{path}");
            assert_eq!(stem(name), title, "{path}");
            assert_eq!(ext.map_or("UNKNOWN", file_type), kind, "{path}");
        }
    }
}
