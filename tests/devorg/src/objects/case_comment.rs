//! CaseComment: what people say about a case, to each other or to the customer.

use crate::schema::*;

pub(super) fn object() -> Object {
    let mut comment = crate::schema::object("CaseComment", "Case Comment", "Case Comments", "00a")
        .with([
            id("Case Comment ID"),
            reference("ParentId", "Parent ID", &["Case"])
                .standard()
                .create_only()
                .required(),
            checkbox("IsPublished", "Published").standard(),
            Field {
                nillable: true,
                ..long_text("CommentBody", "Body", 4_000).standard()
            },
        ])
        .with(audit())
        .with([is_deleted()]);
    comment.undeletable = false;
    comment.layoutable = false;
    comment.mru_enabled = false;
    comment
}
