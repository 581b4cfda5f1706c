//! Stage 2: what rules say of the tool, and how many calls the agent may make. What is switched off ends here, unless
//! that depends on whose account is used.

use portcullis_policy::{ActsAs, Decision, Mode};

use super::close::Exit;
use super::resolve::{Resolved, ruled, unavailable};
use crate::guard::Guard;
use crate::ports::permissions::{Counted, Exhausted, Usage};
use crate::reply::{Outcome, Refusal, RefusalCode};
use crate::scope::Task;

/// A call that is not switched off, as far as that is known.
pub(super) struct Permitted {
    pub(super) resolved: Resolved,
}

/// Decides on the tool.
pub(super) async fn permit(
    guard: &Guard,
    resolved: Resolved,
    exit: &mut Exit,
) -> Result<Permitted, Outcome> {
    let permitted = on(resolved, exit)?;
    if let Task::Tool(_) = &permitted.resolved.task {
        admit(guard, &permitted.resolved, false).await?;
    }
    Ok(permitted)
}

/// Lets through what is not switched off, and counts nothing.
pub(super) fn on(resolved: Resolved, exit: &mut Exit) -> Result<Permitted, Outcome> {
    let Task::Tool(name) = &resolved.task else {
        return Ok(Permitted { resolved });
    };
    let tool = resolved.connector.tool(name.as_str());
    let early = tool.and_then(|tool| {
        let ruled = ruled(&resolved.connector, tool);
        resolved.policy.decide_early(&ruled)
    });
    if let Some(decision) = early {
        exit.decided(decision);
        return Err(disabled(&resolved).into());
    }
    Ok(Permitted { resolved })
}

/// Counts the call, where the agent may make so many and no more; or only looks whether there is room for it.
pub(super) async fn admit(
    guard: &Guard,
    resolved: &Resolved,
    only_look: bool,
) -> Result<(), Outcome> {
    let scope = resolved.policy.scope.as_ref();
    let Some(max) = scope.and_then(|scope| scope.calls_per_minute) else {
        return Ok(());
    };
    let usage = Usage {
        counted: Counted::Calls,
        count: 1,
        max,
        only_look,
        reserved_by: None,
    };
    let (caller, connector) = (&resolved.caller, &resolved.connector.manifest().name);
    let counted = guard.ports().permissions.count(caller, connector, usage);
    match counted.await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(Exhausted { retry_after })) => {
            let agent = &resolved.caller.agent;
            let seconds = retry_after.as_secs() + 1;
            let message = format!(
                "the agent `{agent}` may make {max} calls a minute, and has made them; there is room again in {seconds} s"
            );
            Err(Refusal::new(RefusalCode::CallLimit, message).into())
        }
        Err(error) => Err(unavailable("count the agent's calls", &error)),
    }
}

/// Settles the mode, now that it is known whose account is used.
pub(super) fn settle(
    resolved: &Resolved,
    acts_as: ActsAs<'_>,
    exit: &mut Exit,
) -> Result<Decision, Refusal> {
    let Task::Tool(name) = &resolved.task else {
        // Asking who is signed in reads nothing but that, and is asked by the host alone.
        let decision = Decision {
            mode: Mode::Allow,
            rule: "default: the host asks who is signed in".to_owned(),
            is_ruled: false,
        };
        exit.decided(decision.clone());
        return Ok(decision);
    };
    let Some(tool) = resolved.connector.tool(name.as_str()) else {
        return Err(disabled(resolved));
    };
    let decision = resolved
        .policy
        .decide(acts_as, &ruled(&resolved.connector, tool));
    exit.decided(decision.clone());
    match decision.mode {
        Mode::Disabled => Err(disabled(resolved)),
        Mode::Allow | Mode::Ask => Ok(decision),
    }
}

/// Refuses a tool that is switched off: by whom that can be changed, and no more.
fn disabled(resolved: &Resolved) -> Refusal {
    let tool = match &resolved.task {
        Task::Tool(tool) => tool.as_str(),
        Task::Identify => "",
    };
    let message =
        format!("the tool `{tool}` is disabled for this agent; an administrator can change that");
    Refusal::new(RefusalCode::ToolDisabled, message)
}
