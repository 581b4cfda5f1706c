//! What the org's own duplicate rules find: `POST /ui-api/predupe` compares a record that is to be made, and stores nothing (*User
//! Interface API Developer Guide*, "Find Duplicate Records").
//!
//! The attack: to learn a value of a field that is hidden from the agent by the records that a rule takes for the same. Of the
//! object itself a rule compares what was given, all of which the agent may read. By what it compares records of another object
//! nobody says, so these are shown where the agent may read all of that object.

use portcullis_sdk::audit::Source;
use portcullis_sdk::http::{Request, path};
use portcullis_sdk::{Failure, Output};

use super::FindDuplicates;
use crate::client::Client;
use crate::fence;
use crate::json::Json;
use crate::names;
use crate::records::{Ask, parsed, plural, told};
use crate::repair::{Asked, repaired};
use crate::table::Table;

/// Records of one object that a matching rule found.
struct Match<'a> {
    kind: &'a str,
    rule: &'a str,
    ids: Vec<String>,
}

/// Asks the rules of an object about values, and says which records they found; `own` is the record that the values are of.
///
/// # Errors
/// The service refuses the values.
pub(super) fn found(
    client: &Client<'_>,
    args: &FindDuplicates,
    kind: &str,
    values: &[(&str, &str)],
    own: Option<&str>,
) -> Result<Output, Failure> {
    let reply = asked(client, kind, values)?;
    let matches = matches(client, &reply, kind, own);
    let limit = usize::try_from(args.limit()).unwrap_or(usize::MAX);
    let (mut rows, mut total) = (Vec::new(), 0);
    for found in &matches {
        total += found.ids.len();
        let room = limit - rows.len();
        let shown = &found.ids[..found.ids.len().min(room)];
        let names = names_of(client, found.kind, shown)?;
        rows.extend(shown.iter().zip(names).map(|(id, name)| {
            let cells = [found.kind, id, &name, found.rule];
            cells.map(Json::from).to_vec()
        }));
    }
    let rules = reply.get("duplicateRules").map_or(&[][..], Json::items);
    let said: Vec<String> = rules
        .iter()
        .filter_map(Json::as_str)
        .map(|rule| fence::inline(rule, 80))
        .collect();
    let mut notes = vec![match said.is_empty() {
        true => format!(
            "the org has no duplicate rule for `{kind}` that is active: without `rules` names, e-mail, phones and web sites are compared"
        ),
        false => format!("rules asked: {}", said.join(", ")),
    }];
    if rows.len() < total {
        notes.push(format!(
            "{} more left out: raise `limit` (at most 100)",
            total - rows.len()
        ));
    }
    let head = format!("found by the org's duplicate rules: {}", plural(rows.len()));
    let table = Table::plain(["object", "Id", "name", "found by"], rows);
    Ok(told(client, head, &table, total as u64, None, notes))
}

fn asked(client: &Client<'_>, kind: &str, values: &[(&str, &str)]) -> Result<Json, Failure> {
    let fields = values.iter().map(|(name, text)| (*name, Json::from(*text)));
    let body = Json::object([("apiName", kind.into()), ("fields", Json::object(fields))]).text();
    client
        .host
        .step(&format!("Asked the duplicate rules of {kind}"), None);
    let version = client.version()?;
    let reply = client.read(|| {
        let path = path!("/services/data/{}/ui-api/predupe", version);
        Request::post(path).body("application/json", body.as_str())
    });
    let about = Asked {
        query: None,
        kind: Some(kind),
        pointer: if values.is_empty() { "" } else { "/fields" },
    };
    Ok(reply.map_err(|error| repaired(client, error, about))?.json)
}

/// Reads which records were found, of objects that the agent may see, the record itself left out.
fn matches<'a>(
    client: &Client<'_>,
    reply: &'a Json,
    kind: &str,
    own: Option<&str>,
) -> Vec<Match<'a>> {
    let own = own.map(names::long_id);
    let entries = reply.get("matches").map_or(&[][..], Json::items).iter();
    entries
        .filter_map(|entry| {
            let of = entry.str_at("apiName")?;
            let of = names::api_name(of, "/object").ok()?;
            let is_seen = match of.eq_ignore_ascii_case(kind) {
                true => true,
                false => client.may_read(of) && client.sees_everything(of),
            };
            let ids = entry.get("matchRecordIds").map_or(&[][..], Json::items);
            let ids = ids.iter().filter_map(Json::as_str);
            let ids = ids.filter(|id| names::record_id(id).is_ok());
            let found = Match {
                kind: of,
                rule: entry.str_at("matchRule").unwrap_or_default(),
                ids: ids
                    .map(names::long_id)
                    .filter(|id| Some(id) != own.as_ref())
                    .collect(),
            };
            (is_seen && !found.ids.is_empty()).then_some(found)
        })
        .collect()
}

/// Gives the names of records, in the order of their ids; empty where the agent or the user may not see one.
fn names_of(client: &Client<'_>, kind: &str, ids: &[String]) -> Result<Vec<String>, Failure> {
    let name = names::name_field_of(kind);
    let sees = !client.visible_fields(kind, &[name.to_owned()]).is_empty();
    if ids.is_empty() || !sees {
        client.host.cite(&[Source::new(kind).fields(["Id"])]);
        return Ok(vec![String::new(); ids.len()]);
    }
    let list: Vec<String> = ids.iter().map(|id| format!("'{id}'")).collect();
    let query = parsed(&format!(
        "SELECT Id, {name} FROM {kind} WHERE Id IN ({})",
        list.join(", ")
    ))?;
    let answered = Ask::new(&query, "/object").send(client)?;
    let name_of = |id: &String| {
        let is_it = |record: &&Json| {
            record
                .str_at("Id")
                .is_some_and(|found| names::long_id(found) == *id)
        };
        let record = answered.records().iter().find(is_it)?;
        record.str_at(name).map(str::to_owned)
    };
    Ok(ids
        .iter()
        .map(|id| name_of(id).unwrap_or_default())
        .collect())
}
