//! The calls by which a manifest says that a change is found out: each must be one of the connector's own reads, and its arguments must
//! fit.

use portcullis_policy::{Effect, FindsOut, Manifest, Problem};

use super::InstallError;
use super::tool::Tool;

/// Holds every call that a route names to the tools that there are.
pub(super) fn check(manifest: &Manifest, tools: &[Tool]) -> Result<(), InstallError> {
    let mut problems = Vec::new();
    for (index, route) in manifest.routes.iter().enumerate() {
        if let Some(named) = &route.finds_out {
            problems_of(
                named,
                tools,
                &format!("/routes/{index}/finds_out"),
                &mut problems,
            );
        }
    }
    match problems.is_empty() {
        true => Ok(()),
        false => Err(InstallError::Calls(problems)),
    }
}

fn problems_of(named: &FindsOut, tools: &[Tool], at: &str, problems: &mut Vec<Problem>) {
    let mut add = |member: &str, problem: String| {
        problems.push(Problem {
            pointer: format!("{at}/{member}"),
            problem,
        });
    };
    let Some(tool) = tools.iter().find(|tool| tool.name == named.tool) else {
        add(
            "tool",
            format!("the connector has no tool `{}`", named.tool),
        );
        return;
    };
    if tool.effect != Effect::Read {
        let problem = format!("`{}` is no tool that only reads", tool.name);
        add("tool", problem);
    }
    for problem in tool.problems_of_named(named) {
        let member = format!("arguments{}", problem.pointer);
        add(&member, problem.problem);
    }
}
