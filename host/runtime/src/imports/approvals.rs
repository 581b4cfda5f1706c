//! `approvals`: the guest says what its next request changes, and gets the ticket for it.

use portcullis_policy::{Change, FieldChange};

use super::{bounded, failure, unavailable};
use crate::bindings::contract::approvals::{self, Host};
use crate::bindings::contract::failures::{Failure, Reason};
use crate::linker::PortcullisCtxView;

/// Records that one request may change, and announcements of a call: more is no tool's business.
const CHANGES_MAX: usize = 200;
const FIELDS_MAX: usize = 1000;

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
