//! Deleted records by their ids alone, of the last 30 days, also of those that have left the recycle bin (*REST API Developer
//! Guide*, "sObject Get Deleted").

use portcullis_sdk::audit::Source;
use portcullis_sdk::http::{Request, path};
use portcullis_sdk::{Failure, Output};

use super::{GetDeleted, STAMP, at_midnight};
use crate::client::Client;
use crate::fence;
use crate::json::Json;
use crate::order;
use crate::records::{plural, told};
use crate::repair::{Asked, repaired};
use crate::table::Table;
use crate::touched::Touched;
use crate::writes::moment::Moment;
use crate::zone;

/// How far back the service looks at most; a day less, so that clocks may differ.
const DAYS_BACK: i64 = 29;

/// Lists what was deleted, the last one first.
///
/// # Errors
/// The moment is none, or too long ago; there is no such object, or its deletions are not kept; the agent may not see it.
pub(super) fn listed(
    client: &Client<'_>,
    args: &GetDeleted,
    kind: &str,
    limit: u32,
) -> Result<Output, Failure> {
    if args.text.is_some() {
        return Err(Failure::invalid("nothing but ids is kept of these records")
            .field("/text", "leave it out, or `gone`"));
    }
    let now = Moment::now();
    let start = match args.since.as_deref() {
        None => now.minutes_before(DAYS_BACK * 24 * 60),
        Some(text) => since(text.trim())?,
    };
    client.check(&[Touched {
        kind: kind.to_owned(),
        fields: vec!["Id".to_owned(), STAMP.to_owned()],
    }])?;
    client
        .host
        .step(&format!("Listed deleted {kind}"), args.since.as_deref());
    let version = client.version()?;
    let (from, end) = (start.sent(), now.sent());
    let reply = client.read(|| {
        Request::get(path!(
            "/services/data/{}/sobjects/{}/deleted",
            version,
            kind
        ))
        .query(&[("start", &from), ("end", &end)])
    });
    let reply = reply.map_err(|error| {
        let about = Asked {
            query: None,
            kind: Some(kind),
            pointer: "/object",
        };
        let mut failure = repaired(client, error, about);
        if failure.service_code.as_deref() == Some("INVALID_REPLICATION_DATE")
            && let Some(field) = failure.fields.first_mut()
        {
            "/since".clone_into(&mut field.pointer);
        }
        failure
    })?;
    let deleted = reply.json.get("deletedRecords");
    let text = |record: &Json, name| record.str_at(name).unwrap_or_default().to_owned();
    let mut rows: Vec<(String, String)> = deleted
        .map_or(&[][..], Json::items)
        .iter()
        .map(|record| (text(record, "deletedDate"), text(record, "id")))
        .collect();
    order::sort_by(&mut rows, |one, other| other.cmp(one));
    let total = rows.len();
    rows.truncate(usize::try_from(limit).unwrap_or(total));
    let mut notes = Vec::new();
    if rows.len() < total {
        notes.push(format!(
            "{} deleted before left out: raise `limit` (at most 2000), or narrow with `since`",
            total - rows.len()
        ));
    }
    notes.push(format!(
        "since {from}; what was deleted in the last minute may be missing; {}",
        zone::said(client)
    ));
    // The service counts in minutes, and may lag.
    let covered = reply.json.str_at("latestDateCovered");
    if let Some(until) = covered.filter(|until| Moment::parse(until) < Some(now.minutes_before(2)))
    {
        let until = fence::inline(until, 40);
        notes.push(format!("the org knows of what was deleted until {until}"));
    }
    client.host.cite(&[Source::new(kind).fields(["Id", STAMP])]);
    let cells = rows.iter().map(|(at, id)| {
        let cells = [id.as_str(), at.as_str()];
        cells.map(Json::from).to_vec()
    });
    let table = Table::plain(["Id", "deleted"], cells);
    let head = format!("deleted `{kind}`, gone ones too: {}", plural(rows.len()));
    Ok(told(client, head, &table, total as u64, None, notes))
}

/// Reads a moment; the service takes no relative date here.
fn since(text: &str) -> Result<Moment, Failure> {
    Moment::parse(&at_midnight(text)).ok_or_else(|| {
        Failure::invalid("this is no moment")
            .field("/since", "with `gone` it is a moment, and no SOQL date")
            .hint("such as `2026-11-20T00:00:00Z`")
    })
}
