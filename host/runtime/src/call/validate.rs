//! Stage 3: the arguments fit the tool's input schema, or each problem is named with its place.

use serde_json::Value;

use super::permit::Permitted;
use crate::connector::Tool;
use crate::reply::{Failure, FailureCode, FieldProblem, Outcome};
use crate::scope::Task;

/// A call whose arguments fit.
pub(super) struct Validated {
    pub(super) permitted: Permitted,
}

/// Checks the arguments.
pub(super) fn validate(mut permitted: Permitted) -> Result<Validated, Outcome> {
    let resolved = &mut permitted.resolved;
    if let Task::Tool(name) = &resolved.task
        && let Some(tool) = resolved.connector.tool(name.as_str())
    {
        let mut problems = tool.problems_of_arguments(&resolved.arguments);
        if !problems.is_empty() && drop_optional_nulls(tool, &mut resolved.arguments) {
            problems = tool.problems_of_arguments(&resolved.arguments);
        }
        if !problems.is_empty() {
            return Err(Outcome::Failed(misfit(name.as_str(), problems)));
        }
    }
    Ok(Validated { permitted })
}

/// Removes arguments that are null and need not be there: models write null for *none*. Says whether
/// there were any.
fn drop_optional_nulls(tool: &Tool, arguments: &mut Value) -> bool {
    let Some(arguments) = arguments.as_object_mut() else {
        return false;
    };
    let before = arguments.len();
    arguments.retain(|name, value| !value.is_null() || tool.requires(name));
    arguments.len() < before
}

fn misfit(tool: &str, problems: Vec<FieldProblem>) -> Failure {
    let first = &problems[0];
    let place = match first.pointer.as_str() {
        "" => String::new(),
        pointer => format!(" at `{pointer}`"),
    };
    let more = match problems.len() {
        1 => String::new(),
        2 => ", and 1 more problem".to_owned(),
        count => format!(", and {} more problems", count - 1),
    };
    let message = format!(
        "the arguments do not fit the tool `{tool}`: {}{place}{more}",
        first.problem
    );
    let mut failure = Failure::new(FailureCode::InvalidArguments, message)
        .with_hint(format!("look at the input schema of `{tool}`"));
    failure.fields = problems;
    failure
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn further_problems_are_counted() {
        for (count, words) in [
            (1, "is bad at `/0`"),
            (2, "is bad at `/0`, and 1 more problem"),
            (3, "is bad at `/0`, and 2 more problems"),
        ] {
            let problems = (0..count).map(|at| FieldProblem {
                pointer: format!("/{at}"),
                problem: "is bad".to_owned(),
            });
            let failure = misfit("query", problems.collect());
            assert_eq!(
                failure.message,
                format!("the arguments do not fit the tool `query`: {words}")
            );
            assert_eq!(failure.fields.len(), count);
        }
    }
}
