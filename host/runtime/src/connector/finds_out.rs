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

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::bindings::contract::effects;
    use crate::bindings::tools;
    use crate::connector::tool;

    fn tool(name: &str, effect: effects::Effect) -> tools::Tool {
        let input_schema = json!({
            "type": "object",
            "required": ["id"],
            "properties": {
                "id": { "type": "string", "pattern": "^[0-9]{15}$" },
                "ids": { "type": "array", "items": { "type": "string", "minLength": 15 } },
                "limit": { "type": "integer", "maximum": 10 },
                "form": { "type": "string", "enum": ["long", "short"] },
            },
        });
        tools::Tool {
            name: name.to_owned(),
            title: "Title".to_owned(),
            description: "What it does.".to_owned(),
            toolset: "records".to_owned(),
            effect,
            idempotent: true,
            input_schema: input_schema.to_string(),
            output_schema: None,
        }
    }

    /// Says what is wrong with a call that the second route names.
    fn problems(finds_out: Value) -> Vec<String> {
        let manifest = json!({
            "name": "crm", "title": "CRM", "version": "1.0.0", "auth": { "kind": "none" },
            "origins": ["https://*.example.com"],
            "routes": [
                { "methods": ["GET"], "path": "/record/{id}", "effect": "read" },
                { "methods": ["PATCH"], "path": "/record/{id}", "effect": "write", "finds_out": finds_out },
            ],
            "toolsets": { "records": "Records" },
        });
        let manifest = Manifest::from_json(&manifest.to_string()).unwrap();
        let described = vec![
            tool("get", effects::Effect::Read),
            tool("put", effects::Effect::Write),
        ];
        let tools = tool::check(described, &manifest).unwrap();
        match check(&manifest, &tools) {
            Ok(()) => Vec::new(),
            Err(InstallError::Calls(problems)) => problems
                .into_iter()
                .map(|problem| problem.pointer.replace("/routes/1/finds_out", ""))
                .collect(),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn a_call_that_can_be_made_is_taken() {
        for arguments in [
            // That an id has fifteen digits is not known before there is one.
            json!({ "id": "{id}" }),
            json!({ "id": "{id}", "ids": "{ids}", "limit": 5, "form": "long" }),
            json!({ "id": "123456789012345" }),
        ] {
            let none: [&str; 0] = [];
            assert_eq!(
                problems(json!({ "tool": "get", "arguments": arguments })),
                none
            );
        }
    }

    #[test]
    fn a_call_that_cannot_be_made_is_refused_where_the_connector_is_installed() {
        for (tool, arguments, at) in [
            ("look", json!({ "id": "{id}" }), "/tool"),
            ("put", json!({ "id": "{id}" }), "/tool"),
            ("get", json!({}), "/arguments"),
            ("get", json!({ "id": "12" }), "/arguments/id"),
            ("get", json!({ "id": ["{id}"] }), "/arguments/id"),
            ("get", json!({ "id": "{ids}" }), "/arguments/id"),
            (
                "get",
                json!({ "id": "{id}", "ids": "{id}" }),
                "/arguments/ids",
            ),
            (
                "get",
                json!({ "id": "{id}", "limit": 50 }),
                "/arguments/limit",
            ),
            (
                "get",
                json!({ "id": "{id}", "form": "{kind}" }),
                "/arguments/form",
            ),
            (
                "get",
                json!({ "id": "{id}", "fields": "{kind}" }),
                "/arguments/fields",
            ),
        ] {
            let found = problems(json!({ "tool": tool, "arguments": arguments }));
            assert_eq!(found, [at], "{tool} {arguments}");
        }
    }
}
