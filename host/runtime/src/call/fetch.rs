//! An answer that was kept, handed out by the id of its question: by the same first stages as a call, and with an entry of its own.
//!
//! The attack: an agent fetches what another one was to get, or the same one before it lost the tool, the account, or a part of what
//! it may touch.

use std::sync::Arc;

use portcullis_policy::ConnectionId;
use serde_json::{Value, json};

use super::close::{Exit, Tally};
use super::resolve::unavailable;
use super::{Asked, Ended, Question, connect, consent, permit, resolve, unknown};
use crate::connector::Connector;
use crate::guard::Guard;
use crate::ids::ApprovalId;
use crate::ports::Caller;
use crate::ports::approvals::AskedBefore;
use crate::reply::{Cancellation, Failure, FailureCode, Outcome, Reply};
use crate::scope::Task;

/// Hands out the answer of a question; `connector` is its connector's active version.
pub(crate) async fn fetch(
    guard: &Guard,
    connector: Option<Arc<Connector>>,
    caller: &Caller,
    asked: &AskedBefore,
    id: ApprovalId,
) -> Reply {
    let question = Question {
        agent: caller.agent.clone(),
        person: caller.person.clone(),
        connector: asked.connector.clone(),
        asked: Asked::Tool(asked.tool.to_string()),
        arguments: json!({ "approval": Value::from(id.to_string()) }),
        reason: None,
        rerun: None,
        progress: None,
        steps: None,
        cancellation: Cancellation::default(),
    };
    let Some(connector) = connector else {
        return unknown(guard, question).await;
    };
    let mut exit = match Exit::new(guard, &question) {
        Ok(exit) => exit,
        Err(reply) => return *reply,
    };
    let handed = hand_out(
        guard,
        connector,
        question,
        (id, &asked.connection),
        &mut exit,
    )
    .await;
    let ended = handed.unwrap_or_else(Ended::from);
    exit.close(ended.outcome, ended.sent, Tally::default())
        .await
}

async fn hand_out(
    guard: &Guard,
    connector: Arc<Connector>,
    question: Question,
    (id, connection): (ApprovalId, &ConnectionId),
    exit: &mut Exit,
) -> Result<Ended, Outcome> {
    let resolved = resolve::resolve(guard, connector, question).await?;
    exit.knows(&resolved);
    let mut resolved = permit::permit(guard, resolved, exit).await?.resolved;
    let (account, _) = connect::account(guard, &mut resolved, exit).await?;
    let gone = |message: &str| Outcome::Failed(Failure::new(FailureCode::NotFound, message));
    // The account is compared before the answer is taken: what is another's stays where it is.
    let (Task::Tool(tool), Some(acts_as)) = (&resolved.task, &account.connection) else {
        return Err(gone("there is no account that the answer is for"));
    };
    if acts_as.id != *connection {
        return Err(gone(
            "the answer was got by another account than this agent's call would use",
        ));
    }
    let approvals = &guard.ports().approvals;
    let kept = approvals.answer_of(&resolved.caller, id).await;
    let kept = kept.map_err(|error| unavailable("take the answer", &error))?;
    let Some(kept) = kept else {
        return Err(gone("the answer was fetched already, or is too old"));
    };
    let question = consent::question(&resolved, tool, acts_as, exit.id());
    if kept.terms != Some(question.terms(approvals.key())) {
        return Err(consent::withheld(&kept));
    }
    exit.fetched(kept.approval, kept.call, connection)
        .await
        .map_err(|error| unavailable("write the answer down", &error))?;
    Ok(Ended {
        outcome: kept.outcome,
        sent: kept.sent,
    })
}
