//! List views: which there are, and what one shows.
//!
//! A view's own columns, filter and order may have what the agent may not see, so its SOQL is read first, narrowed, and asked
//! about like any other. That also leaves the view as it is, where opening it would count as having looked at it. The host
//! remembers what a view is for a minute, as it does what an object is; what does not hold any more is asked for anew.

use portcullis_sdk::{Failure, Output, Reason};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use soql::{Query, SelectItem};

mod find;

use super::ask::Answered;
use super::{Ask, plural, told};
use crate::client::Client;
use crate::currency;
use crate::fence;
use crate::host::Host;
use crate::json::Json;
use crate::lookup;
use crate::nearest::nearest;
use crate::repair::repaired;
use crate::rows;
use crate::table::{Bounds, Table};
use crate::touched::{self, Touched};
use crate::zone;
use find::{View, about_view, describe, described, near_names, page};

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
    let data = Json::object([
        ("columns", Json::names(&columns)),
        ("rows", Json::rows(&shown)),
        ("cursor", cursor.clone().into()),
    ]);
    Ok(data.answer(text.join("\n")).cursor(cursor))
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
    let limit = args.limit.unwrap_or(LIMIT_DEFAULT).clamp(1, LIMIT_MAX);
    let view = describe(&client, kind, wanted)?;
    let Opened {
        query,
        answered,
        notes: notes_of,
    } = match open(&client, kind, &view.json, limit) {
        // Somebody may have changed it since.
        Err(failure) if view.from_memory && is_of_the_view(&failure) => {
            let view = described(&client, kind, &view.name, true);
            let view = view.map_err(|error| repaired(&client, error, about_view()))?;
            open(&client, kind, &view.json, limit)?
        }
        opened => opened?,
    };
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

/// The records of a view, and the query that they answer.
struct Opened {
    query: Query,
    answered: Answered,
    /// What was left out.
    notes: Vec<String>,
}

/// Asks for the first records of a view, by its description.
///
/// # Errors
/// It filters by what the agent or the account may not see, or by what SOQL does not have: said of `/view`.
fn open(client: &Client<'_>, kind: &str, described: &Json, limit: u32) -> Result<Opened, Failure> {
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
    let notes = narrow(client, &mut query, described)?;
    query.limit = Some(u64::from(limit));
    let answered = Ask::new(&query, "/view").send(client);
    let answered = answered.map_err(unseen_by_the_account)?;
    Ok(Opened {
        query,
        answered,
        notes,
    })
}

fn is_of_the_view(failure: &Failure) -> bool {
    failure.fields.iter().any(|field| field.pointer == "/view")
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use portcullis_sdk::http::Response;

    use super::*;
    use crate::testing::Org;

    const DESCRIBE: &str = "/services/data/v68.0/sobjects/Account/listviews/All/describe";
    const QUERY: &str = "/services/data/v68.0/query";
    const REFUSED: &str = r#"[{"errorCode":"INVALID_FIELD","message":"No such column 'Gone__c' on entity 'Account'."}]"#;

    fn view(columns: &str) -> String {
        format!(r#"{{"columns":[],"query":"SELECT {columns} FROM Account"}}"#)
    }

    /// As the host answers from its memory.
    fn remembered(columns: &str) -> Response {
        let age = ("Age".to_owned(), b"5".to_vec());
        Response::new(200, vec![age], view(columns))
    }

    fn read(org: &Org) -> Result<Output, Failure> {
        let args = GetListView {
            object: "Account".to_owned(),
            view: "All".to_owned(),
            limit: None,
        };
        get_list_view(org, &args)
    }

    fn described(org: &Org) -> usize {
        let requests = org.requests();
        requests.iter().filter(|target| *target == DESCRIBE).count()
    }

    #[test]
    fn a_view_that_does_not_hold_any_more_is_looked_at_anew() {
        let rows = r#"{"totalSize":1,"done":true,"records":[{"attributes":{"type":"Account"},"Name":"Acme"}]}"#;
        for stale in ["Name, Gone__c", "Name FROM Account ROWS"] {
            let org = Org::new().respond(DESCRIBE, remembered(stale)).answer(
                DESCRIBE,
                200,
                &view("Name"),
            );
            let org = match stale.contains("Gone__c") {
                true => org.answer(QUERY, 400, REFUSED),
                false => org,
            };
            let output = read(&org.answer(QUERY, 200, rows)).unwrap();
            assert!(output.text.contains("Acme"), "{}", output.text);
        }
    }

    #[test]
    fn what_is_not_of_the_view_is_told_at_once() {
        // The newest that there is.
        let org = Org::new()
            .answer(DESCRIBE, 200, &view("Gone__c"))
            .answer(QUERY, 400, REFUSED);
        assert_eq!(read(&org).unwrap_err().reason, Reason::NotPermitted);
        assert_eq!(described(&org), 1);
        // Nothing that another description would mend.
        let org = Org::new()
            .respond(DESCRIBE, remembered("Name"))
            .breaks(QUERY);
        assert_eq!(read(&org).unwrap_err().reason, Reason::Unavailable);
        assert_eq!(described(&org), 1);
    }
}
