//! A change that needs a person's word is held until there is one, for exactly these bytes.

use portcullis_policy::{Effect, Mode, ToolCall};

use super::GateFailure;
use super::afford::{Afforded, Reserved};
use super::agree::Agreed;
use super::complete::Complete;
use crate::ask::{self, Question, Sent, Unapproved};
use crate::ids::ApprovalId;
use crate::reply::RefusalCode;
use crate::scope::{CallScope, Task};

/// A request that nothing speaks against any more.
#[derive(Debug)]
pub(super) struct Approved {
    pub(super) request: Complete,
    pub(super) approval: Option<ApprovalId>,
    /// How many changes were announced of it.
    pub(super) changes: usize,
    /// What is counted for it.
    pub(super) reserved: Reserved,
    /// The call that finds out whether it was made, where its outcome is not known.
    pub(super) finds_out: Option<ToolCall>,
}

/// Uses the approval of this request, or asks for one.
pub(super) async fn approve(
    scope: &CallScope,
    afforded: Afforded,
) -> Result<Approved, GateFailure> {
    let Afforded { agreed, reserved } = afforded;
    match consent(scope, &agreed).await {
        Ok(approval) => {
            let finds_out = agreed.request.head.names.finds_out.as_ref();
            Ok(Approved {
                finds_out: finds_out.and_then(|finds_out| finds_out.call(&agreed.changes)),
                changes: agreed.changes.len(),
                request: agreed.request,
                approval,
                reserved,
            })
        }
        Err(failure) => {
            reserved.give_back().await;
            Err(failure)
        }
    }
}

/// Gives the approval that was used up for a request; none where it needs none.
async fn consent(scope: &CallScope, agreed: &Agreed) -> Result<Option<ApprovalId>, GateFailure> {
    if agreed.request.head.effect == Effect::Read {
        return Ok(None);
    }
    let (Task::Tool(tool), Some(connection)) = (&scope.task, &scope.account.connection) else {
        return Err(GateFailure::refused(
            RefusalCode::Ceiling,
            "a change needs a tool and a connection",
        ));
    };
    match scope.mode {
        // A run of what was approved uses the approval up, though nobody would be asked by now: one that stayed open would be good
        // for a second time once the mode is another again.
        Mode::Allow if scope.rerun_of.is_none() => return Ok(None),
        Mode::Allow | Mode::Ask => {}
        Mode::Disabled => {
            let message = format!("the tool `{tool}` is switched off");
            return Err(GateFailure::refused(RefusalCode::ToolDisabled, message));
        }
    }
    let head = &agreed.request.head;
    let headers: Vec<(String, Vec<u8>)> = head
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
        .collect();
    let question = Question {
        caller: &scope.caller,
        connector: &scope.connector,
        tool,
        effect: head.effect,
        connection,
        reason: scope.reason.as_deref(),
        arguments: &scope.arguments,
        call: scope.id,
        replay: &scope.replay,
        rerun_of: scope.rerun_of,
        policy: &scope.policy,
    };
    let sent = Sent {
        method: head.method,
        origin: &head.origin,
        path: &head.path,
        route: Some(&head.route),
        headers: &headers,
        body: &agreed.request.body,
        changes: &agreed.changes,
        agreement: Some(&agreed.agreement),
    };
    let approvals = &scope.ports.approvals;
    let held = question.held(approvals.key(), &sent);
    // A call that has ended must not use an approval up.
    if !scope.is_live() {
        return Err(GateFailure::Latched);
    }
    let claim = scope.waiting(approvals.claim(&held)).await;
    let claim = claim.map_err(|error| GateFailure::unavailable("ask for approval", &error))?;
    match ask::answer(claim, tool, "this change") {
        Ok(id) => Ok(Some(id)),
        Err(Unapproved::Held(required)) => Err(GateFailure::Held(required)),
        Err(Unapproved::Refused(refusal)) => Err(GateFailure::Refused(refusal)),
    }
}
