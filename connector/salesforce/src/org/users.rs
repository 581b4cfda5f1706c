//! Users and queues, by what people call them: who owns a record, and who is to.

use portcullis_sdk::{Failure, Output};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::client::Client;
use crate::host::Host;
use crate::like::{containing, literal};
use crate::names;
use crate::records::{Ask, cite, parsed, told};
use crate::rows;
use crate::touched::Touched;

const LIMIT_DEFAULT: u32 = 25;
const LIMIT_MAX: u32 = 200;

/// What `find_users` is asked.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct FindUsers {
    /// Part of a name, user name, e-mail address or alias, or an id; default: all.
    text: Option<String>,
    /// Queues instead of users.
    #[serde(default)]
    queues: bool,
    /// Inactive users, too.
    #[serde(default)]
    inactive: bool,
    /// Rows (default 25).
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u32>,
}

/// Who is looked for.
struct Kind {
    object: &'static str,
    /// What people call them.
    plural: &'static str,
    /// The fields that are shown.
    shown: &'static [&'static str],
    /// The fields that the text is looked for in.
    sought: &'static [&'static str],
}

const USERS: Kind = Kind {
    object: "User",
    plural: "users",
    shown: &["Id", "Name", "Username", "Email", "Title", "IsActive"],
    sought: &["Name", "Username", "Email", "Alias"],
};

/// Queues are groups of a type of their own.
const QUEUES: Kind = Kind {
    object: "Group",
    plural: "queues",
    shown: &["Id", "Name", "DeveloperName", "Email"],
    sought: &["Name", "DeveloperName"],
};

/// Finds users, or queues.
///
/// # Errors
/// The agent may not see users, or none of the fields to find them by; the org does not answer.
pub fn find_users(host: &dyn Host, args: &FindUsers) -> Result<Output, Failure> {
    let text = args
        .text
        .as_deref()
        .map(str::trim)
        .filter(|text| !text.is_empty());
    let id = text
        .filter(|text| names::record_id(text).is_ok())
        .and_then(|id| Some((id, names::object_of(id)?)));
    let id = id.filter(|(_, object)| matches!(*object, "User" | "Group"));
    let kind = match (id, args.queues) {
        (Some((_, "Group")), _) | (None, true) => &QUEUES,
        _ => &USERS,
    };
    let client = Client::new(host);
    let asked = asked(&client, kind, id.map(|(id, _)| id), text, args.inactive)?;
    let query = parsed(&asked.soql)?;
    let ask = Ask {
        shows_all: false,
        ..Ask::new(&query, "/text")
    };
    let answered = ask.send(&client)?;
    let records = answered.records();
    let total = answered
        .reply
        .count_at("totalSize")
        .unwrap_or(records.len() as u64);
    let limit = usize::try_from(args.limit.unwrap_or(LIMIT_DEFAULT).clamp(1, LIMIT_MAX))
        .unwrap_or(records.len());
    let records = &records[..records.len().min(limit)];
    cite(&client, &[], records);
    let table = rows::table(records, Some(&query));
    let mut notes = Vec::new();
    let head = match records.len() as u64 {
        0 => format!("no {} fit", kind.plural),
        count if count == total => format!("{}: {total}", kind.plural),
        count => format!(
            "{}: {count} of {total}; say more of the name, or raise `limit` (at most 200)",
            kind.plural
        ),
    };
    if records.is_empty() {
        notes.push(other_ways(kind, asked.only_active));
    }
    if asked.is_cut {
        notes.push("fields that this agent may not see are left out".to_owned());
    }
    Ok(told(&client, head, &table, total, None, notes))
}

/// What the org is asked, as far as the agent may see it.
struct Asked {
    soql: String,
    /// Whether inactive users are left out.
    only_active: bool,
    /// Whether fields are.
    is_cut: bool,
}

fn asked(
    client: &Client<'_>,
    kind: &Kind,
    id: Option<&str>,
    text: Option<&str>,
    inactive: bool,
) -> Result<Asked, Failure> {
    may_read(client, kind, "Id")?;
    let sees = |fields: &[&'static str]| -> Vec<String> {
        let names: Vec<String> = fields.iter().map(|name| (*name).to_owned()).collect();
        client.visible_fields(kind.object, &names)
    };
    let mut shown = sees(kind.shown);
    let is_cut = shown.len() < kind.shown.len();
    let mut conditions = Vec::new();
    match (id, text) {
        (Some(id), _) => conditions.push(format!("Id = {}", literal(id))),
        (None, Some(text)) => conditions.push(sought(&sees(kind.sought), text, kind)?),
        (None, None) => {}
    }
    if kind.object == QUEUES.object {
        may_read(client, kind, "Type")?;
        conditions.push("Type = 'Queue'".to_owned());
    }
    let sees_active = shown.iter().any(|name| name == "IsActive");
    let only_active = sees_active && !inactive && id.is_none();
    if only_active {
        conditions.push("IsActive = TRUE".to_owned());
        // It would be the same in every row.
        shown.retain(|name| name != "IsActive");
    }
    if kind.object == USERS.object && sees_role(client) {
        shown.push("UserRole.Name".to_owned());
    }
    let mut soql = format!("SELECT {} FROM {}", shown.join(", "), kind.object);
    if !conditions.is_empty() {
        soql.push_str(&format!(" WHERE {}", conditions.join(" AND ")));
    }
    if shown.iter().any(|name| name == "Name") {
        soql.push_str(" ORDER BY Name");
    }
    Ok(Asked {
        soql,
        only_active,
        is_cut,
    })
}

/// Asks about what the caller has not named, so a refusal does not name it either.
fn may_read(client: &Client<'_>, kind: &Kind, field: &str) -> Result<(), Failure> {
    let touched = Touched {
        kind: kind.object.to_owned(),
        fields: vec![field.to_owned()],
    };
    client
        .check(&[touched])
        .map_err(|_| Failure::not_permitted(format!("this agent may not read {}", kind.plural)))
}

/// Writes the condition that a text is in one of the fields.
fn sought(fields: &[String], text: &str, kind: &Kind) -> Result<String, Failure> {
    if fields.is_empty() {
        return Err(Failure::not_permitted(format!(
            "this agent may see no field that {} are found by",
            kind.plural
        ))
        .field("/text", "leave it out"));
    }
    let pattern = containing(text);
    let any: Vec<String> = fields
        .iter()
        .map(|field| format!("{field} LIKE {pattern}"))
        .collect();
    Ok(format!("({})", any.join(" OR ")))
}

fn sees_role(client: &Client<'_>) -> bool {
    let sees =
        |kind: &str, field: &str| !client.visible_fields(kind, &[field.to_owned()]).is_empty();
    client.may_read("UserRole") && sees("UserRole", "Name") && sees("User", "UserRoleId")
}

fn other_ways(kind: &Kind, only_active: bool) -> String {
    let mut ways = vec!["try less of the name"];
    if only_active {
        ways.push("\"inactive\": true");
    }
    if kind.object == USERS.object {
        ways.push("\"queues\": true");
    }
    ways.join(", or ")
}
