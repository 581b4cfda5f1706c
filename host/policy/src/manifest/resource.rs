//! What of a connector a client can read by an address, as a call of a reading tool: the host knows nothing of the service, and a
//! resource reaches no farther than its tool does.

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::named::escaped;
use super::{Manifest, NamedCall, Problem, ToolCall, UriTemplate};
use crate::BodyPlace;

/// Values of a completion: the protocol has no more (MCP, "Completion").
pub const COMPLETIONS_MAX: usize = 100;
/// Characters of a value that a client is shown.
const COMPLETION_CHARS_MAX: usize = 255;
/// The placeholder of what was typed so far.
const TYPED: &str = "value";

/// Something that can be read by its address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResourceSpec {
    /// Its address, or the template of the addresses of many. The scheme is the connector's name.
    pub uri: UriTemplate,
    /// For programs: unique in the connector.
    pub name: String,
    /// For people.
    pub title: String,
    /// For models, and for people who choose what a model reads.
    pub description: String,
    /// The media type of what is read: `application/json` is the tool's structured answer, anything else its text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// The call that reads it.
    pub read: NamedCall,
    /// What completes its variables, by their names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub complete: BTreeMap<String, Completing>,
    /// Where it is a record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<RecordVariables>,
}

/// The variables of a record's address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordVariables {
    /// The one of its kind.
    pub kind: String,
    /// The one of its id.
    pub id: String,
}

/// The call that gives values for an argument, and where they stand in its answer. Its placeholders are the other arguments, and
/// `{value}` for what was typed so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Completing {
    /// The call.
    pub call: NamedCall,
    /// Where the values are in the structured answer.
    pub values: BodyPlace,
}

impl ResourceSpec {
    /// Says whether it has variables.
    pub fn is_template(&self) -> bool {
        self.uri.variables().next().is_some()
    }

    /// Gives the media type of what is read.
    pub fn media_type(&self) -> &str {
        self.media_type.as_deref().unwrap_or("text/plain")
    }

    /// Gives the address of a record; none where this is another's.
    pub fn uri_of_record(&self, kind: &str, id: &str) -> Option<String> {
        let record = self.record.as_ref()?;
        let values = [(&record.kind, kind), (&record.id, id)];
        let values = values.map(|(name, value)| (name.clone(), value.to_owned()));
        self.uri.uri(&BTreeMap::from(values))
    }

    /// Gives the address by which a call is made again; none where it has none.
    pub fn uri_of_call(&self, tool: &str, arguments: &Map<String, Value>) -> Option<String> {
        self.uri.uri(&self.read.values_of(tool, arguments)?)
    }
}

impl Completing {
    /// Gives the call for what was typed and for what the other arguments are; none where one that it needs is not known yet.
    pub fn call(&self, typed: &str, others: &BTreeMap<String, String>) -> Option<ToolCall> {
        if typed.chars().count() > COMPLETION_CHARS_MAX || typed.chars().any(char::is_control) {
            return None;
        }
        let mut values = others.clone();
        values.insert(TYPED.to_owned(), typed.to_owned());
        self.call.call(&values)
    }

    /// Gives the values of an answer, at most [`COMPLETIONS_MAX`], and whether there are more: each once, in the answer's order.
    pub fn values_of(&self, answer: &Value) -> (Vec<String>, bool) {
        let is_shown = |text: &&str| {
            !text.is_empty()
                && text.chars().count() <= COMPLETION_CHARS_MAX
                && !text.chars().any(char::is_control)
        };
        let mut seen = HashSet::new();
        let texts = self.values.texts(answer).into_iter();
        let mut values: Vec<String> = texts
            .filter(is_shown)
            .filter(|text| seen.insert(*text))
            .take(COMPLETIONS_MAX + 1)
            .map(str::to_owned)
            .collect();
        let has_more = values.len() > COMPLETIONS_MAX;
        values.truncate(COMPLETIONS_MAX);
        (values, has_more)
    }
}

impl Manifest {
    /// Finds the resource at an address, and the call that reads it; of several that fit the most specific.
    pub fn resource(&self, uri: &str) -> Option<(&ResourceSpec, ToolCall)> {
        let fitting = self.resources.iter().filter_map(|resource| {
            let values = resource.uri.values(uri)?;
            Some((resource, resource.read.call(&values)?))
        });
        fitting.min_by_key(|(resource, _)| resource.uri.rank())
    }
}

/// Finds what is wrong with a manifest's resources.
pub(super) fn check(manifest: &Manifest, problems: &mut Vec<Problem>) {
    for (index, resource) in manifest.resources.iter().enumerate() {
        let at = format!("/resources/{index}");
        let mut add = |member: &str, problem: String| {
            let pointer = format!("{at}/{member}");
            problems.push(Problem { pointer, problem });
        };
        let before = &manifest.resources[..index];
        if resource.uri.scheme() != manifest.name.as_str() {
            let problem = format!(
                "it begins with the connector's name: `{}://`",
                manifest.name
            );
            add("uri", problem);
        }
        if let Some(one) = before.iter().find(|one| one.uri.is_same_as(&resource.uri)) {
            add("uri", format!("`{}` is the same", one.uri));
        }
        if before.iter().any(|one| one.name == resource.name) {
            add("name", format!("`{}` is there twice", resource.name));
        }
        let variables: Vec<&str> = resource.uri.variables().collect();
        if let Some(record) = &resource.record {
            for (member, name) in [("record/kind", &record.kind), ("record/id", &record.id)] {
                if !variables.contains(&name.as_str()) {
                    add(member, format!("the address has no `{{{name}}}`"));
                }
            }
            if variables.len() != 2 || record.kind == record.id {
                add(
                    "record",
                    "a record's address has its kind and its id, and no other variable".to_owned(),
                );
            }
        }
        for name in resource.complete.keys() {
            if !variables.contains(&name.as_str()) {
                let member = format!("complete/{}", escaped(name));
                add(&member, format!("the address has no `{{{name}}}`"));
            }
        }
        resource
            .read
            .problems(&format!("{at}/read"), &variables, problems);
        for (name, completing) in &resource.complete {
            let at = format!("{at}/complete/{}", escaped(name));
            check_completing(completing, name, &variables, &at, problems);
        }
    }
}

/// Finds placeholders of a completion that stand for nothing, or for two things.
pub(super) fn check_completing(
    completing: &Completing,
    of: &str,
    arguments: &[&str],
    at: &str,
    problems: &mut Vec<Problem>,
) {
    let others = arguments.iter().copied().filter(|name| *name != of);
    let mut known: Vec<&str> = others.collect();
    if known.contains(&TYPED) {
        let problem = format!(
            "`{{{TYPED}}}` is what was typed so far: an argument beside it cannot be called `{TYPED}`"
        );
        let pointer = at.to_owned();
        problems.push(Problem { pointer, problem });
    }
    known.push(TYPED);
    completing
        .call
        .problems(&format!("{at}/call"), &known, problems);
}

#[cfg(test)]
#[path = "resource_tests.rs"]
mod tests;
