//! A read that an administrator made to need approval is asked for as a whole, before anything of it runs. A
//! change is asked for at the gate, where it is known what it changes.

use portcullis_policy::{BoundRequest, Effect, Method, Mode, Origin, RequestPath};

use super::connect::Connected;
use super::resolve::unavailable;
use crate::guard::Guard;
use crate::ids::CallId;
use crate::ports::approvals::{Claim, HeldRequest};
use crate::reply::{ApprovalRequired, Outcome, Refusal, RefusalCode};
use crate::scope::Task;

/// A call that may begin.
pub(super) struct Consented {
    pub(super) connected: Connected,
}

/// What stands for a call where a request stands for a change: no service is at this address.
const CALL_ORIGIN: &str = "https://call.invalid";

/// Asks a person, where the whole call needs it.
pub(super) async fn consent(
    guard: &Guard,
    connected: Connected,
    call: CallId,
) -> Result<Consented, Outcome> {
    let resolved = &connected.validated.permitted.resolved;
    let (Mode::Ask, Effect::Read, Task::Tool(tool)) =
        (connected.decision.mode, resolved.effect, &resolved.task)
    else {
        return Ok(Consented { connected });
    };
    let Some(connection) = &connected.account.connection else {
        let message =
            format!("the tool `{tool}` needs approval, and there is no account to bind one to");
        return Err(Refusal::new(RefusalCode::ToolDisabled, message).into());
    };
    let identity = connection.identity.as_ref();
    let (Ok(origin), Ok(path)) = (Origin::parse(CALL_ORIGIN), RequestPath::parse("/")) else {
        let message = "the call could not be bound to an approval";
        return Err(Refusal::new(RefusalCode::HostUnavailable, message).into());
    };
    let bound = BoundRequest {
        connector: resolved.connector.digest(),
        tool,
        arguments: &resolved.arguments,
        person: &resolved.caller.person,
        agent: &resolved.caller.agent,
        connection: &connection.id,
        organization: identity.and_then(|identity| identity.organization_id.as_deref()),
        method: Method::Get,
        origin: &origin,
        path: &path,
        headers: &[],
        body: &[],
        changes: &[],
    };
    let approvals = &guard.ports().approvals;
    let held = HeldRequest {
        digest: bound.digest(approvals.key().expose()),
        call,
        caller: resolved.caller.clone(),
        connector: resolved.connector.manifest().name.clone(),
        tool: tool.clone(),
        connection: connection.id.clone(),
        effect: Effect::Read,
        method: Method::Get,
        route: "the whole call".to_owned(),
        changes: Vec::new(),
    };
    match approvals.claim(&held).await {
        Ok(Claim::Granted(_)) => Ok(Consented { connected }),
        Ok(Claim::Held { id, link }) => Err(Outcome::ApprovalRequired(ApprovalRequired {
            id,
            link,
            changes: Vec::new(),
        })),
        Ok(Claim::Denied { reason }) => {
            let reason = reason.map_or(String::new(), |reason| format!(": {reason}"));
            let message = format!("a person said no to this call{reason}");
            Err(Refusal::new(RefusalCode::ApprovalDenied, message).into())
        }
        Err(error) => Err(unavailable("ask for approval", &error)),
    }
}
