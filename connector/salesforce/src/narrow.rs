//! `FIELDS(…)` narrowed to what the agent may see.
//!
//! Where the agent sees everything the query stays as it was written; else the fields are named one by one.

use portcullis_sdk::Failure;
use soql::{FieldPath, FieldsKind, Query, SelectItem};

use crate::client::{Client, ReadError};

/// Replaces each `FIELDS(…)` of `query`, and of its child subqueries, that would show a hidden field. Says
/// whether it changed anything.
///
/// # Errors
/// A describe was refused, or nothing is left to select.
pub fn narrow(client: &Client<'_>, query: &mut Query) -> Result<bool, ReadError> {
    let kind = match query.from.first() {
        Some(from) => from.path.to_string(),
        None => return Ok(false),
    };
    narrow_one(client, query, &kind)
}

fn narrow_one(client: &Client<'_>, query: &mut Query, kind: &str) -> Result<bool, ReadError> {
    let mut changed = false;
    let mut select = Vec::with_capacity(query.select.len());
    for item in std::mem::take(&mut query.select) {
        match item {
            SelectItem::Fields { kind: set, span } => match visible(client, kind, set)? {
                None => select.push(SelectItem::Fields { kind: set, span }),
                Some(fields) => {
                    changed = true;
                    select.extend(fields.iter().map(|name| SelectItem::Field {
                        path: FieldPath::new(name),
                        alias: None,
                    }));
                }
            },
            SelectItem::Subquery(mut inner) => {
                let has_sets = inner.select.iter().any(|item| {
                    matches!(item, SelectItem::Fields { .. } | SelectItem::Subquery(_))
                });
                let relationship = inner
                    .from
                    .first()
                    .and_then(|from| from.path.last())
                    .map(|name| name.name.clone());
                if let (true, Some(relationship)) = (has_sets, relationship) {
                    let describe = client.describe(kind)?;
                    // One that no describe knows, or the agent may not follow, is refused when the query is checked.
                    if let Some(child) = describe.child(&relationship)
                        && client.may_read(child.kind)
                    {
                        changed |= narrow_one(client, &mut inner, child.kind)?;
                    }
                }
                select.push(SelectItem::Subquery(inner));
            }
            other => select.push(other),
        }
    }
    drop_repeats(&mut select);
    if select.is_empty() {
        return Err(Failure::not_permitted(format!(
            "no field of `{kind}` that the query asks for is visible to this agent"
        ))
        .into());
    }
    query.select = select;
    Ok(changed)
}

/// Gives the fields of a set that the agent may see; `None` where it may see all.
fn visible(
    client: &Client<'_>,
    kind: &str,
    set: FieldsKind,
) -> Result<Option<Vec<String>>, ReadError> {
    let describe = client.describe(kind)?;
    let fields: Vec<String> = describe
        .fields()
        .filter(|field| match set {
            FieldsKind::All => true,
            FieldsKind::Standard => !field.is("custom"),
            FieldsKind::Custom => field.is("custom"),
        })
        .map(|field| field.name().to_owned())
        .collect();
    let visible = client.visible_fields(describe.name(), &fields);
    Ok((visible.len() < fields.len()).then_some(visible))
}

/// A field that was named beside its set must not be selected twice.
fn drop_repeats(select: &mut Vec<SelectItem>) {
    let mut seen: Vec<String> = Vec::new();
    select.retain(|item| match item {
        SelectItem::Field { path, alias: None } => {
            let name = path.to_string().to_ascii_lowercase();
            let first = !seen.contains(&name);
            seen.push(name);
            first
        }
        _ => true,
    });
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use crate::testing::Org;

    fn narrowed(org: &Org, soql: &str) -> (bool, String) {
        let client = Client::new(org);
        let mut query = soql::parse_query(soql).unwrap();
        let changed = narrow(&client, &mut query).unwrap();
        (changed, query.to_string())
    }

    #[test]
    fn all_stays_where_all_is_visible() {
        let (changed, soql) = narrowed(&Org::new(), "SELECT FIELDS(ALL) FROM Account LIMIT 5");
        assert!(!changed);
        assert_eq!(soql, "SELECT FIELDS(ALL) FROM Account LIMIT 5");
    }

    #[test]
    fn a_hidden_field_makes_it_a_list() {
        let org = Org::new().hide("Account", "AnnualRevenue");
        let (changed, soql) = narrowed(&org, "SELECT Name, FIELDS(STANDARD) FROM Account LIMIT 5");
        assert!(changed);
        assert_eq!(
            soql,
            "SELECT Name, Id, Industry, Description, OwnerId FROM Account LIMIT 5"
        );
        let (_, soql) = narrowed(
            &org.hide("Account", "Score__c"),
            "SELECT FIELDS(CUSTOM) FROM Account LIMIT 5",
        );
        assert_eq!(soql, "SELECT Ext__c FROM Account LIMIT 5");
    }

    #[test]
    fn children_are_narrowed_too() {
        let contact = r#"{"name":"Contact","fields":[{"name":"Id"},{"name":"Email"}]}"#;
        let org = Org::new().hide("Contact", "Email").answer(
            "/services/data/v68.0/sobjects/Contact/describe",
            200,
            contact,
        );
        let (_, soql) = narrowed(
            &org,
            "SELECT Id, (SELECT FIELDS(ALL) FROM Contacts LIMIT 9) FROM Account",
        );
        assert_eq!(
            soql,
            "SELECT Id, (SELECT Id FROM Contacts LIMIT 9) FROM Account"
        );
    }

    #[test]
    fn nothing_visible_is_a_refusal() {
        let org = Org::new()
            .hide("Account", "Score__c")
            .hide("Account", "Ext__c");
        let client = Client::new(&org);
        let mut query = soql::parse_query("SELECT FIELDS(CUSTOM) FROM Account LIMIT 5").unwrap();
        let failure = Failure::from(narrow(&client, &mut query).unwrap_err());
        assert_eq!(failure.reason, portcullis_sdk::Reason::NotPermitted);
    }
}
