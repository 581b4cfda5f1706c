//! What is in the recycle bin, and what has left it ([`gone`]).

use portcullis_sdk::{Failure, Output};
use schemars::JsonSchema;
use serde::Deserialize;
use soql::{Condition, Query};

use super::related::{field, parsed};
use super::{Ask, clauses, plural, told};
use crate::client::Client;
use crate::columns;
use crate::describe::Describe;
use crate::host::Host;
use crate::like::containing;
use crate::lookup;
use crate::repair::described;
use crate::rows;
use crate::touched::Touched;
use crate::zone;

mod gone;

const LIMIT_DEFAULT: u32 = 50;
const LIMIT_MAX: u32 = 2_000;

/// The field that a deletion changes last.
const STAMP: &str = "SystemModstamp";

/// What `get_deleted_records` is asked.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct GetDeleted {
    /// API name, such as `Account`.
    object: String,
    /// Part of the name.
    text: Option<String>,
    /// Deleted since: `2026-11-20T00:00:00Z` or a SOQL date such as `LAST_N_DAYS:7`.
    since: Option<String>,
    /// Ids of the last 30 days, those no longer in the bin too.
    #[serde(default)]
    gone: bool,
    /// Rows (default 50).
    #[schemars(range(min = 1, max = 2000))]
    limit: Option<u32>,
}

/// Lists deleted records, the last one first.
///
/// # Errors
/// There is no such object, or its records do not go to a bin; the agent may not see it.
pub fn get_deleted_records(host: &dyn Host, args: &GetDeleted) -> Result<Output, Failure> {
    let client = Client::new(host);
    let kind = lookup::object_name(&client, &args.object)?;
    let limit = args.limit.unwrap_or(LIMIT_DEFAULT).clamp(1, LIMIT_MAX);
    if args.gone {
        return gone::listed(&client, args, kind, limit);
    }
    let since = args.since.as_deref().map(|text| since(text.trim()));
    let since = since.transpose()?;
    client.check(&[Touched {
        kind: kind.to_owned(),
        fields: vec!["Id".to_owned(), "IsDeleted".to_owned(), STAMP.to_owned()],
    }])?;
    let describe = described(&client, kind)?;
    let kind = describe.name();
    if describe.field("IsDeleted").is_none() {
        return Err(
            Failure::invalid(format!("deleted records of `{kind}` are gone for good"))
                .field("/object", "has no recycle bin")
                .hint("\"gone\": true lists their ids"),
        );
    }
    let text = args.text.as_deref().map(str::trim);
    let text = text.filter(|text| !text.is_empty());
    let query = deleted(&client, &describe, limit, since, text)?;
    let ask = Ask {
        deleted: true,
        ..Ask::new(&query, "/object")
    };
    let answered = ask.send(&client)?;
    let count = answered.records().len();
    let mut notes = Vec::new();
    if u32::try_from(count) == Ok(limit) {
        notes.push("the limit is reached: there may be more; raise `limit`, or narrow with `text` or `since`".to_owned());
    }
    if count > 0 {
        notes.push(format!(
            "{STAMP} is when it was deleted; {}",
            zone::said(&client)
        ));
    } else {
        notes.push(
            "the recycle bin keeps records for 15 days; \"gone\": true lists the ids of 30"
                .to_owned(),
        );
    }
    let table = rows::table(answered.records(), Some(&query));
    let cursor = answered
        .reply
        .str_at("nextRecordsUrl")
        .and_then(rows::cursor_of);
    if let Some(cursor) = &cursor {
        notes.insert(0, format!("the rest: query_next {cursor}"));
    }
    let head = format!("deleted `{kind}`: {}", plural(count));
    let total = answered.reply.count_at("totalSize").unwrap_or(count as u64);
    Ok(told(&client, head, &table, total, cursor, notes))
}

/// Writes the query.
fn deleted(
    client: &Client<'_>,
    describe: &Describe,
    limit: u32,
    since: Option<Condition>,
    text: Option<&str>,
) -> Result<Query, Failure> {
    let kind = describe.name();
    let mut query = parsed(&format!(
        "SELECT Id FROM {kind} WHERE IsDeleted = TRUE ORDER BY {STAMP} DESC LIMIT {limit}"
    ))?;
    let mut picked = columns::described(client, describe);
    if !picked.iter().any(|name| name == STAMP) {
        picked.push(STAMP.to_owned());
    }
    query.select = picked.iter().map(|name| field(name)).collect();
    let mut conditions: Vec<Condition> = query.condition.take().into_iter().chain(since).collect();
    if let Some(text) = text {
        let name = describe.name_field().map(|field| field.name().to_owned());
        let name = name.filter(|name| picked.contains(name)).ok_or_else(|| {
            Failure::invalid(format!("`{kind}` has no name to look for"))
                .field("/text", "leave it out")
        })?;
        let named = format!("{name} LIKE {}", containing(text));
        conditions.push(clauses::condition(&named, "/text")?);
    }
    query.condition = match conditions.len() {
        1 => conditions.pop(),
        _ => Some(Condition::And(conditions)),
    };
    Ok(query)
}

/// Makes its first moment of a bare day, since the service compares moments with moments.
fn at_midnight(text: &str) -> String {
    let is_day = text.len() == 10
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'-');
    match is_day {
        true => format!("{text}T00:00:00Z"),
        false => text.to_owned(),
    }
}

/// Parses a moment or a relative date.
fn since(text: &str) -> Result<Condition, Failure> {
    let moment = at_midnight(text);
    match clauses::condition(&format!("{STAMP} >= {moment}"), "/since") {
        Ok(condition @ Condition::Comparison { .. }) => Ok(condition),
        _ => Err(Failure::invalid("this is no moment")
            .field("/since", "is no moment and no SOQL date")
            .hint("such as `2026-11-20T00:00:00Z` or `LAST_N_DAYS:7`")),
    }
}
