//! The calls that a manifest names, to find out whether a change was made, to read a resource, to complete an argument: each must be one of
//! the connector's own reads, and its arguments must fit.

use portcullis_policy::{Effect, FindsOut, Manifest, NamedCall, Problem, ToolCall, ToolName};
use serde_json::{Map, Value};

use super::InstallError;
use super::tool::Tool;

/// A call as a manifest names it.
struct Named<'m> {
    tool: &'m ToolName,
    arguments: &'m Map<String, Value>,
    /// With arguments of the form that they will have.
    sample: Option<ToolCall>,
}

/// Holds every call and every tool that the manifest names to the tools that there are.
pub(super) fn check(manifest: &Manifest, tools: &[Tool]) -> Result<(), InstallError> {
    let mut problems = Vec::new();
    for (at, named) in named(manifest) {
        problems_of(named, tools, &at, &mut problems);
    }
    for (index, prompt) in manifest.prompts.iter().enumerate() {
        for (number, name) in prompt.tools.iter().enumerate() {
            if !tools.iter().any(|tool| tool.name == *name) {
                problems.push(Problem {
                    pointer: format!("/prompts/{index}/tools/{number}"),
                    problem: format!("the connector has no tool `{name}`"),
                });
            }
        }
    }
    match problems.is_empty() {
        true => Ok(()),
        false => Err(InstallError::Calls(problems)),
    }
}

/// Lists the calls that a manifest names, each with its place.
fn named(manifest: &Manifest) -> Vec<(String, Named<'_>)> {
    let mut calls = Vec::new();
    for (index, route) in manifest.routes.iter().enumerate() {
        if let Some(named) = &route.finds_out {
            calls.push((format!("/routes/{index}/finds_out"), Named::from(named)));
        }
    }
    for (index, resource) in manifest.resources.iter().enumerate() {
        let at = format!("/resources/{index}");
        calls.push((format!("{at}/read"), Named::from(&resource.read)));
        for (name, completing) in &resource.complete {
            // A variable's name has nothing that a pointer writes otherwise.
            let at = format!("{at}/complete/{name}/call");
            calls.push((at, Named::from(&completing.call)));
        }
    }
    for (index, prompt) in manifest.prompts.iter().enumerate() {
        for (number, argument) in prompt.arguments.iter().enumerate() {
            if let Some(completing) = &argument.complete {
                let at = format!("/prompts/{index}/arguments/{number}/complete/call");
                calls.push((at, Named::from(&completing.call)));
            }
        }
    }
    calls
}

impl<'m> From<&'m FindsOut> for Named<'m> {
    fn from(named: &'m FindsOut) -> Self {
        Self {
            tool: &named.tool,
            arguments: &named.arguments,
            sample: named.sample(),
        }
    }
}

impl<'m> From<&'m NamedCall> for Named<'m> {
    fn from(named: &'m NamedCall) -> Self {
        Self {
            tool: &named.tool,
            arguments: &named.arguments,
            sample: named.sample(),
        }
    }
}

fn problems_of(named: Named<'_>, tools: &[Tool], at: &str, problems: &mut Vec<Problem>) {
    let mut add = |member: &str, problem: String| {
        problems.push(Problem {
            pointer: format!("{at}/{member}"),
            problem,
        });
    };
    let Some(tool) = tools.iter().find(|tool| tool.name == *named.tool) else {
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
    let Some(sample) = named.sample else {
        return;
    };
    for problem in tool.problems_of_named(named.arguments, sample) {
        let member = format!("arguments{}", problem.pointer);
        add(&member, problem.problem);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::connector::describe::DescribedTool;
    use crate::connector::tool;

    fn tool(name: &str, effect: Effect) -> DescribedTool {
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
        DescribedTool {
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
        let described = vec![tool("get", Effect::Read), tool("put", Effect::Write)];
        let tools = tool::check(&described, &manifest).unwrap();
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
    fn what_is_offered_to_clients_names_reads_that_can_be_made() {
        let manifest = |resource: Value, completed: Value, tools: Value| {
            json!({
                "name": "crm", "title": "CRM", "version": "1.0.0", "auth": { "kind": "none" },
                "origins": [], "routes": [], "toolsets": { "records": "Records" },
                "resources": [{
                    "uri": "crm://{kind}/{id}", "name": "record", "title": "Record", "description": "One.",
                    "read": resource,
                    "complete": { "id": { "call": completed, "values": "/ids/*" } },
                }],
                "prompts": [{
                    "name": "look", "title": "Look", "description": "Looks.", "text": "Use `get` or `put` or `look`.",
                    "tools": tools,
                }],
            })
        };
        let get = || json!({ "tool": "get", "arguments": { "id": "{id}" } });
        let typed = || json!({ "tool": "get", "arguments": { "id": "{value}", "form": "long" } });
        let put = |id: &str| json!({ "tool": "put", "arguments": { "id": id } });
        let both = || json!(["get", "put"]);
        for (manifest, at) in [
            (manifest(get(), typed(), both()), None),
            (
                manifest(put("{id}"), typed(), both()),
                Some("/resources/0/read/tool"),
            ),
            (
                manifest(json!({ "tool": "get", "arguments": {} }), typed(), both()),
                Some("/resources/0/read/arguments"),
            ),
            (
                manifest(get(), put("{value}"), both()),
                Some("/resources/0/complete/id/call/tool"),
            ),
            (
                manifest(
                    get(),
                    json!({ "tool": "get", "arguments": { "id": "{kind}", "limit": 11 } }),
                    both(),
                ),
                Some("/resources/0/complete/id/call/arguments/limit"),
            ),
            // A prompt may name what changes: the tool has its mode all the same.
            (
                manifest(get(), typed(), json!(["look"])),
                Some("/prompts/0/tools/0"),
            ),
        ] {
            let manifest = Manifest::from_json(&manifest.to_string()).unwrap();
            let described = vec![tool("get", Effect::Read), tool("put", Effect::Write)];
            let tools = tool::check(&described, &manifest).unwrap();
            let found = match check(&manifest, &tools) {
                Ok(()) => None,
                Err(InstallError::Calls(problems)) => Some(problems[0].pointer.clone()),
                Err(other) => panic!("{other}"),
            };
            assert_eq!(found.as_deref(), at);
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
