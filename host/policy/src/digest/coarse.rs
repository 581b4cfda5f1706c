//! Two digests that are coarser than that of a request: of what leaves alone, whatever was said of it, and of what alike requests share.
//!
//! The attack on the first: the same request, asked for in other words. A connector that reads `account` as `Account` sends the same
//! bytes for both, and a no to one is a no to the other.
//!
//! The attack on the second: a rule that a person made on seeing one request lets another one pass. What is no field of a record is
//! bound, but for what a person expects to differ: the record, the values, and what must still hold of the record. Nor is a field told by its
//! name alone: `/External_Id__c` is the record's, and `/Owner/External_Id__c` says whose it is. So where the fields stand is bound, too.

use std::collections::BTreeSet;

use super::{Digest, Parts};
use crate::{
    AgentId, Change, ConnectionId, ConnectorName, Method, Origin, PersonId, RequestPath, ToolName,
};

/// Headers that only ever have a request refused, by the state of the record (RFC 9110, section 13.1). Their values differ from record to record.
const PRECONDITIONS: [&str; 5] = [
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
];

/// What leaves, on whose behalf. How the call was spelled, what was announced and the connector's version are no part of it, nor what the record
/// must still be like: that changes nothing of what is done.
#[derive(Clone, Copy, Debug)]
pub struct BoundSent<'a> {
    /// The connector, in whichever version.
    pub connector: &'a ConnectorName,
    /// For whom.
    pub person: &'a PersonId,
    /// By whom.
    pub agent: &'a AgentId,
    /// As whom.
    pub connection: &'a ConnectionId,
    /// The request's method.
    pub method: Method,
    /// Where it goes.
    pub origin: &'a Origin,
    /// Its path and query.
    pub path: &'a RequestPath,
    /// Its headers, but those that are the host's.
    pub headers: &'a [(String, Vec<u8>)],
    /// Its body.
    pub body: &'a [u8],
}

impl BoundSent<'_> {
    /// Gives the keyed digest, as [`BoundRequest::digest`](super::BoundRequest::digest) does; it is equal to none of those.
    pub fn digest(&self, key: &[u8; 32]) -> Digest {
        let mut parts = Parts::new(key);
        parts.add("sent", b"1");
        parts.add("connector", self.connector.as_str().as_bytes());
        parts.add("person", self.person.as_str().as_bytes());
        parts.add("agent", self.agent.as_str().as_bytes());
        parts.add("connection", self.connection.as_str().as_bytes());
        parts.add("method", self.method.as_str().as_bytes());
        parts.add("origin", self.origin.to_string().as_bytes());
        parts.add("path", self.path.as_str().as_bytes());
        parts.headers(&without_preconditions(self.headers));
        parts.add("body", self.body);
        parts.finish()
    }
}

/// What requests have in common that a standing approval may cover: all but the record, the names of fields and their values.
#[derive(Clone, Copy, Debug)]
pub struct BoundAlike<'a> {
    /// The digest of the connector's component: another version is none that a person has seen at work.
    pub component: Digest,
    /// The tool.
    pub tool: &'a ToolName,
    /// As whom.
    pub connection: &'a ConnectionId,
    /// The service's id of the organization.
    pub organization: Option<&'a str>,
    /// The request's method.
    pub method: Method,
    /// Where it goes.
    pub origin: &'a Origin,
    /// The template of its route.
    pub route: Option<&'a str>,
    /// Its headers, but those that are the host's.
    pub headers: &'a [(String, Vec<u8>)],
    /// What the connector announced: the actions and kinds of it, and where its fields stand.
    pub changes: &'a [Change],
}

impl BoundAlike<'_> {
    /// Gives the keyed digest, as [`BoundRequest::digest`](super::BoundRequest::digest) does; it is equal to none of those.
    pub fn digest(&self, key: &[u8; 32]) -> Digest {
        let mut parts = Parts::new(key);
        parts.add("alike", b"2");
        parts.add("component", self.component.as_bytes());
        parts.add("tool", self.tool.as_str().as_bytes());
        parts.add("connection", self.connection.as_str().as_bytes());
        parts.option("organization", self.organization);
        parts.add("method", self.method.as_str().as_bytes());
        parts.add("origin", self.origin.to_string().as_bytes());
        parts.option("route", self.route);
        parts.headers(&without_preconditions(self.headers));
        let changes = self.changes.iter();
        let mut kinds: Vec<_> = changes
            .map(|change| (&change.action, &change.kind))
            .collect();
        kinds.sort();
        kinds.dedup();
        parts.count("kinds", kinds.len());
        for (action, kind) in kinds {
            parts.add("action", action.as_bytes());
            parts.add("kind", kind.as_bytes());
        }
        add_places(&mut parts, self.changes);
        parts.finish()
    }
}

/// Adds where the fields stand. Which names there may be is said elsewhere, for fewer of them are covered, too: so of fields that all stand beside
/// each other by their names it is where that is, and else each name with its own place.
fn add_places(parts: &mut Parts, changes: &[Change]) {
    let fields = changes.iter().flat_map(|change| &change.fields);
    let places: BTreeSet<(&str, Option<String>)> = fields
        .map(|field| {
            let place = field.pointer.as_deref().map(of_each_item);
            (field.name.as_str(), place)
        })
        .collect();
    let before_names = places
        .iter()
        .map(|(name, place)| place.as_deref()?.strip_suffix(*name));
    let mut before_names: Vec<Option<&str>> = before_names.collect();
    before_names.dedup();
    if let [Some(before)] = before_names[..] {
        parts.add("beside", before.as_bytes());
        return;
    }
    parts.count("places", places.len());
    for (name, place) in &places {
        parts.add("field", name.as_bytes());
        parts.option("place", place.as_deref());
    }
}

/// Gives a place in a list as that of each of its items: how many records there are, and in which order, differs from request to request.
fn of_each_item(pointer: &str) -> String {
    let is_number = |step: &str| !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_digit());
    let steps = pointer.split('/');
    let steps = steps.map(|step| if is_number(step) { "*" } else { step });
    steps.collect::<Vec<_>>().join("/")
}

/// Gives the headers with the values that preconditions hang on left out; that there is one counts.
fn without_preconditions(headers: &[(String, Vec<u8>)]) -> Vec<(String, Vec<u8>)> {
    let kept = headers.iter().map(|(name, value)| {
        let name = name.to_ascii_lowercase();
        let is_one = PRECONDITIONS.contains(&name.as_str());
        (name, if is_one { Vec::new() } else { value.clone() })
    });
    kept.collect()
}

#[cfg(test)]
#[path = "coarse/tests.rs"]
mod tests;
