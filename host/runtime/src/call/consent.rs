//! What a person has said already, before anything runs: the answer of a call that was run after its approval is handed out here, and
//! a read that an administrator made to need approval is asked for as a whole. A change is asked for at the gate, where it is known what it
//! changes.

use portcullis_policy::{Effect, Method, Mode, Origin, RequestPath, ToolName};

use super::Ended;
use super::close::Exit;
use super::connect::Connected;
use super::resolve::{Resolved, unavailable};
use crate::ask::{self, Question, Sent, Unapproved};
use crate::guard::Guard;
use crate::ids::CallId;
use crate::ports::approvals::{DigestKey, HeldRequest, KeptAnswer};
use crate::ports::credentials::Connection;
use crate::reply::{Failure, FailureCode, Outcome, Refusal, RefusalCode};
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
    let Task::Tool(tool) = &resolved.task else {
        return Ok(Consented { connected });
    };
    // A run of what was approved uses the approval up, whatever the mode is by now.
    let needs_approval = connected.decision.mode == Mode::Ask || resolved.rerun_of.is_some();
    let Some(connection) = &connected.account.connection else {
        if !needs_approval {
            return Ok(Consented { connected });
        }
        let message =
            format!("the tool `{tool}` needs approval, and there is no account to bind one to");
        let refusal = Refusal::new(RefusalCode::ToolDisabled, message);
        return Err(Outcome::from(refusal).into());
    };
    let question = question(resolved, tool, connection, exit.id());
    // In every mode: what was approved and run is not done again because nobody is asked any more.
    if resolved.rerun_of.is_none()
        && let Some(ended) = kept(guard, &question, exit).await?
    {
        return Err(ended);
    }
    if resolved.effect != Effect::Read || !needs_approval {
        return Ok(Consented { connected });
    }
    let approvals = &guard.ports().approvals;
    let held = whole_call(&question, approvals.key()).map_err(Outcome::from)?;
    let claim = approvals.claim(&held).await;
    let claim = claim.map_err(|error| unavailable("ask for approval", &error))?;
    match ask::answer(claim, tool, "this call") {
        Ok(_) => Ok(Consented { connected }),
        Err(Unapproved::Held(required)) => Err(Outcome::ApprovalRequired(required).into()),
        Err(Unapproved::Refused(refusal)) => Err(Outcome::from(refusal).into()),
    }
}

/// Says what is asked by a call.
pub(super) fn question<'a>(
    resolved: &'a Resolved,
    tool: &'a ToolName,
    connection: &'a Connection,
    call: CallId,
) -> Question<'a> {
    Question {
        caller: &resolved.caller,
        connector: &resolved.connector,
        tool,
        effect: resolved.effect,
        connection,
        reason: resolved.reason.as_deref(),
        arguments: &resolved.arguments,
        call,
        replay: &resolved.replay,
        rerun_of: resolved.rerun_of,
        policy: &resolved.policy,
    }
}

/// Takes the answer of the same call that was run after its approval, where there is one.
async fn kept(
    guard: &Guard,
    question: &Question<'_>,
    exit: &mut Exit,
) -> Result<Option<Ended>, Outcome> {
    let approvals = &guard.ports().approvals;
    let kept = approvals.answer(question.caller, question.digest(approvals.key()));
    let kept = kept
        .await
        .map_err(|error| unavailable("look for the answer", &error))?;
    let Some(kept) = kept else {
        return Ok(None);
    };
    if kept.terms != Some(question.terms(approvals.key())) {
        // What was only read may be read again, as far as the agent may by now. A change would be made twice.
        return match question.effect {
            Effect::Read => Ok(None),
            Effect::Write | Effect::Destructive => Err(withheld(&kept)),
        };
    }
    exit.fetched(kept.approval, kept.call, &question.connection.id)
        .await
        .map_err(|error| unavailable("write the answer down", &error))?;
    Ok(Some(Ended {
        outcome: kept.outcome,
        sent: kept.sent,
    }))
}

/// Refuses an answer that was got when the agent might touch something else, or by another account.
pub(super) fn withheld(kept: &KeptAnswer) -> Outcome {
    let message = format!(
        "this was approved and run already, by the call {}, and what this agent may touch, or its account, has changed since: the answer is not handed out",
        kept.call
    );
    let failure = Failure::new(FailureCode::NotPermitted, message)
        .with_hint("look at the records before the same is asked for again");
    Outcome::Failed(failure)
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
        route: None,
        headers: &[],
        body: &[],
        changes: &[],
        agreement: None,
    };
    Ok(question.held(key, &sent))
}
