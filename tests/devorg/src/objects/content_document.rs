//! ContentDocument: a file, whatever its versions are.

use super::content_version::{description, file, owned, published, sharing};
use crate::schema::*;

pub(super) fn object() -> Object {
    let [title, description] = [title(), description().update_only()];
    let mut document = crate::schema::object(
        "ContentDocument",
        "Content Document",
        "Content Documents",
        "069",
    )
    .owned_child(
        "ContentDocumentLink",
        "ContentDocumentId",
        "ContentDocumentLinks",
    )
    .owned_child("ContentVersion", "ContentDocumentId", "ContentVersions")
    .with([id("ContentDocument ID")])
    .with(audited())
    .with([
        checkbox("IsArchived", "Is Archived")
            .standard()
            .update_only(),
        reference("ArchivedById", "User ID", &["User"])
            .system()
            .parent("ArchivedBy"),
        date("ArchivedDate", "Archived Date").system(),
        is_deleted(),
        owned().update_only(),
        title,
        published(),
        reference(
            "LatestPublishedVersionId",
            "Latest Published Version ID",
            &["ContentVersion"],
        )
        .system(),
        reference("ParentId", "Parent ID", &["ContentWorkspace"])
            .standard()
            .update_only(),
    ])
    .with(last_seen())
    .with([description])
    .with(file())
    .with(sharing().map(|field| Field {
        nillable: true,
        ..field.update_only()
    }))
    .with([
        datetime("ContentModifiedDate", "Content Modified Date").system(),
        reference("ContentAssetId", "Asset File ID", &["ContentAsset"])
            .standard()
            .update_only(),
        checkbox("IsInternalOnly", "Is Internal Only")
            .standard()
            .update_only(),
    ]);
    document.createable = false;
    document.feed_enabled = true;
    document
}

fn title() -> Field {
    text("Title", "Title", 255)
        .standard()
        .required()
        .update_only()
        .lookup()
        .name()
}

/// Who made it and changed it last, in the order of this object's describe.
fn audited() -> [Field; 5] {
    let [created, created_by, modified, modified_by, stamp] = audit();
    [created_by, created, modified_by, modified, stamp]
}
