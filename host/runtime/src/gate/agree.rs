//! What was announced must be what is sent: a person who is asked sees the announcement, and so does the log.

use http::header::CONTENT_TYPE;
use portcullis_policy::{Agreement, Change, Effect, SentChange, agree as compare};

use super::GateFailure;
use super::complete::Complete;
use super::failure::name;
use super::ticket::Announced;
use crate::reply::RefusalCode;

/// A request whose announcement was compared with it.
#[derive(Debug)]
pub(super) struct Agreed {
    pub(super) request: Complete,
    /// Empty for a read.
    pub(super) changes: Vec<Change>,
    /// What was found of them in the request.
    pub(super) agreement: Agreement,
    /// How many records it changes.
    pub(super) records: usize,
}

/// Compares the announcement with the request.
pub(super) fn agree(announced: Announced) -> Result<Agreed, GateFailure> {
    let Announced {
        request,
        changes,
        records,
    } = announced;
    let head = &request.head;
    if head.effect == Effect::Read {
        return Ok(Agreed {
            request,
            changes,
            agreement: Agreement::default(),
            records,
        });
    }
    let content_type = head.headers.get(CONTENT_TYPE);
    let sent = SentChange {
        kind: head.kind.as_deref(),
        id: head.names.id.as_deref(),
        kinds_at: &head.names.kinds_at,
        fields_at: head.names.fields_at.as_ref(),
        ids_at: &head.names.ids_at,
        key: head
            .names
            .key
            .as_ref()
            .map(|(field, value)| (field.as_str(), value.as_str())),
        token_at: head.token_at.as_ref(),
        path: &head.path,
        content_type: content_type.and_then(|value| value.to_str().ok()),
        body: &request.body,
    };
    let agreement = compare(&changes, &sent).map_err(|disagreement| {
        let what = name(head.method, &head.route);
        GateFailure::refused(
            RefusalCode::Announcement,
            format!(
                "the connector's `{what}` is not what it announced: {disagreement}; this is a defect of the connector"
            ),
        )
    })?;
    Ok(Agreed {
        request,
        changes,
        agreement,
        records,
    })
}
