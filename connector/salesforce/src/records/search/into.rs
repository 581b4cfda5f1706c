//! The fields that a search looks into, of which an agent that is limited must be allowed to see every one.
//!
//! Salesforce lists searchable fields by object and release, so this takes more for searchable than is: then a search is refused
//! that would have told nothing, and never the other way round.

use portcullis_sdk::Failure;
use soql::SearchGroup;

use crate::client::{Client, ReadError};
use crate::describe::Field;
use crate::repair::{Asked, repaired};

/// Standard fields that searches of names look into, too, besides those whose own names say so.
const NAMES_TOO: [&str; 6] = [
    "Company",
    "Site",
    "Subject",
    "Title",
    "AccountNumber",
    "Alias",
];

/// Objects into whose texts a search of all fields of another looks, too.
const BESIDES: [(&str, &str); 2] = [("Case", "CaseComment"), ("Solution", "CaseComment")];

/// Refuses a search that would look into what the agent may not see. Costs nothing where nothing is hidden from it.
///
/// # Errors
/// `not-permitted`, without the name of what is hidden.
pub(super) fn check(
    client: &Client<'_>,
    kind: &str,
    group: Option<SearchGroup>,
) -> Result<(), Failure> {
    if client.sees_everything(kind) {
        return Ok(());
    }
    let group = group.unwrap_or(SearchGroup::All);
    let describe = client.describe(kind).map_err(|error: ReadError| {
        let asked = Asked {
            query: None,
            kind: Some(kind),
            pointer: "/objects",
        };
        repaired(client, error, asked)
    })?;
    let visible = client.fields_of(&describe);
    let looks_into_hidden = describe
        .fields()
        .filter(|field| is_in(*field, group))
        .any(|field| !visible.iter().any(|seen| seen.name() == field.name()));
    let besides = BESIDES.iter().any(|(of, other)| {
        group == SearchGroup::All
            && of.eq_ignore_ascii_case(describe.name())
            && !client.may_read(other)
    });
    if !looks_into_hidden && !besides {
        return Ok(());
    }
    let kind = describe.name();
    let hint = match group {
        SearchGroup::All => {
            "\"in\": \"name\" looks into names alone; query compares fields that this agent may see"
        }
        _ => "leave the object out; query compares fields that this agent may see",
    };
    Err(Failure::not_permitted(format!(
        "a search of `{kind}` would look into fields that this agent may not see"
    ))
    .field("/in", "looks into too much")
    .hint(hint))
}

fn is_in(field: Field<'_>, group: SearchGroup) -> bool {
    let kind = field.kind();
    let is_text = !matches!(
        kind,
        "id" | "reference"
            | "boolean"
            | "int"
            | "long"
            | "double"
            | "currency"
            | "percent"
            | "date"
            | "datetime"
            | "time"
    );
    let name = field.name().to_ascii_lowercase();
    let named = |words: &[&str]| is_text && words.iter().any(|word| name.contains(word));
    match group {
        SearchGroup::Email => kind == "email" || named(&["email"]),
        SearchGroup::Phone => kind == "phone" || named(&["phone", "fax", "mobile"]),
        SearchGroup::Name => {
            field.is("nameField")
                || field.compound() == Some("Name")
                || named(&["name"])
                || NAMES_TOO
                    .iter()
                    .any(|known| known.eq_ignore_ascii_case(field.name()))
        }
        SearchGroup::All | SearchGroup::Sidebar => is_text,
    }
}
