//! What a person has said already, before anything runs: the answer of a call that was run after its approval is handed out here, and
//! a read that an administrator made to need approval is asked for as a whole. A change is asked for at the gate, where it is known what it
//! changes.

use portcullis_policy::{
    BoundCall, BoundRequest, Effect, Method, Mode, Origin, RequestPath, ToolName,
};

use super::Ended;
use super::close::Exit;
use super::connect::Connected;
use super::resolve::unavailable;
use crate::ask::{self, Question};
use crate::guard::Guard;
use crate::ids::CallId;
use crate::ports::Sensitive;
use crate::ports::approvals::{Claim, DigestKey, HeldRequest};
use crate::ports::credentials::Connection;
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
    exit: &mut Exit,
) -> Result<Consented, Ended> {
    let resolved = &connected.validated.permitted.resolved;
    let (Mode::Ask, Task::Tool(tool)) = (connected.decision.mode, &resolved.task) else {
        return Ok(Consented { connected });
    };
    let Some(connection) = &connected.account.connection else {
        let message =
            format!("the tool `{tool}` needs approval, and there is no account to bind one to");
        return Err(refused(RefusalCode::ToolDisabled, message));
    };
    let approvals = &guard.ports().approvals;
    if resolved.rerun_of.is_none() {
        let question = question(&connected, tool, connection, approvals.key());
        let kept = approvals.answer(&resolved.caller, question).await;
        if let Some(kept) = kept.map_err(|error| unavailable("look for the answer", &error))? {
            exit.fetched(kept.approval, kept.call, connection)
                .await
                .map_err(|error| unavailable("write the answer down", &error))?;
            return Err(Ended {
                outcome: kept.outcome,
                sent: kept.sent,
            });
        }
    }
    if resolved.effect != Effect::Read {
        return Ok(Consented { connected });
    }
    let held =
        held(&connected, tool, connection, approvals.key(), exit.id()).map_err(Outcome::from)?;
    match approvals.claim(&held).await {
        Ok(Claim::Granted(_)) => Ok(Consented { connected }),
        Ok(Claim::Held { id, link, differs }) => {
            let mut card = held.card;
            card.differs = differs;
            let required = ApprovalRequired { id, link, card };
            Err(Outcome::ApprovalRequired(Box::new(required)).into())
        }
        Ok(Claim::Denied { reason }) => {
            let message = ask::denied("this call", reason);
            Err(refused(RefusalCode::ApprovalDenied, message))
        }
        Ok(Claim::Full { pending_max }) => {
            Err(refused(RefusalCode::ApprovalsFull, ask::full(pending_max)))
        }
        Err(error) => Err(unavailable("ask for approval", &error).into()),
    }
}

fn refused(code: RefusalCode, message: impl Into<String>) -> Ended {
    Outcome::from(Refusal::new(code, message)).into()
}

fn question(
    connected: &Connected,
    tool: &ToolName,
    connection: &Connection,
    key: &DigestKey,
) -> portcullis_policy::Digest {
    let resolved = &connected.validated.permitted.resolved;
    let call = BoundCall {
        connector: &resolved.connector.manifest().name,
        tool,
        arguments: &resolved.arguments,
        person: &resolved.caller.person,
        agent: &resolved.caller.agent,
        connection: &connection.id,
    };
    call.digest(key.expose())
}

/// Makes the question of a whole call.
fn held(
    connected: &Connected,
    tool: &ToolName,
    connection: &Connection,
    key: &DigestKey,
    call: CallId,
) -> Result<HeldRequest, Refusal> {
    let resolved = &connected.validated.permitted.resolved;
    let identity = connection.identity.as_ref();
    let (Ok(origin), Ok(path)) = (Origin::parse(CALL_ORIGIN), RequestPath::parse("/")) else {
        let message = "the call could not be bound to an approval";
        return Err(Refusal::new(RefusalCode::HostUnavailable, message));
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
    let asked = Question {
        caller: &resolved.caller,
        connector: &resolved.connector,
        tool,
        effect: Effect::Read,
        connection,
        reason: resolved.reason.as_deref(),
        arguments: &resolved.arguments,
    };
    Ok(HeldRequest {
        digest: bound.digest(key.expose()),
        question: question(connected, tool, connection, key),
        call,
        caller: resolved.caller.clone(),
        connector: resolved.connector.manifest().name.clone(),
        tool: tool.clone(),
        connection: connection.id.clone(),
        effect: Effect::Read,
        is_whole: true,
        card: ask::card(&asked),
        arguments: Sensitive::new(resolved.arguments.to_string()),
        replay: resolved.replay.clone(),
        replaces: resolved.rerun_of,
    })
}
