//! What a person decides on: one model, shown as text, as HTML, or handed on as JSON.
//!
//! It keeps apart what the host knows (the account, the request on the wire, what was found in it) from what the connector says
//! (names, labels, values before, notes) and from what the agent says (its reason). Nothing of the last two is believed.

mod html;
mod sheet;
mod text;

use serde::{Deserialize, Serialize};

use crate::{
    AgentId, Change, ChangeAgreement, ConnectorName, Digest, Effect, Environment, Method, Origin,
    PersonId, ToolName,
};

use sheet::Sheet;

/// A question to a person, whole.
///
/// It holds values of records: it is sealed wherever it is kept, and its `Debug` shows none.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// The connector.
    pub connector: ConnectorName,
    /// What the connector is called.
    pub service: String,
    /// The tool.
    pub tool: ToolName,
    /// What the tool is called.
    pub tool_title: String,
    /// How far the request, or the call, reaches.
    pub effect: Effect,
    /// Who asks.
    pub agent: AgentId,
    /// For whom.
    pub person: PersonId,
    /// As whom.
    pub account: Account,
    /// Why, in the agent's words.
    pub reason: Option<String>,
    /// The call's arguments: a JSON text. They are shown where the question is the whole call.
    pub arguments: String,
    /// What changes; none where the question is the whole call.
    pub changes: Vec<ChangeCard>,
    /// The request; none where the question is the whole call.
    pub wire: Option<WireRequest>,
    /// What is different from the question that was approved before, or that exactly this was, in sentences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differs: Vec<String>,
}

/// The account that would be used.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its user, in the service's words.
    pub user: Option<String>,
    /// Its organization, in the service's words.
    pub organization: Option<String>,
    /// The service's id of the organization.
    pub organization_id: Option<String>,
    /// The kind of system.
    pub environment: Environment,
    /// Where it is.
    pub origin: Origin,
    /// Whether others use it too.
    pub shared: bool,
}

/// A record that would change.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeCard {
    /// A verb.
    pub action: String,
    /// The kind of record.
    pub kind: String,
    /// Whether the request is for that kind, as far as the host can see.
    pub kind_checked: bool,
    /// The record's id.
    pub id: Option<String>,
    /// What the connector calls the record.
    pub label: String,
    /// Where to look at it: on the account's own origin, or not at all.
    pub url: Option<String>,
    /// Its fields.
    pub fields: Vec<FieldCard>,
    /// What else will or may happen, as the connector says.
    pub notes: Vec<String>,
    /// How to put it back, as the connector says.
    pub undo: Option<String>,
}

/// A field that would change.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldCard {
    /// Its name in the service.
    pub name: String,
    /// What the connector calls it.
    pub label: String,
    /// A JSON text: the value before, as the connector says.
    pub before: Option<String>,
    /// A JSON text: the value after.
    pub after: Option<String>,
    /// What vouches for the value after.
    pub checked: Checked,
}

/// What vouches for an announced value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Checked {
    /// It stands in the request.
    InRequest,
    /// The connector alone: it is not sent as such.
    ConnectorSays,
    /// Nothing needs to: it is shown for what is lost.
    NotSent,
}

/// The request, as it would be sent.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WireRequest {
    /// Its method.
    pub method: Method,
    /// Where it goes.
    pub url: String,
    /// Its headers, but the host's own.
    pub headers: Vec<(String, String)>,
    /// Its body, where that is text.
    pub body: Option<String>,
    /// Bytes of its body.
    pub body_bytes: usize,
    /// The body's digest.
    pub body_digest: Digest,
}

impl ChangeCard {
    /// Makes the card of an announced change, with what the host found out about it.
    pub fn new(change: &Change, found: &ChangeAgreement, origin: &Origin) -> Self {
        let fields = change.fields.iter().zip(&found.fields);
        let base = format!("{origin}/");
        let url = change.url.as_ref().filter(|url| url.starts_with(&base));
        Self {
            action: change.action.clone(),
            kind: change.kind.clone(),
            kind_checked: found.kind,
            id: change.id.clone(),
            label: change.label.clone(),
            url: url.cloned(),
            fields: fields
                .map(|(field, is_in_request)| FieldCard {
                    name: field.name.clone(),
                    label: field.label.clone(),
                    before: field.before.clone(),
                    after: field.after.clone(),
                    checked: match (is_in_request, &field.after) {
                        (true, _) => Checked::InRequest,
                        (false, Some(_)) => Checked::ConnectorSays,
                        (false, None) => Checked::NotSent,
                    },
                })
                .collect(),
            notes: change.notes.clone(),
            undo: change.undo.clone(),
        }
    }
}

impl WireRequest {
    /// Takes a request down.
    pub fn new(method: Method, url: String, headers: Vec<(String, String)>, body: &[u8]) -> Self {
        let text = std::str::from_utf8(body).ok();
        Self {
            method,
            url,
            headers,
            body: text.filter(|text| !text.is_empty()).map(str::to_owned),
            body_bytes: body.len(),
            body_digest: Digest::of(body),
        }
    }
}

impl Card {
    /// Says in a line what is asked: for lists, and for the model.
    pub fn title(&self) -> String {
        Sheet::title_of(self)
    }

    /// Lays the card out.
    fn sheet(&self) -> Sheet {
        Sheet::of(self)
    }

    /// Shows the card as lines of text.
    pub fn text(&self) -> String {
        text::render(&self.sheet())
    }

    /// Shows the card as an HTML fragment. Everything in it is escaped; it runs nothing and loads nothing.
    pub fn html(&self) -> String {
        html::render(&self.sheet())
    }

    /// Says what is different from a card that was approved before, in sentences: at least one.
    pub fn differences(&self, before: &Self) -> Vec<String> {
        let mut found = Vec::new();
        let mut differs = |what: &str, is_equal: bool| {
            if !is_equal {
                found.push(what.to_owned());
            }
        };
        let count = self.changes.len();
        differs(
            "the number of records is another",
            count == before.changes.len(),
        );
        for (now, then) in self.changes.iter().zip(&before.changes) {
            let record = |change: &ChangeCard| (change.kind.clone(), change.id.clone());
            let name = format!("{} {}", now.kind, now.id.as_deref().unwrap_or(&now.label));
            if record(now) != record(then) {
                differs(&format!("{name}: it was another record"), false);
                continue;
            }
            for field in &now.fields {
                match then.fields.iter().find(|then| then.name == field.name) {
                    None => differs(&format!("{name}: {} is new", field.name), false),
                    Some(then) => {
                        let before = format!("{name}: {} has changed meanwhile", field.name);
                        differs(&before, then.before == field.before);
                        let after = format!("{name}: {} would get another value", field.name);
                        differs(&after, then.after == field.after);
                    }
                }
            }
            for then in &then.fields {
                let is_there = now.fields.iter().any(|field| field.name == then.name);
                differs(&format!("{name}: {} is left out", then.name), is_there);
            }
            differs(
                &format!("{name}: its name has changed"),
                now.label == then.label,
            );
            differs(
                &format!("{name}: what else may happen is another"),
                now.notes == then.notes,
            );
        }
        differs(
            "the request on the wire is another",
            self.wire == before.wire,
        );
        differs(
            "the account is another",
            self.account.origin == before.account.origin
                && self.account.organization_id == before.account.organization_id,
        );
        if found.is_empty() {
            // It was asked anew, so that something is: what no card shows.
            found.push("what is shown is the same, and the connector's version or the connection is another".to_owned());
        }
        found
    }
}

impl std::fmt::Debug for Card {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Card")
            .field("tool", &self.tool)
            .field("agent", &self.agent)
            .field("person", &self.person)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "card/tests.rs"]
mod tests;
