//! The records that the user has come across last.

use portcullis_sdk::http::{Request, path};
use portcullis_sdk::{Failure, Output};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{cite, plural, shown, told};
use crate::client::Client;
use crate::host::Host;
use crate::json::Json;
use crate::keyed::Keyed;
use crate::lookup;
use crate::repair::{Asked, repaired};
use crate::rows;
use crate::table::{Row, Table};
use crate::touched::Touched;

const LIMIT_DEFAULT: usize = 20;
/// The most that the service tells.
const LIMIT_MAX: usize = 200;

/// What `list_recent` is asked.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct ListRecent {
    /// API name; default: all objects.
    object: Option<String>,
    /// Rows (default 20).
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u32>,
}

/// Lists the records that the user has viewed or used last, the latest first.
///
/// # Errors
/// There is no such object; the agent may not see it.
pub fn list_recent(host: &dyn Host, args: &ListRecent) -> Result<Output, Failure> {
    let kind = args.object.as_deref();
    let client = Client::new(host);
    let kind = kind
        .map(|kind| lookup::object_name(&client, kind))
        .transpose()?;
    if let Some(kind) = kind {
        client.check(&[Touched {
            kind: kind.to_owned(),
            fields: Vec::new(),
        }])?;
    }
    host.step("Listed records used last", kind);
    let version = client.version()?;
    let reply = client.read(|| match kind {
        // Of one object alone, so that the host sees which.
        Some(kind) => Request::get(path!("/services/data/{}/sobjects/{}", version, kind)),
        None => Request::get(path!("/services/data/{}/recent", version)),
    });
    let asked = Asked {
        query: None,
        kind,
        pointer: if kind.is_some() { "/object" } else { "" },
    };
    let reply = reply.map_err(|error| repaired(&client, error, asked))?;
    let items = match kind {
        Some(_) => reply.json.get("recentItems").map_or(&[][..], Json::items),
        None => reply.json.items(),
    };
    let mut seen = Seen::new(&client);
    let items: Vec<Json> = items.iter().filter_map(|item| seen.of(item)).collect();
    let limit = args.limit.map_or(LIMIT_DEFAULT, |limit| {
        usize::try_from(limit).unwrap_or(LIMIT_MAX)
    });
    let (all, items) = (items.len(), &items[..items.len().min(limit.max(1))]);
    let of_one = kind.and_then(|_| items.first()).and_then(rows::kind_of);
    let columns = match of_one {
        Some(_) => vec!["Id", "name"],
        None => vec!["object", "Id", "name"],
    };
    let table = Table {
        rows: items
            .iter()
            .map(|item| row(item, of_one.is_none()))
            .collect(),
        ..Table::plain(columns, [])
    };
    let mut sources = shown(items, false);
    if let (true, Some(kind)) = (sources.is_empty(), kind) {
        sources.push(Touched {
            kind: kind.to_owned(),
            fields: Vec::new(),
        });
    }
    cite(&client, &sources, items);
    let mut notes = Vec::new();
    if all > items.len() {
        notes.push(format!(
            "{} older ones left out: raise `limit`",
            all - items.len()
        ));
    }
    let head = format!("used last, the latest first: {}", plural(items.len()));
    Ok(told(&client, head, &table, all as u64, None, notes))
}

/// What of the records the agent may see; each object is asked about once.
struct Seen<'c, 'h> {
    client: &'c Client<'h>,
    fields: Keyed<String, Vec<String>>,
}

impl<'c, 'h> Seen<'c, 'h> {
    fn new(client: &'c Client<'h>) -> Self {
        Self {
            client,
            fields: Keyed::default(),
        }
    }

    /// Gives what the agent may see of a record; `None` where that is nothing.
    fn of(&mut self, item: &Json) -> Option<Json> {
        let kind = rows::kind_of(item)?;
        if !self.client.may_read(kind) {
            return None;
        }
        let client = self.client;
        let fields = self.fields.or_insert(kind.to_owned(), || {
            let names: Vec<String> = item
                .members()
                .iter()
                .map(|(name, _)| name.to_string())
                .collect();
            client.visible_fields(kind, &names)
        });
        // Without its id it cannot be told from another.
        fields.iter().find(|field| *field == "Id")?;
        let members = item.members().iter().filter(|(name, _)| {
            *name == *"attributes" || fields.iter().any(|field| *name == **field)
        });
        Some(Json::Object(members.cloned().collect()))
    }
}

/// The name stands in a field of its own name: `Name`, `CaseNumber`, `Subject`.
fn row(item: &Json, with_kind: bool) -> Row {
    let of = |name: &str| item.get(name).cloned().unwrap_or(Json::Null);
    let mut others = item.members().iter();
    let name = others.find(|(name, _)| *name != *"attributes" && *name != *"Id");
    let name = name.map_or(Json::Null, |(_, value)| value.clone());
    let kind = with_kind.then(|| rows::kind_of(item).map(str::to_owned).into());
    Row {
        cells: kind.into_iter().chain([of("Id"), name]).collect(),
        children: Vec::new(),
    }
}
