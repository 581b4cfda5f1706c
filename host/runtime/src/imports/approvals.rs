//! `approvals`: the guest says what its next request changes, and gets the ticket for it.
//!
//! What it says is bounded: it is shown to a person, bound into a digest and written down. Nothing is cut, for what a person decides on
//! is whole; what is too long is refused.

use portcullis_policy::{Change, FieldChange};

use super::{NAME_BYTES_MAX, bounded, failure, unavailable};
use crate::bindings::contract::approvals::{self, Host};
use crate::bindings::contract::failures::{Failure, Reason};
use crate::linker::PortcullisCtxView;

/// Records that one request may change, and announcements of a call: more is no tool's business.
const CHANGES_MAX: usize = 200;
const FIELDS_MAX: usize = 1000;

/// Bytes of a place in a body, and of a label or an address.
const POINTER_BYTES_MAX: usize = 1 << 10;
const LABEL_BYTES_MAX: usize = 4 << 10;

/// Notes on one change.
const NOTES_MAX: usize = 50;

impl Host for PortcullisCtxView<'_> {
    async fn announce(
        &mut self,
        changes: Vec<approvals::Change>,
    ) -> wasmtime::Result<Result<String, Failure>> {
        let too_many = changes.len() > CHANGES_MAX
            || changes
                .iter()
                .map(|change| change.fields.len())
                .sum::<usize>()
                > FIELDS_MAX;
        if changes.is_empty() || too_many {
            let message = format!(
                "one request may change 1 to {CHANGES_MAX} records and {FIELDS_MAX} fields in all"
            );
            return Ok(Err(failure(Reason::InvalidArgument, message)));
        }
        // Each value of the request is announced once, perhaps with the one before it.
        let bytes_max = 2 * self.ctx.scope.limits.request_body_bytes_max;
        if let Some(what) = too_long(&changes, bytes_max) {
            let message = format!("what is announced has {what}");
            return Ok(Err(failure(Reason::InvalidArgument, message)));
        }
        if !self.ctx.scope.admits_entries(1) {
            let message = "the call has announced too much".to_owned();
            return Ok(Err(failure(Reason::NotPermitted, message)));
        }
        let changes = changes.into_iter().map(change).collect();
        Ok(self
            .ctx
            .scope
            .announce(changes)
            .map_err(|error| unavailable("make a ticket", &error)))
    }
}

/// Says what of an announcement is longer than it may be.
fn too_long(changes: &[approvals::Change], bytes_max: usize) -> Option<String> {
    let mut bytes = 0_usize;
    for change in changes {
        let fields = || change.fields.iter();
        let names = [&change.action, &change.kind].into_iter();
        let names = names
            .chain(&change.id)
            .chain(fields().map(|field| &field.name));
        let labels = [&change.label].into_iter().chain(&change.url);
        let labels = labels.chain(fields().map(|field| &field.label));
        let pointers = fields().filter_map(|field| field.pointer.as_ref());
        let values = fields().flat_map(|field| [&field.before, &field.after]);
        bytes += values.flatten().map(String::len).sum::<usize>();
        let longest = [
            (
                "an action, kind, id or name of a field",
                longest(names),
                NAME_BYTES_MAX,
            ),
            ("a label or an address", longest(labels), LABEL_BYTES_MAX),
            ("a pointer", longest(pointers), POINTER_BYTES_MAX),
        ];
        if let Some((what, _, max)) = longest.into_iter().find(|(_, bytes, max)| bytes > max) {
            return Some(format!("{what} of more than {max} bytes"));
        }
        if change.notes.len() > NOTES_MAX {
            return Some(format!("more than {NOTES_MAX} notes on one change"));
        }
    }
    (bytes > bytes_max).then(|| format!("values of more than {bytes_max} bytes"))
}

fn longest<'a>(texts: impl Iterator<Item = &'a String>) -> usize {
    texts.map(String::len).max().unwrap_or(0)
}

/// Takes a change over. Values are not cut: what a person decides on is whole.
fn change(change: approvals::Change) -> Change {
    Change {
        action: change.action,
        kind: change.kind,
        id: change.id,
        label: change.label,
        url: change.url,
        fields: change.fields.into_iter().map(field).collect(),
        notes: change.notes.into_iter().map(bounded).collect(),
        undo: change.undo.map(bounded),
    }
}

fn field(field: approvals::FieldChange) -> FieldChange {
    FieldChange {
        name: field.name,
        label: field.label,
        before: field.before,
        after: field.after,
        pointer: field.pointer,
    }
}
