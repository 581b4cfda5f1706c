//! Stage 2: the tool's mode for this agent and person. What is switched off ends here.

use portcullis_policy::Mode;

use super::resolve::{Resolved, unavailable};
use crate::guard::Guard;
use crate::reply::{Outcome, Refusal, RefusalCode};
use crate::scope::Task;

/// A call that is not switched off.
pub(super) struct Permitted {
    pub(super) resolved: Resolved,
    /// The mode that an administrator set; none: the default, which depends on the connection too.
    pub(super) set: Option<Mode>,
}

/// Decides on the tool.
pub(super) async fn permit(guard: &Guard, resolved: Resolved) -> Result<Permitted, Outcome> {
    let Task::Tool(tool) = &resolved.task else {
        // Asking who is signed in reads nothing but that, and is asked by the host alone.
        let set = Some(Mode::Allow);
        return Ok(Permitted { resolved, set });
    };
    let name = &resolved.connector.manifest().name;
    let set = guard
        .ports()
        .permissions
        .mode(&resolved.caller, name, tool, resolved.effect)
        .await
        .map_err(|error| unavailable("find out what the tool may do", &error))?;
    // On a personal connection the defaults are the widest; a shared one is looked at when it is known.
    match set.unwrap_or_else(|| Mode::default_for(resolved.effect, false)) {
        Mode::Disabled => Err(disabled(&resolved, tool.as_str()).into()),
        Mode::Allow | Mode::Ask => Ok(Permitted { resolved, set }),
    }
}

/// Refuses a tool that is switched off.
pub(super) fn disabled(resolved: &Resolved, tool: &str) -> Refusal {
    let agent = &resolved.caller.agent;
    let message = format!("the tool `{tool}` is switched off for the agent `{agent}`");
    Refusal::new(RefusalCode::ToolDisabled, message).allowed_by(format!(
        "set the mode of `{tool}` to allow or ask for `{agent}`"
    ))
}
