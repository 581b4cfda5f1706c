//! What a connector says that a request changes: `approvals.change` of the contract.

use serde::{Deserialize, Serialize};

/// A record that a request changes, in the connector's words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
