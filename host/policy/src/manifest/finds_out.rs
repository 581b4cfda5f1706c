//! Which call of a tool finds out whether a change was made, where nobody knows its outcome.
//!
//! A route that changes names the call with placeholders, and what was announced of the change fills them: so the log, and whoever made
//! the call, can say what to look at, and the host knows nothing of the service.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Problem;
use crate::{Change, ToolName};

/// Characters of what is filled in.
const FILLED_CHARS_MAX: usize = 255;

/// A call of a tool that only reads, as a route names it. `{kind}` and `{id}` in the strings of its arguments stand for the first
/// record that was announced, a JSON Pointer in braces for the text that was announced to stand there in the request, and a string
/// `{ids}` for the list of all ids.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FindsOut {
    /// The tool.
    pub tool: ToolName,
    /// Its arguments, with placeholders.
    pub arguments: Map<String, Value>,
}

/// A call of a tool, to be made as it is. Its `Debug` has the names of its arguments, and no value.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolCall {
    /// The tool.
    pub tool: ToolName,
    /// Its arguments.
    pub arguments: Map<String, Value>,
    /// Whether an argument quotes a value of the record, or what is not shaped as a name: then it is told to who may see the record, and
    /// stands in no log that is not sealed.
    #[serde(default, skip_serializing_if = "is_false")]
    pub quotes: bool,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "as `serde` asks for it")]
fn is_false(quotes: &bool) -> bool {
    !quotes
}

impl fmt::Debug for ToolCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&String> = self.arguments.keys().collect();
        f.debug_struct("ToolCall")
            .field("tool", &self.tool)
            .field("arguments", &names)
            .finish()
    }
}

impl fmt::Display for ToolCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arguments = serde_json::to_string(&self.arguments).map_err(|_| fmt::Error)?;
        write!(f, "{} {arguments}", self.tool)
    }
}

/// What stands for what.
struct Filling<'c> {
    kind: &'c str,
    id: Option<&'c str>,
    ids: Vec<&'c str>,
    values: Values<'c>,
}

/// What stands for the values of a request.
enum Values<'c> {
    /// What was announced of the first record.
    Of(&'c Change),
    /// Whatever it may be.
    Any,
}

impl FindsOut {
    /// Gives the call for announced changes; none where they do not have what it needs, such as the id of a record that is yet to be made.
    pub fn call(&self, changes: &[Change]) -> Option<ToolCall> {
        let first = changes.first()?;
        let filling = Filling {
            kind: &first.kind,
            id: first.id.as_deref(),
            ids: changes
                .iter()
                .filter_map(|change| change.id.as_deref())
                .collect(),
            values: Values::Of(first),
        };
        self.filled(&filling)
    }

    /// Gives the call with arguments of the form that they will have.
    pub fn sample(&self) -> Option<ToolCall> {
        self.filled(&Filling {
            kind: "kind",
            id: Some("id"),
            ids: vec!["id"],
            values: Values::Any,
        })
    }

    fn filled(&self, filling: &Filling<'_>) -> Option<ToolCall> {
        let arguments = self.arguments.iter();
        let arguments = arguments.map(|(name, value)| Some((name.clone(), filling.value(value)?)));
        Some(ToolCall {
            tool: self.tool.clone(),
            arguments: arguments.collect::<Option<_>>()?,
            quotes: self.arguments.values().any(names_a_value) || !filling.is_of_names(),
        })
    }

    /// Finds what no announcement could fill in.
    pub(super) fn problems(&self, at: &str) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (name, value) in &self.arguments {
            let name = name.replace('~', "~0").replace('/', "~1");
            problems_of(value, &format!("{at}/arguments/{name}"), &mut problems);
        }
        problems
    }
}

/// Says whether what is at a JSON Pointer into arguments with placeholders is filled in, so that its very characters are not known.
pub fn is_filled_at(arguments: &Map<String, Value>, pointer: &str) -> bool {
    let arguments = Value::Object(arguments.clone());
    let mut at = pointer;
    loop {
        match arguments.pointer(at) {
            Some(value) => return value.as_str().is_some_and(|text| text.contains('{')),
            // An item of the list that stands for `{ids}`.
            None => match at.rsplit_once('/') {
                Some((outer, _)) => at = outer,
                None => return false,
            },
        }
    }
}

/// Says whether a template has a placeholder for a value.
fn names_a_value(template: &Value) -> bool {
    match template {
        Value::String(text) => text.contains("{/"),
        Value::Array(items) => items.iter().any(names_a_value),
        Value::Object(members) => members.values().any(names_a_value),
        _ => false,
    }
}

impl Filling<'_> {
    /// Says whether kind and ids are what they are called: what a connector puts there else may be a value.
    fn is_of_names(&self) -> bool {
        let mut names = [self.kind]
            .into_iter()
            .chain(self.id)
            .chain(self.ids.iter().copied());
        names.all(is_name)
    }

    fn value(&self, template: &Value) -> Option<Value> {
        match template {
            Value::String(text) if text == "{ids}" => {
                let are_plain = !self.ids.is_empty() && self.ids.iter().all(|id| is_line(id));
                are_plain.then(|| self.ids.iter().copied().collect())
            }
            Value::String(text) => self.text(text).map(Value::String),
            Value::Array(items) => items.iter().map(|item| self.value(item)).collect(),
            Value::Object(members) => {
                let members = members.iter();
                let members = members.map(|(name, value)| Some((name.clone(), self.value(value)?)));
                members.collect::<Option<Map<_, _>>>().map(Value::Object)
            }
            other => Some(other.clone()),
        }
    }

    fn text(&self, template: &str) -> Option<String> {
        let mut text = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, behind) = after.split_once('}')?;
            let value = self.named(name)?;
            // Beside other text, such as a query's, nothing is filled in that could be read as part of it.
            let fits = match template.len() == name.len() + "{}".len() {
                true => is_line(&value),
                false => is_name(&value),
            };
            if !fits {
                return None;
            }
            text.push_str(before);
            text.push_str(&value);
            rest = behind;
        }
        text.push_str(rest);
        Some(text)
    }

    fn named(&self, name: &str) -> Option<String> {
        match (name, &self.values) {
            ("kind", _) => Some(self.kind.to_owned()),
            ("id", _) => self.id.map(str::to_owned),
            (_, Values::Any) => Some("value".to_owned()),
            (pointer, Values::Of(change)) => {
                let mut fields = change.fields.iter();
                let field = fields.find(|field| field.pointer.as_deref() == Some(pointer))?;
                serde_json::from_str(field.after.as_deref()?).ok()
            }
        }
    }
}

fn is_line(text: &str) -> bool {
    !text.is_empty()
        && text.chars().count() <= FILLED_CHARS_MAX
        && !text.chars().any(char::is_control)
}

fn is_name(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    is_line(text) && text.bytes().all(is_plain)
}

fn problems_of(value: &Value, at: &str, problems: &mut Vec<Problem>) {
    let mut add = |problem: &str| {
        problems.push(Problem {
            pointer: at.to_owned(),
            problem: problem.to_owned(),
        });
    };
    match value {
        Value::String(text) if text == "{ids}" => {}
        Value::String(text) if text.contains("{ids}") => {
            add("`{ids}` is a list, and stands alone");
        }
        Value::String(text) if !has_known_braces(text) => {
            add(
                "braces stand around `kind`, `id`, `ids` or a JSON Pointer, and around nothing else",
            );
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                problems_of(item, &format!("{at}/{index}"), problems);
            }
        }
        Value::Object(members) => {
            for (name, value) in members {
                let name = name.replace('~', "~0").replace('/', "~1");
                problems_of(value, &format!("{at}/{name}"), problems);
            }
        }
        _ => {}
    }
}

fn has_known_braces(text: &str) -> bool {
    let mut parts = text.split('{');
    let begins_well = parts.next().is_none_or(|before| !before.contains('}'));
    begins_well
        && parts.all(|part| match part.split_once('}') {
            Some((name, behind)) => {
                (matches!(name, "kind" | "id") || name.starts_with('/')) && !behind.contains('}')
            }
            None => false,
        })
}

#[cfg(test)]
#[path = "finds_out/tests.rs"]
mod tests;
