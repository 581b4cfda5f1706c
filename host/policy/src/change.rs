//! What a connector says that a request changes: `approvals.change` of the contract.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A record that a request changes, in the connector's words.
///
/// Its `Debug` is for logs: it has names and ids, and no value of the record.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// A verb: `create`, `update`, `delete`, `convert`, `send`.
    pub action: String,
    /// The kind of record.
    pub kind: String,
    /// Its id, where it has one.
    pub id: Option<String>,
    /// What a person calls it.
    pub label: String,
    /// Where a person can look at it.
    pub url: Option<String>,
    /// Its fields that change.
    pub fields: Vec<FieldChange>,
    /// What else will or may happen.
    pub notes: Vec<String>,
    /// How to put it back, if that is possible.
    pub undo: Option<String>,
}

/// A field that a request changes.
///
/// Its `Debug` has its name, and neither value.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldChange {
    /// Its name in the service.
    pub name: String,
    /// What a person calls it.
    pub label: String,
    /// A JSON text; none: not known, or not there yet.
    pub before: Option<String>,
    /// A JSON text.
    pub after: Option<String>,
    /// Where `after` stands in the request; none: not sent as such.
    pub pointer: Option<String>,
}

impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Change")
            .field("action", &self.action)
            .field("kind", &self.kind)
            .field("id", &self.id)
            .field("fields", &self.fields)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for FieldChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FieldChange")
            .field("name", &self.name)
            .field("pointer", &self.pointer)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_gets_names_and_no_values() {
        let text = |text: &str| Some(text.to_owned());
        let change = Change {
            action: "update".to_owned(),
            kind: "Contact".to_owned(),
            id: text("003A"),
            label: "Zaphod Beeblebrox".to_owned(),
            url: text("https://acme.example.com/003A?Zaphod"),
            fields: vec![FieldChange {
                name: "Email".to_owned(),
                label: "Zaphod's email".to_owned(),
                before: text("zaphod@before.example"),
                after: text("zaphod@after.example"),
                pointer: text("/Email"),
            }],
            notes: vec!["tells zaphod".to_owned()],
            undo: text("write zaphod back"),
        };
        let logged = format!("{change:?}").to_lowercase();
        assert!(!logged.contains("zaphod"), "{logged}");
        for name in ["update", "contact", "003a", "email", "/email"] {
            assert!(logged.contains(name), "{logged}");
        }
    }
}
