//! Announcing a change, so that a person can decide on it and the audit log can say it.

pub use crate::bindings::portcullis::connector::approvals::{Change, FieldChange};

use serde::Serialize;

use crate::bindings::portcullis::connector::approvals;
use crate::failure::Failure;

/// Permission to ask for one request that is not a read: pass it to
/// [`Request::change`](crate::http::Request::change). Neither `Clone` nor
/// buildable: each stands for one announcement.
#[derive(Debug)]
#[must_use = "an announcement without its request changes nothing"]
pub struct Ticket(String);

impl Ticket {
    /// Returns the value of the `portcullis-change` header.
    #[must_use]
    pub fn into_header(self) -> String {
        self.0
    }
}

/// Announces what the next request changes. Every request that is not a read
/// needs it, whatever the tool's permission.
///
/// # Errors
///
/// The host's own, such as a kind of record that this agent may not change;
/// return it as it is.
pub fn announce(changes: &[Change]) -> Result<Ticket, Failure> {
    approvals::announce(changes).map(Ticket)
}

impl Change {
    /// Starts a change: a verb (`create`, `update`, `delete`, `convert`,
    /// `send`), the kind of record, and what a person calls the record.
    #[must_use]
    pub fn new(
        action: impl Into<String>,
        kind: impl Into<String>,
        label: impl Into<String>,
    ) -> Self {
        Self {
            action: action.into(),
            kind: kind.into(),
            id: None,
            label: label.into(),
            url: None,
            fields: Vec::new(),
            notes: Vec::new(),
            undo: None,
        }
    }

    /// Names the record's id. The host compares it with the request.
    #[must_use]
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Says where a person can look at the record.
    #[must_use]
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.url = Some(url.into());
        self
    }

    /// Adds a field that changes.
    #[must_use]
    pub fn field(mut self, field: FieldChange) -> Self {
        self.fields.push(field);
        self
    }

    /// Adds what else will or may happen: cascades, duplicates, assignment rules.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Says how to put it back.
    #[must_use]
    pub fn undo(mut self, undo: impl Into<String>) -> Self {
        self.undo = Some(undo.into());
        self
    }
}

impl FieldChange {
    /// Starts a field's change from its name in the service and its label for people.
    #[must_use]
    pub fn new(name: impl Into<String>, label: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            label: label.into(),
            before: None,
            after: None,
            pointer: None,
        }
    }

    /// Says what the field holds now. A value that JSON cannot hold stays unknown.
    #[must_use]
    pub fn before<T: Serialize + ?Sized>(mut self, value: &T) -> Self {
        self.before = serde_json::to_string(value).ok();
        self
    }

    /// Says what the field will hold, and where that stands in the request: a
    /// JSON Pointer, a form key or an XML element path. The host compares the
    /// two and refuses a request that says something else.
    #[must_use]
    pub fn after<T: Serialize + ?Sized>(mut self, value: &T, pointer: impl Into<String>) -> Self {
        self.after = serde_json::to_string(value).ok();
        self.pointer = Some(pointer.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_says_what_was_there_and_what_will_be() {
        let change = Change::new("update", "Account", "Acme")
            .id("001")
            .field(
                FieldChange::new("Name", "Account name")
                    .before("Acme")
                    .after("Acme \"AG\"", "/Name"),
            )
            .note("runs an assignment rule")
            .undo("rename it back");
        let field = &change.fields[0];
        assert_eq!(field.before.as_deref(), Some(r#""Acme""#));
        assert_eq!(field.after.as_deref(), Some(r#""Acme \"AG\"""#));
        assert_eq!(field.pointer.as_deref(), Some("/Name"));
        assert_eq!(change.id.as_deref(), Some("001"));
        assert_eq!(change.notes, ["runs an assignment rule"]);
    }

    #[test]
    fn the_ticket_goes_into_the_header_of_the_request() {
        use crate::http::Request;
        let request = Request::patch("/record").change(Ticket("t-1".to_owned()));
        assert!(format!("{request:?}").contains(r#"("portcullis-change", "t-1")"#));
    }
}
