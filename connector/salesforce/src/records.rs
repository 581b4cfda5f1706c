//! The `records` toolset: queries, their further pages, single records.
//!
//! A query is parsed before it is sent: what is no SOQL, or changes something, costs no request, and the host is asked
//! about every object and field it touches.

use portcullis_sdk::audit::Source;
use portcullis_sdk::http::{Request, path};
use portcullis_sdk::{Failure, Output};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::client::Client;
use crate::currency;
use crate::host::Host;
use crate::json::Json;
use crate::names;
use crate::repair::{Asked, repaired};
use crate::rows;
use crate::table::Bounds;
use crate::touched::{self, Touched};
use crate::{narrow, sql, table::Table};

mod ask;
mod clauses;
mod deleted;
mod duplicates;
mod get;
mod recent;
mod related;
mod search;
mod views;

pub(crate) use ask::Ask;
pub use deleted::{GetDeleted, get_deleted_records};
pub use duplicates::{FindDuplicates, find_duplicates};
pub use get::{GetRecord, Record, get_record};
pub use recent::{ListRecent, list_recent};
pub(crate) use related::parsed;
pub use related::{GetRelated, get_related_records};
pub use search::{Found, SearchArgs, search};
pub use views::{GetListView, ListViews, Views, get_list_view, list_views};

/// Rows a page, unless its caller says otherwise: the least that the service takes.
const BATCH_DEFAULT: u16 = 200;

/// The service refuses addresses beyond 16,384 bytes (414), its host's name included.
const TARGET_BYTES_MAX: usize = 16_000;

/// Records named one by one among the sources of an answer.
const RECORDS_CITED_MAX: usize = 25;

const BOUNDS: Bounds = Bounds {
    cell_chars_max: 1_000,
    text_bytes_max: 100_000,
};

/// What `query` is asked.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct QueryArgs {
    /// `SELECT … FROM …`
    soql: String,
    /// Rows a page (default 200); the service may give fewer.
    #[schemars(range(min = 200, max = 2000))]
    batch_size: Option<u16>,
}

/// What `query_next` is asked.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct QueryNext {
    /// From the last answer.
    cursor: String,
}

/// What queries answer as data.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Rows {
    /// Names of the columns; a child subquery is one column.
    columns: Vec<String>,
    /// Values as the service sent them; a child subquery's is null or a table of this same shape.
    rows: Vec<Vec<serde_json::Value>>,
    /// Rows of all pages together; the count itself for `COUNT()`.
    total_size: u64,
    cursor: Option<String>,
}

/// Runs a SOQL query.
///
/// # Errors
/// It is no SOQL, or it changes something; the agent may not see what it touches; the service refuses it.
pub fn query(host: &dyn Host, args: &QueryArgs) -> Result<Output, Failure> {
    let client = Client::new(host);
    let mut parsed = parse(&client, &args.soql)?;
    client.check(touched::named_outright(&parsed).kinds())?;
    let narrowed = narrow::narrow(&client, &mut parsed)
        .map_err(|error| repaired(&client, error, Ask::new(&parsed, "/soql").asked()))?;
    // As it was written where nothing is hidden, so that places in the service's words fit.
    let soql = if narrowed {
        parsed.to_string()
    } else {
        args.soql.clone()
    };
    let ask = Ask {
        batch: args.batch_size.unwrap_or(BATCH_DEFAULT),
        ..Ask::new(&parsed, "/soql")
    };
    let answered = ask.send_as(&client, &soql)?;
    let table = rows::table(answered.records(), Some(&parsed));
    let mut notes = Vec::new();
    let total = answered.reply.count_at("totalSize");
    if parsed.limit.is_some() && parsed.limit == total {
        notes.push("the LIMIT is reached: there may be more".to_owned());
    }
    if narrowed {
        notes.push("FIELDS() was narrowed to the fields that this agent may see".to_owned());
    }
    let kind = touched::named_outright(&parsed);
    let kind = kind.kinds().first().map(|touched| touched.kind.as_str());
    let shown = currency::shown(&parsed);
    notes.extend(kind.and_then(|kind| currency::note(&client, kind, &shown)));
    Ok(answer(&client, &table, &answered.reply, 0, notes))
}

/// Gives the next page of a query.
///
/// # Errors
/// The cursor has ended or is none; the agent may not see what the page shows.
pub fn query_next(host: &dyn Host, args: &QueryNext) -> Result<Output, Failure> {
    let client = Client::new(host);
    // A cursor is often given as the whole address that the service calls it.
    let cursor = rows::cursor_of(args.cursor.trim()).ok_or_else(|| {
        Failure::invalid("this is not a cursor of a query").field(
            "/cursor",
            "take it from the answer of query, such as `01gxx0000000001AAA-200`",
        )
    })?;
    host.step("Read the next page of a query", Some(&cursor));
    let version = client.version()?;
    let asked = Asked {
        query: None,
        kind: None,
        pointer: "/cursor",
    };
    let reply = client
        .read(|| Request::get(path!("/services/data/{}/query/{}", version, cursor)))
        .map_err(|error| repaired(&client, error, asked))?;
    let records = reply.json.get("records").map_or(&[][..], Json::items);
    // The query was checked when it was sent, perhaps for another agent: a page is checked by what it shows.
    let shown = shown(records, true);
    client.check(&shown)?;
    cite(&client, &shown, records);
    let before = cursor
        .rsplit('-')
        .next()
        .and_then(|rows| rows.parse().ok())
        .unwrap_or(0);
    Ok(answer(
        &client,
        &rows::table(records, None),
        &reply.json,
        before,
        Vec::new(),
    ))
}

/// Parses a query that reads and nothing else.
fn parse(client: &Client<'_>, text: &str) -> Result<soql::Query, Failure> {
    let query = soql::parse_query(text).map_err(|error| {
        let hint = match sql::meant(text, |kind, field| parent(client, kind, field)) {
            Some(meant) => format!("write: {meant}"),
            None => sql::advice(text).unwrap_or_else(|| error.excerpt(text)),
        };
        Failure::invalid(format!("this is not SOQL: {error}"))
            .field("/soql", error.message.clone())
            .hint(hint)
    })?;
    match query.writes() {
        None => Ok(query),
        Some(clause) => Err(Failure::invalid(format!(
            "`{clause}` changes records, and this tool only reads"
        ))
        .field("/soql", format!("take `{clause}` out"))),
    }
}

/// Gives the relationship to the parent that a reference field leads to, as far as the agent may follow it.
fn parent(client: &Client<'_>, kind: &str, field: &str) -> Option<String> {
    if names::api_name(kind, "").is_err() || !client.may_read(kind) {
        return None;
    }
    let describe = client.describe(kind).ok()?;
    let field = describe.field(field)?;
    client.relationship_of(field).map(str::to_owned)
}

/// Keeps of what an answer shows what was not asked about by that name, of the objects that were.
fn unasked(
    mut shown: Vec<Touched>,
    asked: &touched::All,
    aliases: &[&soql::Ident],
) -> Vec<Touched> {
    shown.retain_mut(|shown| {
        let mut asked = asked.kinds().iter();
        let Some(asked) = asked.find(|asked| asked.kind.eq_ignore_ascii_case(&shown.kind)) else {
            // A row of an aggregate, or the name of whichever object a reference leads to.
            return false;
        };
        let is_asked = |field: &String| {
            let mut fields = asked.fields.iter();
            fields.any(|one| one.eq_ignore_ascii_case(field))
                || aliases.iter().any(|alias| alias.is(field))
        };
        shown.fields.retain(|field| !is_asked(field));
        !shown.fields.is_empty()
    });
    shown
}

/// Lists what records show; `nulls` says whether what they show as empty counts, too.
fn shown(records: &[Json], nulls: bool) -> Vec<Touched> {
    let mut pairs = Vec::new();
    for record in records {
        rows::shown(record, nulls, &mut pairs);
    }
    let mut shown: Vec<Touched> = Vec::new();
    for (kind, field) in pairs {
        match shown.iter_mut().find(|touched| touched.kind == kind) {
            Some(touched) => touched.fields.push(field.to_owned()),
            None => shown.push(Touched {
                kind: kind.to_owned(),
                fields: vec![field.to_owned()],
            }),
        }
    }
    shown
}

/// Names the objects with their fields, and the first records.
pub(crate) fn cite(client: &Client<'_>, kinds: &[Touched], records: &[Json]) {
    let objects = kinds
        .iter()
        .map(|touched| Source::new(&touched.kind).fields(&touched.fields));
    let records = records.iter().filter_map(|record| {
        let (kind, id) = (rows::kind_of(record)?, record.str_at("Id")?);
        let source = Source::new(kind)
            .id(id)
            .url(names::record_url(client.origin(), kind, id));
        Some(match record.str_at("Name") {
            Some(name) => source.label(name),
            None => source,
        })
    });
    let mut sources = Vec::with_capacity(kinds.len() + RECORDS_CITED_MAX);
    sources.extend(objects.chain(records.take(RECORDS_CITED_MAX)));
    client.host.cite(&sources);
}

/// Writes a page of a query. `before`: how many rows the pages before it had.
fn answer(
    client: &Client<'_>,
    table: &Table,
    reply: &Json,
    before: usize,
    notes: Vec<String>,
) -> Output {
    let count = table.rows.len();
    let total = reply.count_at("totalSize");
    let cursor = reply.str_at("nextRecordsUrl").and_then(rows::cursor_of);
    let head = match (count, total, &cursor) {
        // `COUNT()` answers with a number and no rows.
        (0, Some(total), None) if total > 0 => format!("count: {total}"),
        (_, total, _) if total.is_none_or(|total| total == count as u64) && before == 0 => {
            plural(count)
        }
        (_, total, cursor) => {
            let of = total
                .map(|total| format!(" of {total}"))
                .unwrap_or_default();
            let rest = cursor
                .as_ref()
                .map(|cursor| format!("; the rest: query_next {cursor}"))
                .unwrap_or_default();
            format!("rows {}-{}{of}{rest}", before + 1, before + count)
        }
    };
    told(
        client,
        head,
        table,
        total.unwrap_or(count as u64),
        cursor,
        notes,
    )
}

/// Writes a table as [`Rows`] behind a line that says what it is.
pub(crate) fn told(
    client: &Client<'_>,
    head: String,
    table: &Table,
    total: u64,
    cursor: Option<String>,
    mut notes: Vec<String>,
) -> Output {
    let count = table.rows.len();
    let rendered = table.render(BOUNDS);
    let mut text = vec![head];
    if count > 0 {
        text.push(client.fenced(&rendered.text));
    }
    if rendered.rows_shown < count {
        notes.push(format!(
            "{} rows of this page are too long to show: select fewer fields, or order by Id and continue with WHERE Id > the last one shown",
            count - rendered.rows_shown
        ));
    }
    if rendered.cells_cut > 0 {
        notes.push(format!(
            "{} long values are cut where marked; get_record with `fields` gives them whole",
            rendered.cells_cut
        ));
    }
    text.append(&mut notes);
    let (columns, rows) = table.structured();
    let data = Json::object([
        ("columns", columns),
        ("rows", rows),
        ("total_size", total.into()),
        ("cursor", cursor.clone().into()),
    ]);
    data.answer(text.join("\n")).cursor(cursor)
}

fn plural(count: usize) -> String {
    if count == 1 {
        "1 row".to_owned()
    } else {
        format!("{count} rows")
    }
}

#[cfg(test)]
mod tests;
