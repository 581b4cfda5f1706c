//! Versions of files: what follows from their names and bytes, and what becomes of their documents.
//!
//! Nobody makes a document: a version without one makes it, with a link to its owner and to where
//! it is first published.

use jiff::Timestamp;
use md5::{Digest, Md5};

use super::derive::set;
use super::files::{extension, file_name};
use super::fill::{self, Values};
use crate::id::Id;
use crate::objects::file_type;
use crate::org::Org;
use crate::store::Record;
use crate::value::Value;

/// What a document has in common with its latest version.
const SHARED: [&str; 3] = ["Title", "Description", "OwnerId"];

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
        Some(document) => {
            let before = org.store.get("ContentDocument", document);
            let before = before.and_then(|document| document.reference("OwnerId"));
            supersede(org, document, record);
            hand_over(org, document, before, record.reference("OwnerId"), by, at);
        }
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
    let before = old.reference("OwnerId");
    hand_over(org, document, before, record.reference("OwnerId"), by, at);
}

/// Gives the new owner of a document the link that the old one had.
fn hand_over(
    org: &mut Org,
    document: Id,
    before: Option<Id>,
    after: Option<Id>,
    by: Id,
    at: Timestamp,
) {
    let (Some(before), Some(after)) = (before, after) else {
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

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
