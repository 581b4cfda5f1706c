//! A change that needs a person's word is held until there is one, for exactly these bytes.

use portcullis_policy::{BoundCall, BoundRequest, ChangeCard, Effect, Mode, ToolName, WireRequest};

use super::GateFailure;
use super::agree::Agreed;
use super::complete::Complete;
use crate::ask::{self, Question};
use crate::ids::ApprovalId;
use crate::ports::Sensitive;
use crate::ports::approvals::{Claim, HeldRequest};
use crate::ports::credentials::Connection;
use crate::reply::{ApprovalRequired, RefusalCode};
use crate::scope::{CallScope, Task};

/// A request that nothing speaks against any more.
#[derive(Debug)]
pub(super) struct Approved {
    pub(super) request: Complete,
    pub(super) approval: Option<ApprovalId>,
    /// How many records it changes.
    pub(super) records: usize,
}

/// Uses the approval of this request, or asks for one.
pub(super) async fn approve(scope: &CallScope, agreed: Agreed) -> Result<Approved, GateFailure> {
    let records = agreed.records;
    let unasked = |request| Approved {
        request,
        approval: None,
        records,
    };
    if agreed.request.head.effect == Effect::Read {
        return Ok(unasked(agreed.request));
    }
    let (Task::Tool(tool), Some(connection)) = (&scope.task, &scope.account.connection) else {
        return Err(GateFailure::refused(
            RefusalCode::Ceiling,
            "a change needs a tool and a connection",
        ));
    };
    match scope.mode {
        Mode::Allow => return Ok(unasked(agreed.request)),
        Mode::Ask => {}
        Mode::Disabled => {
            let message = format!("the tool `{tool}` is switched off");
            return Err(GateFailure::refused(RefusalCode::ToolDisabled, message));
        }
    }
    let held = held(scope, tool, connection, &agreed);
    // A call that has ended must not use an approval up.
    if !scope.is_live() {
        return Err(GateFailure::Latched);
    }
    match scope.waiting(scope.ports.approvals.claim(&held)).await {
        Ok(Claim::Granted(id)) => Ok(Approved {
            request: agreed.request,
            approval: Some(id),
            records,
        }),
        Ok(Claim::Held { id, link, differs }) => {
            let mut card = held.card;
            card.differs = differs;
            let required = ApprovalRequired { id, link, card };
            Err(GateFailure::Held(Box::new(required)))
        }
        Ok(Claim::Denied { reason }) => {
            let message = ask::denied("this change", reason);
            Err(GateFailure::refused(RefusalCode::ApprovalDenied, message))
        }
        Ok(Claim::Full { pending_max }) => {
            let message = ask::full(pending_max);
            Err(GateFailure::refused(RefusalCode::ApprovalsFull, message))
        }
        Err(error) => Err(GateFailure::unavailable("ask for approval", &error)),
    }
}

/// Makes the question of a request: what is bound, and what a person sees of it.
fn held(
    scope: &CallScope,
    tool: &ToolName,
    connection: &Connection,
    agreed: &Agreed,
) -> HeldRequest {
    let Agreed {
        request,
        changes,
        agreement,
        ..
    } = agreed;
    let head = &request.head;
    let headers: Vec<(String, Vec<u8>)> = head
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
        .collect();
    let identity = connection.identity.as_ref();
    let bound = BoundRequest {
        connector: scope.connector.digest(),
        tool,
        arguments: &scope.arguments,
        person: &scope.caller.person,
        agent: &scope.caller.agent,
        connection: &connection.id,
        organization: identity.and_then(|identity| identity.organization_id.as_deref()),
        method: head.method,
        origin: &head.origin,
        path: &head.path,
        headers: &headers,
        body: &request.body,
        changes,
    };
    let call = BoundCall {
        connector: &scope.connector.manifest().name,
        tool,
        arguments: &scope.arguments,
        person: &scope.caller.person,
        agent: &scope.caller.agent,
        connection: &connection.id,
    };
    let question = Question {
        caller: &scope.caller,
        connector: &scope.connector,
        tool,
        effect: head.effect,
        connection,
        reason: scope.reason.as_deref(),
        arguments: &scope.arguments,
    };
    let found = changes.iter().zip(agreement.changes());
    let cards = found.map(|(change, found)| ChangeCard::new(change, found, &connection.origin));
    let shown = headers.iter();
    let shown =
        shown.map(|(name, value)| (name.clone(), String::from_utf8_lossy(value).into_owned()));
    let url = format!("{}{}", head.origin, head.path.as_str());
    let wire = WireRequest::new(head.method, url, shown.collect(), &request.body);
    let mut card = ask::card(&question);
    card.changes = cards.collect();
    card.wire = Some(wire);
    let key = scope.ports.approvals.key().expose();
    HeldRequest {
        digest: bound.digest(key),
        question: call.digest(key),
        call: scope.id,
        caller: scope.caller.clone(),
        connector: scope.connector.manifest().name.clone(),
        tool: tool.clone(),
        connection: connection.id.clone(),
        effect: head.effect,
        is_whole: agreement.is_whole(changes),
        card,
        arguments: Sensitive::new(scope.arguments.to_string()),
        replay: scope.replay.clone(),
        replaces: scope.rerun_of,
    }
}
