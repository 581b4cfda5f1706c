//! The parts of a query that a caller gives one by one: fields, a condition, an order.
//!
//! The attack: a condition that closes its parenthesis and goes on. So each part is parsed by itself, and a query is put
//! together of what was parsed, never of text.

use portcullis_sdk::Failure;
use soql::{Condition, OrderItem, Query, SelectItem};

/// Parses fields of an object or of its parents, each once.
///
/// # Errors
/// `invalid-argument` at the item of `pointer` that is no field.
pub(crate) fn fields(names: &[String], pointer: &str) -> Result<Vec<SelectItem>, Failure> {
    let mut items: Vec<SelectItem> = Vec::with_capacity(names.len());
    for (index, name) in names.iter().enumerate() {
        let parsed = soql::parse_query(&format!("SELECT {name} FROM X"));
        let item = match parsed
            .as_ref()
            .map(|query| (is_bare(query), query.select.as_slice()))
        {
            Ok((true, [item @ SelectItem::Field { alias: None, .. }])) => item.clone(),
            _ => {
                let shown = crate::fence::inline(name, 80);
                return Err(Failure::invalid(format!("`{shown}` is no field"))
                    .field(
                        format!("{pointer}/{index}"),
                        "give an API name, such as `Email` or `Owner.Name`",
                    )
                    .hint("query takes functions and child subqueries, too"));
            }
        };
        if !items.contains(&item) {
            items.push(item);
        }
    }
    Ok(items)
}

/// Parses what stands behind `WHERE`.
///
/// # Errors
/// `invalid-argument` at `pointer`.
pub(crate) fn condition(text: &str, pointer: &str) -> Result<Condition, Failure> {
    let head = "SELECT Id FROM X WHERE ";
    let query = clause(
        head,
        text,
        pointer,
        "such as `Status = 'Open' AND CreatedDate = LAST_N_DAYS:30`",
    )?;
    match query.condition {
        Some(condition) if query.order_by.is_empty() => Ok(condition),
        _ => Err(Failure::invalid("this is more than a condition")
            .field(pointer, "give what stands behind WHERE alone")),
    }
}

/// Parses what stands behind `ORDER BY`.
///
/// # Errors
/// `invalid-argument` at `pointer`.
pub(crate) fn order(text: &str, pointer: &str) -> Result<Vec<OrderItem>, Failure> {
    let query = clause(
        "SELECT Id FROM X ORDER BY ",
        text,
        pointer,
        "such as `CreatedDate DESC`",
    )?;
    Ok(query.order_by)
}

fn clause(head: &str, text: &str, pointer: &str, example: &str) -> Result<Query, Failure> {
    let query = soql::parse_query(&format!("{head}{text}")).map_err(|error| {
        Failure::invalid(format!("this is not SOQL: {}", error.message))
            .field(pointer, error.message.clone())
            .hint(example)
    })?;
    let mut bare = query.clone();
    (bare.condition, bare.order_by) = (None, Vec::new());
    // A semi-join in the condition is a query of its own, and could lock what it finds.
    match is_bare(&bare) && query.writes().is_none() {
        true => Ok(query),
        false => Err(Failure::invalid("this is more than one clause").field(pointer, example)),
    }
}

/// Says whether a query has nothing but what it selects of one object.
fn is_bare(query: &Query) -> bool {
    let rest = Query {
        select: Vec::new(),
        from: Vec::new(),
        span: query.span,
        scope: None,
        condition: None,
        with: None,
        group_by: None,
        having: None,
        order_by: Vec::new(),
        limit: None,
        offset: None,
        all_rows: false,
        for_clauses: Vec::new(),
        update: Vec::new(),
    };
    let mut of_query = query.clone();
    (of_query.select, of_query.from) = (Vec::new(), Vec::new());
    of_query == rest && query.from.len() == 1
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn each_part_is_what_it_says_and_nothing_more() {
        let given = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            fields(&names, "/fields")
        };
        assert_eq!(given(&["Name", "Owner.Name", "Name"]).unwrap().len(), 2);
        for bad in [
            "",
            "Name, Id",
            "Name FROM User",
            "COUNT(Id)",
            "(SELECT Id FROM Contacts)",
            "FIELDS(ALL)",
            "Name n",
            "Na me x",
        ] {
            let failure = given(&["Id", bad]).unwrap_err();
            assert_eq!(failure.fields[0].pointer, "/fields/1", "{bad}");
        }
        assert!(condition("Name LIKE 'a%' OR (NOT Id = NULL)", "/where").is_ok());
        for bad in [
            "",
            "Name = 'a' LIMIT 1",
            "Name = 'a' ORDER BY Id",
            "Name = 'a') FROM User WHERE (Id = NULL",
            "Name = 'a' FOR UPDATE",
            "Name = 'a' GROUP BY Name",
            "Name = 'a' WITH SYSTEM_MODE",
            "Name = 'a' ALL ROWS",
            "Id IN (SELECT AccountId FROM Contact FOR UPDATE)",
        ] {
            let failure = condition(bad, "/where").unwrap_err();
            assert_eq!(failure.fields[0].pointer, "/where", "{bad}");
        }
        assert_eq!(
            order("Name DESC NULLS LAST, Id", "/order_by")
                .unwrap()
                .len(),
            2
        );
        for bad in ["", "Name LIMIT 5", "Name)"] {
            assert!(order(bad, "/order_by").is_err(), "{bad}");
        }
    }
}
