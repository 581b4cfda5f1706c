//! List views: which there are, and what one shows.
//!
//! A view's own columns, filter and order may have what the agent may not see, so its SOQL is read first, narrowed, and asked
//! about like any other. That also leaves the view as it is, where opening it would count as having looked at it.

use portcullis_sdk::http::{Request, path};
use portcullis_sdk::{Failure, Output, Reason};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use soql::{Query, SelectItem};

use super::{Ask, plural, told};
use crate::client::{Client, ReadError};
use crate::currency;
use crate::fence;
use crate::host::Host;
use crate::json::Json;
use crate::lookup;
use crate::names;
use crate::nearest::{Candidate, nearest};
use crate::repair::{Asked, repaired};
use crate::rows;
use crate::table::{Bounds, Table};
use crate::touched::{self, Touched};
use crate::zone;

const LIMIT_DEFAULT: u32 = 50;
const LIMIT_MAX: u32 = 2_000;

const BOUNDS: Bounds = Bounds {
    cell_chars_max: 200,
    text_bytes_max: 60_000,
};

/// What `list_views` is asked.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct ListViews {
    /// API name, such as `Account`.
    object: String,
    /// Part of a label or name.
    text: Option<String>,
    /// From the last answer.
    cursor: Option<String>,
}

/// What `list_views` answers as data.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Views {
    columns: Vec<&'static str>,
    rows: Vec<Vec<String>>,
    cursor: Option<String>,
}

/// What `get_list_view` is asked.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct GetListView {
    /// API name, such as `Account`.
    object: String,
    /// Label, API name or id.
    view: String,
    /// Rows (default 50).
    #[schemars(range(min = 1, max = 2000))]
    limit: Option<u32>,
}

/// Lists the list views of an object.
///
/// # Errors
/// There is no such object, or it has no list views; the agent may not see it.
pub fn list_views(host: &dyn Host, args: &ListViews) -> Result<Output, Failure> {
    let client = Client::new(host);
    let kind = lookup::object_name(&client, &args.object)?;
    may_read(&client, kind)?;
    host.step("Listed list views", Some(kind));
    let offset = args.cursor.as_deref().map(str::trim).map(|cursor| {
        cursor.parse::<u32>().map_err(|_| {
            Failure::invalid("the cursor is none of this tool's")
                .field("/cursor", "take it from the last answer, or leave it out")
        })
    });
    let (views, cursor) = page(&client, kind, offset.transpose()?)?;
    let wanted = args
        .text
        .as_deref()
        .unwrap_or_default()
        .trim()
        .to_lowercase();
    let fits = |view: &&View| {
        [&view.label, &view.name]
            .iter()
            .any(|text| text.to_lowercase().contains(&wanted))
    };
    let shown: Vec<Vec<String>> = views
        .iter()
        .filter(fits)
        .map(|view| vec![view.label.clone(), view.name.clone(), view.id.clone()])
        .collect();
    let columns = vec!["label", "name", "id"];
    let cells = shown
        .iter()
        .map(|row| row.iter().map(|cell| cell.as_str().into()).collect());
    let table = Table::plain(columns.iter().copied(), cells);
    let mut text = vec![format!("list views of {kind}: {}", shown.len())];
    if let Some(cursor) = &cursor {
        text.push(format!(
            "of the first {}; the rest: \"cursor\": \"{cursor}\"",
            views.len()
        ));
    }
    if shown.is_empty() {
        let near = nearest(&wanted, views.iter().map(View::candidate));
        text.extend(near_names(&near));
    } else {
        text.push(client.fenced(&table.render(BOUNDS).text));
    }
    host.cite(&[portcullis_sdk::audit::Source::new(kind)]);
    let data = Views {
        columns,
        rows: shown,
        cursor: cursor.clone(),
    };
    Ok(Output::text(text.join("\n"))
        .structured(&data)
        .cursor(cursor))
}

/// Shows the records of a list view.
///
/// # Errors
/// There is no such object or view; it filters by what the agent may not see, or by what SOQL does not have.
pub fn get_list_view(host: &dyn Host, args: &GetListView) -> Result<Output, Failure> {
    let client = Client::new(host);
    let kind = lookup::object_name(&client, &args.object)?;
    let wanted = args.view.trim();
    may_read(&client, kind)?;
    host.step("Read a list view", Some(&fence::inline(wanted, 80)));
    let described = describe(&client, kind, wanted)?;
    let soql = described.str_at("query").unwrap_or_default();
    let Ok(mut query) = soql::parse_query(soql) else {
        return Err(Failure::new(
            Reason::Unavailable,
            "this list view filters by what SOQL does not have",
        )
        .field("/view", "cannot be read")
        .hint("query asks for the same records by conditions of your own"));
    };
    if query.writes().is_some() || !is_of(&query, kind) {
        return Err(Failure::internal(
            "the service's words for this list view are not those of a query",
        ));
    }
    let notes_of = narrow(&client, &mut query, &described)?;
    let limit = args.limit.unwrap_or(LIMIT_DEFAULT).clamp(1, LIMIT_MAX);
    query.limit = Some(u64::from(limit));
    let answered = Ask::new(&query, "/view").send(&client);
    let answered = answered.map_err(unseen_by_the_account)?;
    let table = rows::table(answered.records(), Some(&query));
    let count = answered.records().len();
    let total = answered.reply.count_at("totalSize").unwrap_or(count as u64);
    let cursor = answered
        .reply
        .str_at("nextRecordsUrl")
        .and_then(rows::cursor_of);
    let mut notes: Vec<String> = Vec::new();
    if let Some(cursor) = &cursor {
        notes.push(format!("{count} of {total}; the rest: query_next {cursor}"));
    }
    if total == u64::from(limit) {
        notes.push(
            "the limit is reached: there may be more; raise `limit` (at most 2000)".to_owned(),
        );
    }
    notes.extend(notes_of);
    notes.extend(currency::note(&client, kind, &currency::shown(&query)));
    notes.extend(zone::note(&client, &table));
    let head = format!(
        "list view “{}” of {kind}: {}",
        fence::inline(wanted, 80),
        plural(count)
    );
    Ok(told(&client, head, &table, total, cursor, notes))
}

/// A view is there for many: who may not see what it filters by learns no name by it.
fn unseen_by_the_account(failure: Failure) -> Failure {
    match failure.service_code.as_deref() {
        Some(code @ ("INVALID_FIELD" | "INVALID_TYPE")) => Failure::new(
            Reason::NotPermitted,
            "this list view filters by, or shows, what this account may not see",
        )
        .code(code)
        .field("/view", "cannot be read by this account")
        .hint("query asks for records by conditions of your own"),
        _ => failure,
    }
}

fn may_read(client: &Client<'_>, kind: &str) -> Result<(), Failure> {
    client.check(&[Touched {
        kind: kind.to_owned(),
        fields: Vec::new(),
    }])
}

/// A list view, as the list has it.
struct View {
    id: String,
    name: String,
    label: String,
}

impl View {
    fn candidate(&self) -> Candidate<'_> {
        Candidate {
            name: &self.name,
            label: &self.label,
        }
    }
}

fn near_names(near: &[Candidate<'_>]) -> Option<String> {
    (!near.is_empty()).then(|| format!("near names: {}", crate::nearest::listed(near)))
}

/// Reads a page of an object's views, and where the next begins.
fn page(
    client: &Client<'_>,
    kind: &str,
    offset: Option<u32>,
) -> Result<(Vec<View>, Option<String>), Failure> {
    let version = client.version()?;
    let offset = offset.map(|offset| offset.to_string());
    let reply = client.read(|| {
        let request = Request::get(path!(
            "/services/data/{}/sobjects/{}/listviews",
            version,
            kind
        ));
        match &offset {
            Some(offset) => request.query(&[("offset", offset)]),
            None => request,
        }
    });
    let reply = reply.map_err(|error| without_views(client, error, kind))?;
    let views = reply.json.get("listviews").map_or(&[][..], Json::items);
    let text = |view: &Json, name: &str| view.str_at(name).unwrap_or_default().to_owned();
    let views: Vec<View> = views
        .iter()
        .map(|view| View {
            id: text(view, "id"),
            name: text(view, "developerName"),
            label: text(view, "label"),
        })
        .collect();
    let next = reply.json.str_at("nextRecordsUrl").and_then(|url| {
        let (_, offset) = url.split_once("offset=")?;
        Some(
            offset
                .chars()
                .take_while(char::is_ascii_digit)
                .collect::<String>(),
        )
    });
    Ok((views, next.filter(|next| !next.is_empty())))
}

/// An object that is not there is answered with the same words as one that has no views.
fn without_views(client: &Client<'_>, error: ReadError, kind: &str) -> Failure {
    let is_missing = matches!(&error, ReadError::Service(error) if error.is("NOT_FOUND"));
    if is_missing && client.describe(kind).is_ok() {
        return Failure::invalid(format!("`{kind}` has no list views"))
            .code("NOT_FOUND")
            .field("/object", "has no list views")
            .hint("query asks for its records");
    }
    let asked = Asked {
        query: None,
        kind: Some(kind),
        pointer: "/object",
    };
    repaired(client, error, asked)
}

/// Reads what a view is, by its id or API name at once, else by its label.
fn describe(client: &Client<'_>, kind: &str, wanted: &str) -> Result<Json, Failure> {
    if names::api_name(wanted, "/view").is_ok() || names::record_id(wanted).is_ok() {
        match described(client, kind, wanted) {
            Ok(json) => return Ok(json),
            Err(ReadError::Service(error)) if error.is("NOT_FOUND") => {}
            Err(error) => return Err(repaired(client, error, about_view())),
        }
    }
    let (views, _) = page(client, kind, None)?;
    let is_it = |view: &&View| {
        [&view.label, &view.name]
            .iter()
            .any(|text| text.eq_ignore_ascii_case(wanted))
    };
    let mut found = views.iter().filter(is_it);
    let problem = match (found.next(), found.next()) {
        (Some(view), None) => {
            return described(client, kind, &view.id)
                .map_err(|error| repaired(client, error, about_view()));
        }
        (Some(one), Some(other)) => {
            format!("is the label of several: `{}`, `{}`", one.name, other.name)
        }
        (None, _) => "names no list view".to_owned(),
    };
    let near = nearest(wanted, views.iter().map(View::candidate));
    let shown = fence::inline(wanted, 80);
    Err(
        Failure::not_found(format!("`{kind}` has no list view “{shown}”"))
            .field("/view", problem)
            .hint(
                near_names(&near).unwrap_or_else(|| {
                    format!("list_views lists them: {{\"object\": \"{kind}\"}}")
                }),
            ),
    )
}

fn about_view() -> Asked<'static> {
    Asked {
        query: None,
        kind: None,
        pointer: "/view",
    }
}

fn described(client: &Client<'_>, kind: &str, view: &str) -> Result<Json, ReadError> {
    let version = client.version()?;
    let reply = client.read(|| {
        Request::get(path!(
            "/services/data/{}/sobjects/{}/listviews/{}/describe",
            version,
            kind,
            view
        ))
    })?;
    Ok(reply.json)
}

fn is_of(query: &Query, kind: &str) -> bool {
    matches!(query.from.as_slice(), [from] if from.path.is(kind))
}

/// Takes out of a view what it hides itself, and what the agent may not see of its columns and its order. Says what
/// was taken out.
///
/// # Errors
/// It filters by what the agent may not see.
fn narrow(
    client: &Client<'_>,
    query: &mut Query,
    described: &Json,
) -> Result<Vec<String>, Failure> {
    let columns = described.get("columns").map_or(&[][..], Json::items);
    let paths = columns
        .iter()
        .filter(|column| column.is_true_at("hidden"))
        .filter_map(|column| column.str_at("fieldNameOrPath"))
        .filter(|path| *path != "Id");
    let hidden: Vec<&str> = paths.collect();
    query
        .select
        .retain(|item| !hidden.iter().any(|path| is_path(item, path)));
    let mut notes = Vec::new();
    let kind = query
        .from
        .first()
        .map(|from| from.path.to_string())
        .unwrap_or_default();
    if client.sees_everything(&kind) {
        return Ok(notes);
    }
    let bare = Query {
        select: vec![super::related::field("Id")],
        order_by: Vec::new(),
        ..query.clone()
    };
    if !is_visible(client, &bare) {
        return Err(Failure::not_permitted(
            "this list view filters by what this agent may not see",
        )
        .field("/view", "cannot be shown")
        .hint("query asks for records by conditions of your own"));
    }
    let with = |select: Vec<SelectItem>, order_by| Query {
        select,
        order_by,
        condition: None,
        ..bare.clone()
    };
    let columns = query.select.len();
    query
        .select
        .retain(|item| is_visible(client, &with(vec![item.clone()], Vec::new())));
    if query.select.len() < columns {
        notes.push("columns that this agent may not see are left out".to_owned());
    }
    if query.select.is_empty() {
        query.select.push(super::related::field("Id"));
    }
    let keys = query.order_by.len();
    query.order_by.retain(|key| {
        is_visible(
            client,
            &with(vec![super::related::field("Id")], vec![key.clone()]),
        )
    });
    if query.order_by.len() < keys {
        notes.push(
            "the view's order is by what this agent may not see: rows come in another".to_owned(),
        );
    }
    Ok(notes)
}

fn is_path(item: &SelectItem, path: &str) -> bool {
    matches!(item, SelectItem::Field { path: field, .. } if field.is(path))
}

/// Says whether the agent may see all that a query touches.
fn is_visible(client: &Client<'_>, query: &Query) -> bool {
    client.check(touched::named_outright(query).kinds()).is_ok()
        && touched::by_query(client, query).is_ok_and(|all| client.check(all.kinds()).is_ok())
}
