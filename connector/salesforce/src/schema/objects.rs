//! Which objects the org has.

use portcullis_sdk::http::{Request, path};
use portcullis_sdk::{Failure, Output};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{BOUNDS, Page, cell_of};
use crate::client::{Client, ReadError};
use crate::host::Host;
use crate::json::Json;
use crate::nearest::{Candidate, listed, nearest};
use crate::order;
use crate::table::Table;

/// What `list_objects` is asked.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct ListObjects {
    /// Part of the name or label, in any case.
    text: Option<String>,
    /// Include history, share, feed, tag and change-event objects.
    #[serde(default)]
    technical: bool,
    /// Rows (default 100).
    #[schemars(range(min = 1, max = 1000))]
    limit: Option<u32>,
    /// From the last answer.
    cursor: Option<String>,
}

/// What `list_objects` answers as data.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Listed {
    columns: Vec<&'static str>,
    rows: Vec<Vec<String>>,
    /// Objects that fit.
    total: usize,
    cursor: Option<String>,
}

/// Lists the org's objects.
///
/// # Errors
/// The cursor is none of ours, or the org does not answer.
pub fn list_objects(host: &dyn Host, args: &ListObjects) -> Result<Output, Failure> {
    let client = Client::new(host);
    host.step("Listed the org's objects", args.text.as_deref());
    let objects = objects(&client)?;
    let found = Found::new(&objects, args);
    let page = Page::of(found.shown.len(), args.limit, args.cursor.as_deref())?;
    let rows: Vec<Vec<String>> = found.shown[page.range()]
        .iter()
        .map(|object| {
            ["name", "label", "keyPrefix"]
                .map(|name| text_of(object, name).to_owned())
                .to_vec()
        })
        .collect();
    let columns = vec!["name", "label", "prefix"];
    let cells = rows
        .iter()
        .map(|row| row.iter().map(|cell| cell_of(cell)).collect());
    let mut text = vec![page.said("objects")];
    text.extend(found.near);
    if !rows.is_empty() {
        text.push(
            client.fenced(
                &Table::plain(columns.iter().copied(), cells)
                    .render(BOUNDS)
                    .text,
            ),
        );
    }
    if found.technical > 0 {
        text.push(format!(
            "{} history, share, feed, tag and change-event objects left out; \"technical\": true shows them",
            found.technical
        ));
    }
    let cursor = page.next();
    let data = Json::object([
        ("columns", Json::names(&columns)),
        ("rows", Json::rows(&rows)),
        ("total", (found.shown.len() as u64).into()),
        ("cursor", cursor.clone().into()),
    ]);
    Ok(data.answer(text.join("\n")).cursor(cursor))
}

/// The objects that fit.
struct Found<'a> {
    /// The closest to what was asked first; else in the service's order.
    shown: Vec<&'a Json>,
    /// How many only accompany others and were not asked for.
    technical: usize,
    /// Where none fits: names that are near.
    near: Option<String>,
}

impl<'a> Found<'a> {
    fn new(objects: &'a Json, args: &ListObjects) -> Self {
        let wanted = args
            .text
            .as_deref()
            .unwrap_or_default()
            .trim()
            .to_lowercase();
        let usable = || objects.items().iter().filter(|object| is_usable(object));
        let fits = |object: &&Json| {
            let mut texts = ["name", "label", "labelPlural"]
                .into_iter()
                .map(|name| text_of(object, name));
            wanted.is_empty() || texts.any(|text| text.to_lowercase().contains(&wanted))
        };
        // What was asked for by its own name is never hidden.
        let (mut shown, technical): (Vec<_>, Vec<_>) = usable().filter(fits).partition(|object| {
            let name = text_of(object, "name");
            args.technical || !is_technical(name) || name.eq_ignore_ascii_case(&wanted)
        });
        if !wanted.is_empty() {
            let distance = |object: &Json| {
                let [name, label] =
                    ["name", "label"].map(|name| text_of(object, name).to_lowercase());
                (
                    name != wanted && label != wanted,
                    !name.starts_with(&wanted),
                )
            };
            order::sort_by(&mut shown, |one, other| distance(one).cmp(&distance(other)));
        }
        let near = || {
            let candidates = usable().map(|object| Candidate {
                name: text_of(object, "name"),
                label: text_of(object, "label"),
            });
            let near = nearest(&wanted, candidates);
            (!near.is_empty()).then(|| format!("near names: {}", listed(&near)))
        };
        let near = if shown.is_empty() && technical.is_empty() {
            near()
        } else {
            None
        };
        Self {
            shown,
            technical: technical.len(),
            near,
        }
    }
}

fn text_of<'a>(object: &'a Json, name: &str) -> &'a str {
    object.str_at(name).unwrap_or_default()
}

/// Reads the global describe's list of objects, as far as the agent may read them; the host caches it.
///
/// # Errors
/// The org does not answer.
pub fn objects(client: &Client<'_>) -> Result<Json, ReadError> {
    let version = client.version()?;
    let reply = client.read(|| Request::get(path!("/services/data/{}/sobjects", version)))?;
    let objects = reply.json.get("sobjects").map_or(&[][..], Json::items);
    let readable = objects
        .iter()
        .filter(|object| client.may_read(text_of(object, "name")));
    Ok(Json::Array(readable.cloned().collect()))
}

fn is_usable(object: &Json) -> bool {
    object.is_true_at("queryable") && !object.is_true_at("deprecatedAndHidden")
}

/// Says whether an object only accompanies another.
fn is_technical(name: &str) -> bool {
    [
        "History",
        "Share",
        "Feed",
        "ChangeEvent",
        "__Tag",
        "OwnerSharingRule",
    ]
    .iter()
    .any(|suffix| name.len() > suffix.len() && name.ends_with(suffix))
}
