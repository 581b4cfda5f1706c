//! Stage 1: the agent's connector, its active version, what was decided on it, and the tool.

use std::sync::Arc;
use std::time::SystemTime;

use portcullis_policy::{AgentPolicy, ConnectorName, Effect, RuledTool, ToolName};
use serde_json::Value;
use tokio::sync::mpsc;

use super::{Asked, Question};
use crate::connector::{Connector, Tool};
use crate::guard::Guard;
use crate::ids::{ApprovalId, NoId};
use crate::ports::credentials::Connection;
use crate::ports::{Caller, PortError};
use crate::replay::Replay;
use crate::reply::{Cancellation, Outcome, Progress, Refusal, RefusalCode};
use crate::scope::Task;

/// A call whose connector and tool are there.
pub(super) struct Resolved {
    pub(super) caller: Caller,
    pub(super) connector: Arc<Connector>,
    /// What an administrator decided, as it is for the whole of the call.
    pub(super) policy: Arc<AgentPolicy>,
    pub(super) task: Task,
    pub(super) effect: Effect,
    /// The connection to act as, where nobody has it yet.
    pub(super) new_connection: Option<Box<Connection>>,
    pub(super) arguments: Value,
    pub(super) reason: Option<String>,
    pub(super) replay: Replay,
    pub(super) rerun_of: Option<ApprovalId>,
    pub(super) progress: Option<mpsc::Sender<Progress>>,
    pub(super) steps: Option<mpsc::Sender<String>>,
    pub(super) cancellation: Cancellation,
}

/// Finds out what a call is to.
pub(super) async fn resolve(
    guard: &Guard,
    connector: Arc<Connector>,
    question: Question,
) -> Result<Resolved, Outcome> {
    let name = &question.connector;
    if connector.manifest().name != *name {
        return Err(unknown_connector(name).into());
    }
    let caller = Caller {
        agent: question.agent,
        person: question.person,
    };
    // Who is signed in is the host's own question: the answer goes to no agent, so no agent's scope limits it.
    let unlimited = || Arc::new(AgentPolicy::new(caller.agent.clone()));
    let (policy, task, effect, new_connection) = match question.asked {
        Asked::NewIdentity(connection) => {
            let connection = Some(connection);
            (unlimited(), Task::Identify, Effect::Read, connection)
        }
        Asked::Identity => {
            offered(guard, &caller, &connector).await?;
            (unlimited(), Task::Identify, Effect::Read, None)
        }
        Asked::Tool(tool) => {
            let policy = offered(guard, &caller, &connector).await?;
            let found = connector
                .tool(&tool)
                .ok_or_else(|| unknown_tool(&connector, &policy, &tool))?;
            let task = Task::Tool(found.name.clone());
            (policy, task, found.effect, None)
        }
    };
    let (rerun_of, replay) = match question.rerun {
        Some(rerun) => (Some(rerun.approval), rerun.replay),
        None => {
            let replay = Replay::random(SystemTime::now());
            (None, replay.map_err(no_chance)?)
        }
    };
    Ok(Resolved {
        caller,
        connector,
        policy,
        task,
        effect,
        new_connection,
        arguments: question.arguments,
        reason: question.reason.map(shortened),
        replay,
        rerun_of,
        progress: question.progress,
        steps: question.steps,
        cancellation: question.cancellation,
    })
}

async fn offered(
    guard: &Guard,
    caller: &Caller,
    connector: &Connector,
) -> Result<Arc<AgentPolicy>, Outcome> {
    let (name, component) = (&connector.manifest().name, connector.digest());
    match guard
        .ports()
        .permissions
        .policy(caller, name, component)
        .await
    {
        Ok(Some(policy)) => Ok(policy),
        Ok(None) => {
            let agent = &caller.agent;
            let message = format!("the agent `{agent}` does not have the connector `{name}`");
            Err(Refusal::new(RefusalCode::NotOffered, message).into())
        }
        Err(error) => Err(unavailable("find out what the agent may do", &error)),
    }
}

/// Refuses a connector that is not there.
pub(crate) fn unknown_connector(name: &ConnectorName) -> Refusal {
    let message = format!("no connector `{name}` is installed");
    Refusal::new(RefusalCode::UnknownConnector, message)
}

/// Characters of an agent's reason: a sentence or two.
const REASON_CHARS_MAX: usize = 500;

fn shortened(reason: String) -> String {
    match reason.char_indices().nth(REASON_CHARS_MAX) {
        None => reason,
        Some((end, _)) => format!("{} …", &reason[..end]),
    }
}

fn no_chance(error: NoId) -> Outcome {
    Refusal::new(RefusalCode::HostUnavailable, error.to_string()).into()
}

/// A port that did not answer: the call does not go on.
pub(super) fn unavailable(what: &str, error: &PortError) -> Outcome {
    tracing::error!(%error, what, "a port failed; the call is refused");
    let message = format!("the host could not {what}, and so did nothing: {error}");
    Refusal::new(RefusalCode::HostUnavailable, message).into()
}

/// Gives what rules see of a tool.
pub(crate) fn ruled<'a>(connector: &'a Connector, tool: &'a Tool) -> RuledTool<'a> {
    RuledTool {
        connector: &connector.manifest().name,
        name: &tool.name,
        toolset: &tool.toolset,
        effect: tool.effect,
    }
}

/// Says which tools there are: their names fit in a sentence, and one of them was meant. Those that are switched off
/// are not named.
fn unknown_tool(connector: &Connector, policy: &AgentPolicy, tool: &str) -> Refusal {
    let tool: String = tool.chars().take(ToolName::MAX_LEN).collect();
    let is_on = |tool: &&Tool| policy.decide_early(&ruled(connector, tool)).is_none();
    let names: Vec<String> = connector
        .tools()
        .iter()
        .filter(is_on)
        .map(|tool| format!("`{}`", tool.name))
        .collect();
    let message = format!(
        "the connector `{}` has no tool `{tool}`; it has {}",
        connector.manifest().name,
        names.join(", ")
    );
    Refusal::new(RefusalCode::UnknownTool, message)
}
