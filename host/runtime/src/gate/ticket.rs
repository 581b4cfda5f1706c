//! A change must have been announced: its request carries the ticket, which is good for it alone.

use portcullis_policy::{Change, Effect};

use super::GateFailure;
use super::complete::Complete;
use super::failure::name;
use crate::ports::audit::{Durability, Event};
use crate::reply::RefusalCode;
use crate::scope::CallScope;

/// A request whose change, if it makes one, is known.
#[derive(Debug)]
pub(super) struct Announced {
    pub(super) request: Complete,
    /// Empty for a read.
    pub(super) changes: Vec<Change>,
}

/// Takes the ticket in.
pub(super) async fn redeem(scope: &CallScope, request: Complete) -> Result<Announced, GateFailure> {
    let head = &request.head;
    if head.effect == Effect::Read {
        let changes = Vec::new();
        return Ok(Announced { request, changes });
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
    scope
        .record(Event::Announced(changes.clone()), Durability::Buffered)
        .await
        .map_err(|error| GateFailure::unavailable("write down the change", &error))?;
    Ok(Announced { request, changes })
}
