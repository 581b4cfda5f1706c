//! A change must have been announced: its request carries the ticket, which is good for it alone.

use portcullis_policy::{Access, Change, Effect};

use super::complete::Complete;
use super::failure::name;
use super::within::{Within, allowed_by};
use super::{GateFailure, afford};
use crate::ports::audit::{Durability, Event};
use crate::reply::RefusalCode;
use crate::scope::CallScope;

/// A request whose change, if it makes one, is known.
#[derive(Debug)]
pub(super) struct Announced {
    pub(super) request: Complete,
    /// Empty for a read.
    pub(super) changes: Vec<Change>,
    /// How many records it changes: as many as are announced, and at least as many as it names.
    pub(super) records: usize,
}

/// Takes the ticket in.
pub(super) async fn redeem(scope: &CallScope, within: Within) -> Result<Announced, GateFailure> {
    let Within { request, kinds } = within;
    let head = &request.head;
    if head.effect == Effect::Read {
        return Ok(Announced {
            request,
            changes: Vec::new(),
            records: 0,
        });
    }
    let what = name(head.method, &head.route);
    let changes = head
        .ticket
        .as_deref()
        .and_then(|ticket| scope.redeem(ticket));
    let Some(changes) = changes.filter(|changes| !changes.is_empty()) else {
        return Err(GateFailure::refused(
            RefusalCode::NoTicket,
            format!("the connector tried `{what}` without announcing what it changes"),
        ));
    };
    if !scope.begin_change() {
        return Err(GateFailure::refused(
            RefusalCode::SecondChange,
            format!("the connector tried `{what}` as a second change; a call makes one"),
        ));
    }
    hold_to_scope(scope, head.effect, &changes, &what)?;
    let records = changes.len().max(kinds);
    afford::look(scope, records).await?;
    scope
        .record(Event::Announced(changes.clone()), Durability::WithTheNext)
        .await
        .map_err(|error| GateFailure::unavailable("write down the change", &error))?;
    Ok(Announced {
        request,
        changes,
        records,
    })
}

/// Holds what is announced to the agent's scope too: it is what the connector itself says that it changes.
fn hold_to_scope(
    scope: &CallScope,
    effect: Effect,
    changes: &[Change],
    what: &str,
) -> Result<(), GateFailure> {
    let guarded = &scope.connector.manifest().guarded_kinds;
    for change in changes {
        let access = Access {
            effect,
            kind: change.kind.clone(),
            fields: change
                .fields
                .iter()
                .map(|field| field.name.clone())
                .collect(),
        };
        scope.policy.check(guarded, &access).map_err(|denied| {
            let message = format!("the connector tried `{what}`: {denied}");
            let connector = &scope.connector.manifest().name;
            let allow = scope.policy.allowing(connector, &denied);
            allowed_by(GateFailure::refused(RefusalCode::Scope, message), allow)
        })?;
    }
    Ok(())
}
