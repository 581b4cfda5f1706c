//! A call of a reading tool that a manifest names, with placeholders for what a client gives: how a resource is read, and what completes
//! an argument.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Problem, ToolCall};
use crate::ToolName;

/// What stands in for a value that is not known yet.
const SAMPLE: &str = "value";

/// A call of a tool that only reads. A string `{name}` in its arguments, which stands alone, is what the variable of that name is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedCall {
    /// The tool.
    pub tool: ToolName,
    /// Its arguments, with placeholders.
    pub arguments: Map<String, Value>,
}

impl NamedCall {
    /// Gives the call for values; none where one is missing.
    pub fn call(&self, values: &BTreeMap<String, String>) -> Option<ToolCall> {
        self.filled(&|name| values.get(name).cloned())
    }

    /// Gives the call with arguments of the form that they will have.
    pub fn sample(&self) -> Option<ToolCall> {
        self.filled(&|_| Some(SAMPLE.to_owned()))
    }

    /// Gives the values by which it is a certain call; none where it never is that one.
    pub fn values_of(
        &self,
        tool: &str,
        arguments: &Map<String, Value>,
    ) -> Option<BTreeMap<String, String>> {
        // What is left out and what is null are the same to a tool.
        let given: Vec<_> = arguments
            .iter()
            .filter(|(_, value)| !value.is_null())
            .collect();
        if self.tool.as_str() != tool || given.len() != self.arguments.len() {
            return None;
        }
        let mut values = BTreeMap::new();
        for (name, value) in given {
            let template = self.arguments.get(name)?;
            match (template.as_str().and_then(placeholder), value) {
                (Some(variable), Value::String(text)) => {
                    let before = values.insert(variable.to_owned(), text.clone());
                    if before.is_some_and(|before| before != *text) {
                        return None;
                    }
                }
                (None, value) if value == template => {}
                _ => return None,
            }
        }
        Some(values)
    }

    fn filled(&self, value_of: &impl Fn(&str) -> Option<String>) -> Option<ToolCall> {
        let arguments = self.arguments.iter();
        let arguments =
            arguments.map(|(name, value)| Some((name.clone(), filled(value, value_of)?)));
        Some(ToolCall {
            tool: self.tool.clone(),
            arguments: arguments.collect::<Option<_>>()?,
            quotes: false,
        })
    }

    /// Finds placeholders of what is not `known`, and braces that are none.
    pub(super) fn problems(&self, at: &str, known: &[&str], problems: &mut Vec<Problem>) {
        for (name, value) in &self.arguments {
            problems_of(
                value,
                &format!("{at}/arguments/{}", escaped(name)),
                known,
                problems,
            );
        }
    }
}

fn filled(template: &Value, value_of: &impl Fn(&str) -> Option<String>) -> Option<Value> {
    match template {
        Value::String(text) => match placeholder(text) {
            Some(name) => value_of(name).map(Value::String),
            None => Some(template.clone()),
        },
        Value::Array(items) => items.iter().map(|item| filled(item, value_of)).collect(),
        Value::Object(members) => {
            let members = members.iter();
            let members =
                members.map(|(name, value)| Some((name.clone(), filled(value, value_of)?)));
            members.collect::<Option<Map<_, _>>>().map(Value::Object)
        }
        other => Some(other.clone()),
    }
}

fn placeholder(text: &str) -> Option<&str> {
    text.strip_prefix('{')?.strip_suffix('}')
}

fn problems_of(value: &Value, at: &str, known: &[&str], problems: &mut Vec<Problem>) {
    match value {
        Value::String(text) if text.contains(['{', '}']) => {
            let is_known = placeholder(text).is_some_and(|name| known.contains(&name));
            if !is_known {
                let names: Vec<String> = known.iter().map(|name| format!("`{{{name}}}`")).collect();
                problems.push(Problem {
                    pointer: at.to_owned(),
                    problem: match names.is_empty() {
                        true => "there is nothing that braces could stand for here".to_owned(),
                        false => format!(
                            "braces stand around a name that takes the whole text: {}",
                            names.join(", ")
                        ),
                    },
                });
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                problems_of(item, &format!("{at}/{index}"), known, problems);
            }
        }
        Value::Object(members) => {
            for (name, value) in members {
                problems_of(value, &format!("{at}/{}", escaped(name)), known, problems);
            }
        }
        _ => {}
    }
}

/// Writes a member's name for a JSON Pointer (RFC 6901, section 3).
pub(super) fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use serde_json::json;

    use super::*;

    fn named(arguments: Value) -> NamedCall {
        serde_json::from_value(json!({"tool": "get", "arguments": arguments})).unwrap()
    }

    fn values(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let pairs = pairs.iter();
        pairs
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn a_value_is_an_argument_and_never_part_of_one() {
        let call = named(json!({"id": "{id}", "deep": [{"of": "{id}"}], "limit": 3, "soql": "x"}));
        // What looks like a placeholder is a value like others.
        let filled = call.call(&values(&[("id", "{limit}")])).unwrap();
        assert_eq!(
            Value::Object(filled.arguments),
            json!({"id": "{limit}", "deep": [{"of": "{limit}"}], "limit": 3, "soql": "x"})
        );
        assert_eq!(call.call(&values(&[("other", "1")])), None);
    }

    #[test]
    fn placeholders_of_nothing_are_found() {
        let mut problems = Vec::new();
        let call =
            named(json!({"a": "{id}", "b": "{other}", "c": "x {id}", "d/": ["{id}", "}"], "e": 1}));
        call.problems("/read", &["id"], &mut problems);
        let found: Vec<&str> = problems
            .iter()
            .map(|problem| problem.pointer.as_str())
            .collect();
        assert_eq!(
            found,
            [
                "/read/arguments/b",
                "/read/arguments/c",
                "/read/arguments/d~1/1"
            ]
        );
    }

    #[test]
    fn a_call_is_known_again_by_its_arguments() {
        let call = named(json!({"object": "{object}", "id": "{id}", "whole": true}));
        let of =
            |tool: &str, arguments: Value| call.values_of(tool, arguments.as_object().unwrap());
        let asked = json!({"object": "Account", "id": "001", "whole": true, "fields": null});
        assert_eq!(
            of("get", asked),
            Some(values(&[("object", "Account"), ("id", "001")]))
        );
        for other in [
            json!({"object": "Account", "id": "001"}),
            json!({"object": "Account", "id": "001", "whole": false}),
            json!({"object": "Account", "id": 1, "whole": true}),
            json!({"object": "Account", "id": "001", "whole": true, "fields": ["Name"]}),
        ] {
            assert_eq!(of("get", other), None);
        }
        assert_eq!(
            of("put", json!({"object": "A", "id": "1", "whole": true})),
            None
        );
        let twice = named(json!({"a": "{x}", "b": "{x}"}));
        let of = |arguments: Value| twice.values_of("get", arguments.as_object().unwrap());
        assert_eq!(of(json!({"a": "1", "b": "1"})), Some(values(&[("x", "1")])));
        assert_eq!(of(json!({"a": "1", "b": "2"})), None);
    }
}
