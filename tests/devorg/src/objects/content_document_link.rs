//! ContentDocumentLink: where a file is shared.

use super::FILE_PARENTS;
use crate::schema::*;

pub(super) fn object() -> Object {
    let mut link = crate::schema::object(
        "ContentDocumentLink",
        "Content Document Link",
        "Content Document Link",
        "06A",
    )
    .with([
        id("ContentDocumentLink ID"),
        reference("LinkedEntityId", "Linked Entity ID", &FILE_PARENTS)
            .standard()
            .required()
            .create_only(),
        reference(
            "ContentDocumentId",
            "ContentDocument ID",
            &["ContentDocument"],
        )
        .standard()
        .required()
        .create_only(),
        is_deleted(),
        datetime("SystemModstamp", "System Modstamp")
            .system()
            .required()
            .defaulted(),
        picklist(
            "ShareType",
            "Share Type",
            40,
            &["V=Viewer", "C=Collaborator", "I=Inferred"],
        )
        .restricted()
        .standard(),
        picklist(
            "Visibility",
            "Visibility",
            40,
            &[
                "AllUsers=All Users",
                "InternalUsers=Standard Users",
                "SharedUsers=Shared Users",
            ],
        )
        .standard(),
    ]);
    link.layoutable = false;
    link.mru_enabled = false;
    link.searchable = false;
    link.undeletable = false;
    link.replicateable = false;
    link
}
