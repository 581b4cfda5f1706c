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
use crate::store::Record;
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
