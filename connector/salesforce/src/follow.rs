//! Where the relationships of a query lead: from an object to its parents and to its children.
//!
//! One that no describe knows is refused in the same words as one that leads to what the agent may not see, so that nobody
//! learns of an object by the relationships to it.

use portcullis_sdk::Failure;

use crate::client::{Client, ReadError};
use crate::order;
use crate::repair::near_relationships;

/// Relationships that lead to one and the same object, whatever object they start at.
const WELL_KNOWN: &[(&str, &str)] = &[
    ("Account", "Account"),
    ("Campaign", "Campaign"),
    ("Case", "Case"),
    ("Contact", "Contact"),
    ("CreatedBy", "User"),
    ("LastModifiedBy", "User"),
    ("Lead", "Lead"),
    ("Opportunity", "Opportunity"),
    ("RecordType", "RecordType"),
    ("UserRole", "UserRole"),
];

/// Follows parent relationships from any of `kinds`.
///
/// # Errors
/// There is no such relationship, or it leads to what the agent may not read; a describe was refused.
pub fn follow(
    client: &Client<'_>,
    mut kinds: Vec<String>,
    path: &[&str],
) -> Result<Vec<String>, ReadError> {
    for relationship in path {
        let well_known = WELL_KNOWN
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(relationship));
        let mut targets: Vec<String> = Vec::new();
        match well_known {
            Some((_, kind)) => targets.push((*kind).to_owned()),
            None => {
                // What may not be read is not described: its describe would say what it is related to.
                for kind in kinds.iter().filter(|kind| client.may_read(kind)) {
                    let describe = client.describe(kind)?;
                    if let Some(field) = describe.parent(relationship) {
                        targets.extend(field.targets().map(str::to_owned));
                    }
                }
            }
        }
        let readable = targets.iter().filter(|kind| client.may_read(kind)).count();
        if readable == 0 {
            return Err(unknown(client, &kinds, relationship, false)?.into());
        }
        if readable < targets.len() {
            let message = format!(
                "`{relationship}` leads to several objects, and this agent may not read all of them"
            );
            let hint = format!("choose with TYPEOF: TYPEOF {relationship} WHEN User THEN Name END");
            return Err(Failure::not_permitted(message).hint(hint).into());
        }
        kinds = sorted(targets);
    }
    Ok(kinds)
}

/// Follows a child relationship from any of `kinds`: gives each child with its field that refers to the parent.
///
/// # Errors
/// As [`follow`].
pub fn children(
    client: &Client<'_>,
    kinds: &[String],
    relationship: &str,
) -> Result<Vec<(String, String)>, ReadError> {
    let mut found: Vec<(String, String)> = Vec::new();
    for kind in kinds.iter().filter(|kind| client.may_read(kind)) {
        let describe = client.describe(kind)?;
        let child = describe.child(relationship);
        found.extend(child.map(|child| (child.kind.to_owned(), child.field.to_owned())));
    }
    order::sort_once(&mut found);
    if found.is_empty() || found.iter().any(|(kind, _)| !client.may_read(kind)) {
        return Err(unknown(client, kinds, relationship, true)?.into());
    }
    Ok(found)
}

/// Refuses a relationship that is not there, or leads to what the agent may not read: nobody can tell which.
fn unknown(
    client: &Client<'_>,
    kinds: &[String],
    relationship: &str,
    children: bool,
) -> Result<Failure, ReadError> {
    let what = if children {
        "child relationship"
    } else {
        "relationship"
    };
    let Some(kind) = kinds.iter().find(|kind| client.may_read(kind)) else {
        let message = format!("there is no {what} `{relationship}` that this agent may follow");
        return Ok(Failure::invalid(message.clone()).field("/soql", message));
    };
    let describe = client.describe(kind)?;
    let message = format!("`{kind}` has no {what} `{relationship}` that you may follow");
    let hint = near_relationships(client, relationship, &describe, children);
    Ok(Failure::invalid(message.clone())
        .field("/soql", message)
        .hint(hint))
}

/// Sorts names of objects, each once.
pub fn sorted(mut kinds: Vec<String>) -> Vec<String> {
    order::sort_once(&mut kinds);
    kinds
}
