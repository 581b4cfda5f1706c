//! A change that needs a person's word is held until there is one, for exactly these bytes.

use portcullis_policy::{BoundRequest, Effect, Mode};

use super::GateFailure;
use super::complete::Complete;
use super::ticket::Announced;
use crate::ids::ApprovalId;
use crate::ports::approvals::{Claim, HeldRequest};
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
pub(super) async fn approve(
    scope: &CallScope,
    announced: Announced,
) -> Result<Approved, GateFailure> {
    let Announced {
        request,
        changes,
        records,
    } = announced;
    if request.head.effect == Effect::Read {
        return Ok(Approved {
            request,
            approval: None,
            records,
        });
    }
    let (Task::Tool(tool), Some(connection)) = (&scope.task, &scope.account.connection) else {
        return Err(GateFailure::refused(
            RefusalCode::Ceiling,
            "a change needs a tool and a connection",
        ));
    };
    match scope.mode {
        Mode::Allow => {
            return Ok(Approved {
                request,
                approval: None,
                records,
            });
        }
        Mode::Ask => {}
        Mode::Disabled => {
            let message = format!("the tool `{tool}` is switched off");
            return Err(GateFailure::refused(RefusalCode::ToolDisabled, message));
        }
    }
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
        changes: &changes,
    };
    let held = HeldRequest {
        digest: bound.digest(scope.ports.approvals.key().expose()),
        call: scope.id,
        caller: scope.caller.clone(),
        connector: scope.connector.manifest().name.clone(),
        tool: tool.clone(),
        connection: connection.id.clone(),
        effect: head.effect,
        method: head.method,
        route: head.route.clone(),
        changes,
    };
    // A call that has ended must not use an approval up.
    if !scope.is_live() {
        return Err(GateFailure::Latched);
    }
    match scope.ports.approvals.claim(&held).await {
        Ok(Claim::Granted(id)) => Ok(Approved {
            request,
            approval: Some(id),
            records,
        }),
        Ok(Claim::Held { id, link }) => Err(GateFailure::Held(ApprovalRequired {
            id,
            link,
            changes: held.changes,
        })),
        Ok(Claim::Denied { reason }) => {
            let reason = reason.map_or(String::new(), |reason| format!(": {reason}"));
            let message = format!("a person said no to this change{reason}");
            Err(GateFailure::refused(RefusalCode::ApprovalDenied, message))
        }
        Err(error) => Err(GateFailure::unavailable("ask for approval", &error)),
    }
}
