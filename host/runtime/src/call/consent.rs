//! What a person has said already, before anything runs: the answer of a call that was run after its approval is handed out here, and
//! a read that an administrator made to need approval is asked for as a whole. A change is asked for at the gate, where it is known what it
//! changes.

use portcullis_policy::{Effect, Method, Mode, Origin, RequestPath};

use super::Ended;
use super::close::Exit;
use super::connect::Connected;
use super::resolve::unavailable;
use crate::ask::{self, Question, Sent, Unapproved};
use crate::guard::Guard;
use crate::ports::approvals::{DigestKey, HeldRequest};
use crate::reply::{Outcome, Refusal, RefusalCode};
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
        let refusal = Refusal::new(RefusalCode::ToolDisabled, message);
        return Err(Outcome::from(refusal).into());
    };
    let approvals = &guard.ports().approvals;
    let question = Question {
        caller: &resolved.caller,
        connector: &resolved.connector,
        tool,
        effect: Effect::Read,
        connection,
        reason: resolved.reason.as_deref(),
        arguments: &resolved.arguments,
        call: exit.id(),
        replay: &resolved.replay,
        rerun_of: resolved.rerun_of,
    };
    if resolved.rerun_of.is_none() {
        let kept = approvals.answer(&resolved.caller, question.digest(approvals.key()));
        let kept = kept
            .await
            .map_err(|error| unavailable("look for the answer", &error))?;
        if let Some(kept) = kept {
            exit.fetched(kept.approval, kept.call, &connection.id)
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
    let held = whole_call(&question, approvals.key()).map_err(Outcome::from)?;
    let claim = approvals.claim(&held).await;
    let claim = claim.map_err(|error| unavailable("ask for approval", &error))?;
    match ask::answer(claim, held.card, "this call") {
        Ok(_) => Ok(Consented { connected }),
        Err(Unapproved::Held(required)) => Err(Outcome::ApprovalRequired(required).into()),
        Err(Unapproved::Refused(refusal)) => Err(Outcome::from(refusal).into()),
    }
}

/// Makes the question of a whole call, of which there is no request yet.
fn whole_call(question: &Question<'_>, key: &DigestKey) -> Result<HeldRequest, Refusal> {
    let (Ok(origin), Ok(path)) = (Origin::parse(CALL_ORIGIN), RequestPath::parse("/")) else {
        let message = "the call could not be bound to an approval";
        return Err(Refusal::new(RefusalCode::HostUnavailable, message));
    };
    let sent = Sent {
        method: Method::Get,
        origin: &origin,
        path: &path,
        headers: &[],
        body: &[],
        changes: &[],
        agreement: None,
    };
    Ok(question.held(key, &sent))
}
