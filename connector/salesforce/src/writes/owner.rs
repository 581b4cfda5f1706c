//! `assign_owner`: a record to a user or a queue, by name.
//!
//! Users and queues are two objects, so a name is looked for in both. A user name or an e-mail address is that of a user.

use portcullis_sdk::{Failure, Output};
use schemars::JsonSchema;
use serde::Deserialize;

use super::record::{self, query};
use super::targets::Names;
use super::update;
use super::worded::Worded;
use crate::client::{Client, ReadError};
use crate::fence;
use crate::host::Host;
use crate::json::Json;
use crate::lookup;
use crate::names;
use crate::touched::Touched;

/// Names that a refusal lists.
const SHOWN: usize = 6;

/// What `assign_owner` is asked.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct AssignOwner {
    /// API name, such as `Case`.
    object: String,
    id: String,
    /// Id, or name, user name or e-mail of an active user, or a queue's name.
    owner: String,
}

/// Somebody who may own records.
struct Candidate {
    kind: &'static str,
    id: String,
    name: String,
    /// What tells two of one name apart.
    also: String,
}

/// Gives a record to another owner.
///
/// # Errors
/// Nobody has the name, or several have; and as [`update_record`](super::update_record).
pub fn assign_owner(host: &dyn Host, args: &AssignOwner) -> Result<Output, Failure> {
    let client = Client::new(host);
    let kind = lookup::object_name(&client, &args.object)?;
    let id = names::long_id(lookup::record_id(&client, kind, &args.id)?);
    let mut known = Names::default();
    let owner = match names::record_id(&args.owner) {
        Ok(id) if matches!(names::object_of(id), Some("User" | "Group")) => id.to_owned(),
        _ => {
            let found = by_name(&client, kind, args.owner.trim())?;
            known.insert(found.id.clone(), found.name);
            found.id
        }
    };
    let worded = Worded::new().text("OwnerId", "/owner", &owner);
    worded.said(update::update(&client, kind, &id, worded.fields(), &known))
}

/// Finds the one who is called so.
fn by_name(client: &Client<'_>, kind: &str, name: &str) -> Result<Candidate, Failure> {
    let wrong = |message: String| Failure::invalid(message.clone()).field("/owner", message);
    if name.is_empty() {
        return Err(wrong("nobody is named".to_owned()));
    }
    // Asked before the object is described.
    client.check(&[Touched {
        kind: kind.to_owned(),
        fields: vec!["OwnerId".to_owned()],
    }])?;
    let describe = record::describe(client, kind)?;
    let Some(field) = describe.field("OwnerId") else {
        let message = format!(
            "records of `{}` have no owner of their own",
            describe.name()
        );
        return Err(Failure::invalid(message).field("/object", "has no field `OwnerId`"));
    };
    let takes_queues = field.targets().any(|target| target == "Group");
    let literal = format!("'{}'", name.replace('\\', "\\\\").replace('\'', "\\'"));
    let (found, hidden) = search(client, takes_queues, name.contains('@'), |fields| {
        let each: Vec<String> = fields
            .iter()
            .map(|field| format!("{field} = {literal}"))
            .collect();
        each.join(" OR ")
    })?;
    let shown = fence::inline(name, 80);
    let mut found = found.into_iter();
    match (found.next(), found.next()) {
        (Some(only), None) => Ok(only),
        (Some(one), Some(other)) => {
            let several: Vec<Candidate> = [one, other].into_iter().chain(found).collect();
            let message = format!("several may own records and are called “{shown}”");
            let several = client.fenced(&listed(&several));
            Err(wrong(message).hint(format!("give the id of one:\n{several}")))
        }
        (None, _) if hidden.contains(&"User") => Err(wrong(
            "this agent may not look up users by name: give the owner's id".to_owned(),
        )),
        (None, _) => {
            let near = near(client, takes_queues, name)?;
            let whom = if takes_queues {
                "active user or queue"
            } else {
                "active user"
            };
            let failure = wrong(format!("no {whom} is called “{shown}”"));
            Err(match near.is_empty() {
                true => failure,
                false => {
                    let near = client.fenced(&listed(&near));
                    failure.hint(format!("near names:\n{near}"))
                }
            })
        }
    }
}

/// Those of whose name a word is this one's first.
fn near(client: &Client<'_>, takes_queues: bool, name: &str) -> Result<Vec<Candidate>, Failure> {
    let word = name.split_whitespace().next().unwrap_or(name);
    let stem: String = word
        .chars()
        .filter(|c| c.is_alphanumeric())
        .take(4)
        .collect();
    if stem.is_empty() {
        return Ok(Vec::new());
    }
    let (found, _) = search(client, takes_queues, false, |_| {
        format!("Name LIKE '%{stem}%'")
    })?;
    Ok(found)
}

/// Searches users and queues, as far as the agent may read them; queues only where no user has the address. Says which are hidden.
fn search(
    client: &Client<'_>,
    takes_queues: bool,
    is_address: bool,
    condition: impl Fn(&[&str]) -> String,
) -> Result<(Vec<Candidate>, Vec<&'static str>), Failure> {
    let users = (
        "User",
        ["Name", "Username", "Email"].as_slice(),
        "IsActive = true",
        "Username",
    );
    let queues = (
        "Group",
        ["Name", "DeveloperName"].as_slice(),
        "Type = 'Queue'",
        "DeveloperName",
    );
    let mut found = Vec::new();
    let mut hidden = Vec::new();
    for (kind, fields, limit, also) in [users].into_iter().chain(takes_queues.then_some(queues)) {
        if is_address && !found.is_empty() {
            break;
        }
        let names: Vec<String> = fields.iter().map(|field| (*field).to_owned()).collect();
        let touched = Touched {
            kind: kind.to_owned(),
            fields: names,
        };
        if client.check(&[touched]).is_err() {
            hidden.push(kind);
            continue;
        }
        let soql = format!(
            "SELECT Id, Name, {also} FROM {kind} WHERE {limit} AND ({}) ORDER BY Name LIMIT {SHOWN}",
            condition(fields)
        );
        let reply = match query(client, &soql) {
            Ok(reply) => reply,
            // The user may not see them; an id will do.
            Err(ReadError::Service(_)) => continue,
            Err(ReadError::Failed(failure)) => return Err(failure),
        };
        let rows = reply.get("records").map_or(&[][..], Json::items).iter();
        found.extend(rows.map(|row| Candidate {
            kind,
            id: names::long_id(row.str_at("Id").unwrap_or_default()),
            name: row.str_at("Name").unwrap_or_default().to_owned(),
            also: row.str_at(also).unwrap_or_default().to_owned(),
        }));
    }
    Ok((found, hidden))
}

fn listed(found: &[Candidate]) -> String {
    let each = found.iter().take(SHOWN).map(|one| {
        let kind = if one.kind == "User" { "user" } else { "queue" };
        let (name, also) = (fence::inline(&one.name, 60), fence::inline(&one.also, 80));
        format!("{kind} {name} ({also}) {}", one.id)
    });
    each.collect::<Vec<_>>().join("\n")
}
