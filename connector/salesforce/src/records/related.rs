//! The records that hang on one: its contacts, its tasks, its cases.

use portcullis_sdk::{Failure, Output};
use schemars::JsonSchema;
use serde::Deserialize;
use soql::{FieldPath, Query, SelectItem};

use super::{Ask, clauses, told};
use crate::client::Client;
use crate::columns;
use crate::currency;
use crate::describe::{Child, Describe};
use crate::host::Host;
use crate::json::Json;
use crate::lookup;
use crate::names;
use crate::nearest::{Candidate, listed, nearest};
use crate::repair::described;
use crate::rows;
use crate::touched::Touched;
use crate::zone;

/// Rows, unless the caller says otherwise.
const LIMIT_DEFAULT: u32 = 50;
const LIMIT_MAX: u32 = 200;

/// What `get_related_records` is asked.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct GetRelated {
    /// API name, such as `Account`.
    object: String,
    /// 15 or 18 characters.
    id: String,
    /// Child relationship, such as `Contacts`.
    relationship: String,
    /// Of the children, such as `Email` or `Owner.Name`; default: a few.
    fields: Option<Vec<String>>,
    /// SOQL behind WHERE.
    #[serde(rename = "where")]
    condition: Option<String>,
    /// SOQL behind ORDER BY.
    order_by: Option<String>,
    /// Rows (default 50).
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u32>,
}

/// Gives the records that refer to one by a child relationship.
///
/// # Errors
/// There is no such record, object, relationship or field; the agent may not see it.
pub fn get_related_records(host: &dyn Host, args: &GetRelated) -> Result<Output, Failure> {
    let client = Client::new(host);
    let kind = lookup::object_name(&client, &args.object)?;
    let id = lookup::record_id(&client, kind, &args.id)?;
    let condition = args.condition.as_deref();
    let condition = condition
        .map(|text| clauses::condition(text, "/where"))
        .transpose()?;
    let order_by = args.order_by.as_deref();
    let order_by = order_by
        .map(|text| clauses::order(text, "/order_by"))
        .transpose()?;
    let fields = clauses::fields(args.fields.as_deref().unwrap_or_default(), "/fields")?;
    client.check(&[Touched {
        kind: kind.to_owned(),
        fields: vec!["Id".to_owned()],
    }])?;
    let describe = described(&client, kind)?;
    let child = child_of(&client, &describe, args.relationship.trim())?;
    let limit = args.limit.unwrap_or(LIMIT_DEFAULT).clamp(1, LIMIT_MAX);
    let inner = Query {
        select: match fields.is_empty() {
            true => usual(&client, &child)?,
            false => with_id(fields),
        },
        condition,
        order_by: order_by.unwrap_or_default(),
        limit: Some(u64::from(limit)),
        ..parsed(&format!("SELECT Id FROM {}", child.relationship))?
    };
    let mut query = parsed(&format!(
        "SELECT Id FROM {} WHERE Id = '{id}'",
        describe.name()
    ))?;
    query
        .select
        .push(SelectItem::Subquery(Box::new(inner.clone())));
    let ask = Ask {
        shows_all: false,
        ..Ask::new(&query, "/fields")
    };
    let answered = ask.send(&client)?;
    let Some(parent) = answered.records().first() else {
        return Err(missing(&client, describe.name(), id));
    };
    let children = parent.get_folded(child.relationship).unwrap_or(&Json::Null);
    let records = children.get("records").map_or(&[][..], Json::items);
    super::cite(&client, &[], records);
    let table = rows::table(records, Some(&inner));
    let cursor = children.str_at("nextRecordsUrl").and_then(rows::cursor_of);
    let count = records.len();
    let mut notes = Vec::new();
    if let Some(cursor) = &cursor {
        notes.push(format!("the rest: query_next {cursor}"));
    } else if u32::try_from(count) == Ok(limit) {
        notes.push("the limit is reached: there may be more; raise `limit` (at most 200) or narrow with `where`".to_owned());
    }
    notes.extend(currency::note(
        &client,
        child.kind,
        &currency::shown(&inner),
    ));
    notes.extend(zone::note(&client, &table));
    let head = format!(
        "{} of {} {id}: {}",
        child.relationship,
        describe.name(),
        super::plural(count)
    );
    Ok(told(&client, head, &table, count as u64, cursor, notes))
}

/// Finds a child relationship by its name, or by the object that it alone leads to.
fn child_of<'d>(
    client: &Client<'_>,
    describe: &'d Describe,
    wanted: &str,
) -> Result<Child<'d>, Failure> {
    let children = client.children_of(describe);
    let by_name = |child: &&Child<'_>| child.relationship.eq_ignore_ascii_case(wanted);
    let of_object = |child: &&Child<'_>| child.kind.eq_ignore_ascii_case(wanted);
    let mut alone = children.iter().filter(of_object);
    let found = match (children.iter().find(by_name), alone.next(), alone.next()) {
        (Some(child), _, _) | (None, Some(child), None) => Some(*child),
        _ => None,
    };
    if let Some(child) = found {
        return Ok(child);
    }
    let candidates = children.iter().map(|child| Candidate {
        name: child.relationship,
        label: child.kind,
    });
    let near = nearest(wanted, candidates);
    let kind = describe.name();
    let shown = crate::fence::inline(wanted, 80);
    Err(Failure::invalid(format!(
        "`{kind}` has no child relationship `{shown}` that you may follow"
    ))
    .field("/relationship", "names no child relationship")
    .hint(match near.is_empty() {
        false => format!(
            "child relationships of `{kind}` with near names: {}",
            listed(&near)
        ),
        true => format!(
            "describe_object lists them: {{\"object\": \"{kind}\", \"parts\": [\"children\"]}}"
        ),
    }))
}

/// Adds the id, without which a row leads to nothing.
fn with_id(mut fields: Vec<SelectItem>) -> Vec<SelectItem> {
    let is_id = |item: &SelectItem| matches!(item, SelectItem::Field { path, .. } if path.is("Id"));
    if !fields.iter().any(is_id) {
        fields.insert(0, field("Id"));
    }
    fields
}

/// Selects the fields of a child that say most of it.
fn usual(client: &Client<'_>, child: &Child<'_>) -> Result<Vec<SelectItem>, Failure> {
    let describe = client.describe(child.kind)?;
    let picked = columns::described(client, &describe);
    if picked.is_empty() {
        return Err(Failure::not_permitted(format!(
            "this agent may see no field of `{}`",
            child.kind
        )));
    }
    Ok(picked.iter().map(|name| field(name)).collect())
}

/// Makes an item of a `SELECT` list.
pub(super) fn field(name: &str) -> SelectItem {
    SelectItem::Field {
        path: FieldPath::new(name),
        alias: None,
    }
}

/// Parses a query of our own.
pub(crate) fn parsed(soql: &str) -> Result<Query, Failure> {
    soql::parse_query(soql)
        .map_err(|error| Failure::internal(format!("a query of the connector is no SOQL: {error}")))
}

/// Says that there is no such record.
pub(super) fn missing(client: &Client<'_>, kind: &str, id: &str) -> Failure {
    let of = names::object_of(id)
        .filter(|of| !of.eq_ignore_ascii_case(kind) && client.may_read(of))
        .map_or_else(
            || {
                "an id's first three characters say its object; query finds records by name"
                    .to_owned()
            },
            |of| format!("it is an id of the object `{of}`: give \"object\": \"{of}\""),
        );
    Failure::not_found(format!(
        "there is no `{kind}` with the id {id}, or you may not see it"
    ))
    .field("/id", "is no record that you can see")
    .hint(of)
}
