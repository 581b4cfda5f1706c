//! Files: what Salesforce asks of them and fills in, over and above what the schema says.
//!
//! Nobody makes a document: a version without one makes it, with a link to its owner and to where
//! it is first published. *Object Reference*, "ContentVersion", "ContentDocument" and
//! "ContentDocumentLink".

use jiff::Timestamp;
use md5::{Digest, Md5};
use serde_json::Value as Json;

use super::convert::required;
use super::derive::set;
use super::fill::{self, Values};
use crate::error::ApiError;
use crate::id::Id;
use crate::objects::file_type;
use crate::org::Org;
use crate::schema::{Field, Object};
use crate::store::Record;
use crate::value::Value;

/// What a document has in common with its latest version.
const SHARED: [&str; 3] = ["Title", "Description", "OwnerId"];

/// Says whether the org gives a new record's field a value although a describe does not say so.
pub(super) fn fills_in(object: &Object, field: &Field) -> bool {
    &*object.name == "ContentVersion"
        && matches!(
            &*field.name,
            "ContentDocumentId" | "Title" | "SharingOption" | "SharingPrivacy"
        )
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
    let path = values.get("PathOnClient").and_then(Value::as_text);
    let title = path.map(|path| Value::text(stem(file_name(path))));
    if let (true, Some(title)) = (empty(values, "Title"), title) {
        values.insert("Title".into(), title);
    }
    Ok(())
}

fn size(data: &Value) -> u64 {
    data.as_blob().map_or(0, |bytes| bytes.len() as u64)
}

fn complete_link(org: &Org, values: &mut Values) -> Result<(), ApiError> {
    let of = |name: &str| values.get(name).and_then(Value::as_text);
    let (Some(document), Some(entity)) = (
        of("ContentDocumentId").and_then(Id::parse),
        of("LinkedEntityId").and_then(Id::parse),
    ) else {
        return Ok(()); // The schema requires both.
    };
    let integrity = |message: String, field: &str| {
        ApiError::of_fields("FIELD_INTEGRITY_EXCEPTION", message, [field.to_owned()])
    };
    let share = of("ShareType").ok_or_else(|| required(vec!["ShareType".to_owned()]))?;
    // Rights to a file are inferred from a record, and given to a person.
    let person = entity.prefix() == "005";
    if (person && share == "I") || (!person && share == "C") {
        return Err(integrity(
            format!("Invalid sharing type {share}"),
            "ShareType",
        ));
    }
    let visibility = of("Visibility").unwrap_or("AllUsers");
    if (visibility == "SharedUsers") != person && visibility != "AllUsers" {
        return Err(integrity(
            format!("Invalid visibility {visibility}"),
            "Visibility",
        ));
    }
    let frozen = org
        .find(document)
        .is_some_and(|(_, document)| document.get("SharingOption").as_text() == Some("R"));
    if frozen {
        let message = "Sharing of this file is frozen".to_owned();
        return Err(integrity(message, "ContentDocumentId"));
    }
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
/// `STORAGE_LIMIT_EXCEEDED`.
pub(super) fn check_change(org: &Org, record: &Record, values: &Values) -> Result<(), ApiError> {
    if &*record.object != "ContentVersion" {
        return Ok(());
    }
    if record.get("IsLatest").as_bool() != Some(true) {
        return Err(ApiError::bad_request(
            "INSUFFICIENT_ACCESS_OR_READONLY",
            "insufficient access rights on object id",
        ));
    }
    let replaced = size(record.get("VersionData"));
    org.check_room_for_file(values.get("VersionData").map_or(0, size), replaced)
}

/// Gives a version the fields that its name, its bytes and its document say.
pub(super) fn derive_version(org: &Org, old: Option<&Record>, record: &mut Record, at: Timestamp) {
    let text = |record: &Record, name: &str| record.get(name).as_text().map(str::to_owned);
    let changed =
        |name: &str, record: &Record| old.is_none_or(|old| old.get(name) != record.get(name));
    if changed("VersionData", record) {
        let bytes = record.get("VersionData").as_blob().cloned();
        set(
            record,
            "ContentSize",
            bytes.as_ref().map_or(0, |bytes| bytes.len() as i64),
        );
        set(
            record,
            "Checksum",
            bytes.map(|bytes| hex(&Md5::digest(&bytes))),
        );
    }
    if SHARED
        .iter()
        .chain(&["VersionData"])
        .any(|name| changed(name, record))
    {
        let by = record.get("LastModifiedById").clone();
        set(record, "ContentModifiedById", by);
        if old.is_some() || record.get("ContentModifiedDate").is_null() {
            set(record, "ContentModifiedDate", at);
        }
    }
    if old.is_some() {
        return;
    }
    let path = text(record, "PathOnClient");
    let extension = path.as_deref().and_then(|path| extension(file_name(path)));
    let kind = match extension {
        _ if !record.get("ContentUrl").is_null() => "LINK",
        Some(extension) => file_type(extension),
        None => "UNKNOWN",
    };
    set(record, "FileType", kind);
    set(record, "FileExtension", extension);
    set(record, "IsLatest", true);
    let document = record.reference("ContentDocumentId");
    let siblings = document.map_or(0, |document| {
        org.store
            .children("ContentVersion", "ContentDocumentId", document)
            .count()
    });
    set(record, "VersionNumber", (siblings + 1).to_string());
    let owner = record.get("OwnerId").clone();
    let first = latest(org, document);
    let first_published = match first {
        Some(first) => first.get("FirstPublishLocationId").clone(),
        None => record.get("FirstPublishLocationId").clone(),
    };
    let place = if first_published.is_null() {
        owner.clone()
    } else {
        first_published
    };
    // What only its owner has is in a personal library.
    set(
        record,
        "PublishStatus",
        if place == owner { "R" } else { "P" },
    );
    set(record, "FirstPublishLocationId", place);
}

fn latest(org: &Org, document: Option<Id>) -> Option<&Record> {
    let document = org.store.get("ContentDocument", document?)?;
    org.store.get(
        "ContentVersion",
        document.reference("LatestPublishedVersionId")?,
    )
}

/// Brings the document of a new version, and the other versions, up to date.
pub(super) fn made(org: &mut Org, record: &Record, by: Id, at: Timestamp) {
    if &*record.object != "ContentVersion" {
        return;
    }
    match record.reference("ContentDocumentId") {
        Some(document) => supersede(org, document, record),
        None => make_document(org, record, by, at),
    }
}

fn make_document(org: &mut Org, version: &Record, by: Id, at: Timestamp) {
    let schema = org.schema.clone();
    let (Some(documents), Some(owner)) = (
        schema.object("ContentDocument"),
        version.reference("OwnerId"),
    ) else {
        return; // The schema has documents, and every version has an owner.
    };
    let values =
        ["SharingOption", "SharingPrivacy"].map(|name| (name.into(), version.get(name).clone()));
    let document = fill::insert(org, documents, Values::from(values), by, at);
    let mut version = version.clone();
    set(&mut version, "ContentDocumentId", document);
    org.store.put(version.clone());
    supersede(org, document, &version);
    link(org, document, owner, by, at);
    match version.reference("FirstPublishLocationId") {
        Some(place) if place != owner => link(org, document, place, by, at),
        _ => {}
    }
}

/// Links a document as the org does by itself: rights are inferred.
fn link(org: &mut Org, document: Id, entity: Id, by: Id, at: Timestamp) {
    let schema = org.schema.clone();
    let Some(links) = schema.object("ContentDocumentLink") else {
        return;
    };
    let values: [(&str, Value); 4] = [
        ("ContentDocumentId", document.into()),
        ("LinkedEntityId", entity.into()),
        ("ShareType", "I".into()),
        ("Visibility", "AllUsers".into()),
    ];
    let values = values.map(|(name, value)| (name.into(), value));
    fill::insert(org, links, Values::from(values), by, at);
}

/// Makes a version the latest of its document, which takes over what the version says.
fn supersede(org: &mut Org, document: Id, version: &Record) {
    let older: Vec<Record> = org
        .store
        .children("ContentVersion", "ContentDocumentId", document)
        .filter(|other| other.id != version.id && other.get("IsLatest").as_bool() == Some(true))
        .cloned()
        .collect();
    for mut older in older {
        set(&mut older, "IsLatest", false);
        org.store.put(older);
    }
    let Some(mut document) = org.store.get("ContentDocument", document).cloned() else {
        return;
    };
    let taken = [
        "PublishStatus",
        "ContentSize",
        "FileType",
        "FileExtension",
        "ContentModifiedDate",
        "LastModifiedDate",
        "LastModifiedById",
        "SystemModstamp",
    ];
    for name in taken.into_iter().chain(SHARED) {
        document
            .values
            .insert(name.into(), version.get(name).clone());
    }
    set(&mut document, "LatestPublishedVersionId", version.id);
    org.store.put(document);
}

/// Carries a change over to the document of a version, or to the latest version of a document.
pub(super) fn changed(org: &mut Org, old: &Record, record: &Record, by: Id, at: Timestamp) {
    let (document, other) = match &*record.object {
        "ContentVersion" => {
            let Some(document) = record.reference("ContentDocumentId") else {
                return;
            };
            supersede(org, document, record);
            (document, None)
        }
        "ContentDocument" => (record.id, latest(org, Some(record.id)).cloned()),
        _ => return,
    };
    if let Some(mut version) = other {
        for name in SHARED {
            version.values.insert(name.into(), record.get(name).clone());
        }
        org.store.put(version);
    }
    // A new owner has the link that the old one had.
    let owners = (old.reference("OwnerId"), record.reference("OwnerId"));
    let (Some(before), Some(after)) = owners else {
        return;
    };
    if before == after {
        return;
    }
    let links: Vec<(Id, Option<Id>)> = org
        .store
        .children("ContentDocumentLink", "ContentDocumentId", document)
        .filter(|link| !link.deleted)
        .map(|link| (link.id, link.reference("LinkedEntityId")))
        .collect();
    for (id, _) in links
        .iter()
        .filter(|(_, to)| *to == Some(before) || *to == Some(after))
    {
        fill::delete(org, *id, by, at);
    }
    link(org, document, after, by, at);
}

/// Gives the name at the end of a path, of whichever system.
fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// Gives what is behind the last dot of a name.
fn extension(name: &str) -> Option<&str> {
    let (stem, extension) = name.rsplit_once('.')?;
    // No longer than its field takes.
    let fits = (1..=40).contains(&extension.chars().count());
    (!stem.is_empty() && fits).then_some(extension)
}

fn stem(name: &str) -> String {
    let stem = match extension(name) {
        Some(extension) => name
            .strip_suffix(extension)
            .unwrap_or(name)
            .trim_end_matches('.'),
        None => name,
    };
    stem.chars().take(255).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

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
