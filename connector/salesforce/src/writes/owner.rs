//! `assign_owner`: a record to a user or a queue, by name or by id.
//!
//! Users and queues are two objects, so a name is looked for in both, and the record is read with them, in one request. A user name or an
//! e-mail address is that of a user.

use portcullis_sdk::permissions::Access;
use portcullis_sdk::{Failure, Output};
use schemars::JsonSchema;
use serde::Deserialize;

use super::asked::Asked;
use super::record::{self, Found, Select};
use super::targets::Names;
use super::update;
use super::worded::Worded;
use crate::client::Client;
use crate::fence;
use crate::host::Host;
use crate::json::Json;
use crate::lookup;
use crate::names;
use crate::touched::Touched;

/// Names that a refusal lists.
const SHOWN: usize = 6;

/// What stands for the user who is signed in.
const ME: &str = "me";

/// What `assign_owner` is asked.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct AssignOwner {
    /// API name, such as `Case`.
    object: String,
    id: String,
    /// `me`, a queue's name, or a user's id, name, user name or e-mail.
    owner: String,
}

/// Somebody who may own records.
struct Candidate {
    kind: &'static str,
    id: String,
    name: String,
    /// What tells two of one name apart.
    also: String,
    /// Whether they may own records still, as far as the agent may see it.
    is_active: bool,
}

/// How the owner is named.
enum Wanted<'a> {
    Name(&'a str),
    Id(&'static str, String),
}

/// Gives a record to another owner.
///
/// # Errors
/// Nobody has the name, or several have; the owner is not active, or can own no record of the object; and as
/// [`update_record`](super::update_record).
pub fn assign_owner(host: &dyn Host, args: &AssignOwner) -> Result<Output, Failure> {
    let client = Client::new(host);
    let kind = lookup::object_name(&client, &args.object)?;
    let id = names::long_id(lookup::record_id(&client, kind, &args.id)?);
    let wanted = Wanted::read(&client, args.owner.trim())?;
    let mut known = Names::default();
    let (owner, before) = find(&client, kind, &id, &wanted)?;
    let owner = match owner {
        Some(owner) => {
            known.insert(owner.id.clone(), owner.name);
            owner.id
        }
        None => wanted.id().to_owned(),
    };
    let worded = Worded::new().text("OwnerId", "/owner", &owner);
    worded.said(update::update(
        &client,
        kind,
        &id,
        worded.fields(),
        &known,
        before,
    ))
}

fn wrong(message: impl Into<String>) -> Failure {
    let message = message.into();
    Failure::invalid(message.clone()).field("/owner", message)
}

impl<'a> Wanted<'a> {
    fn read(client: &Client<'_>, owner: &'a str) -> Result<Self, Failure> {
        if owner.is_empty() {
            return Err(wrong("nobody is named"));
        }
        if owner.eq_ignore_ascii_case(ME) {
            let identity = client.account().identity.as_ref();
            let id = identity.map(|identity| names::long_id(&identity.user_id));
            let unknown = || wrong("nobody knows who is signed in: give a user's id");
            return Ok(Self::Id(USER, id.ok_or_else(unknown)?));
        }
        let id = names::record_id(owner).ok();
        let id = id.and_then(|id| Some((names::object_of(id)?, id)));
        Ok(match id {
            Some((USER, id)) => Self::Id(USER, names::long_id(id)),
            Some((QUEUE, id)) => Self::Id(QUEUE, names::long_id(id)),
            _ => Self::Name(owner),
        })
    }

    fn id(&self) -> &str {
        match self {
            Self::Name(_) => "",
            Self::Id(_, id) => id,
        }
    }
}

/// Finds the owner, and reads the record with them; where that is not to be had so, the change reads it by itself. Nobody: the agent or
/// the user may not see them, so that the org alone knows whether the id is one's.
fn find(
    client: &Client<'_>,
    kind: &str,
    id: &str,
    wanted: &Wanted<'_>,
) -> Result<(Option<Candidate>, Option<Found>), Failure> {
    // Asked before the object is described.
    let owner = ["OwnerId"];
    let accesses = [Access::read(kind, owner), Access::write(kind, owner)];
    client.host.check(&accesses)?;
    let describe = record::describe(client, kind)?;
    let kind = describe.name();
    let Some(field) = describe.field("OwnerId") else {
        let message = format!("records of `{kind}` have no owner of their own");
        return Err(Failure::invalid(message).field("/object", "has no field `OwnerId`"));
    };
    record::check_id(client, &describe, id)?;
    let takes_queues = field.targets().any(|target| target == QUEUE);
    let sought: &[&'static str] = match wanted {
        Wanted::Id(QUEUE, _) if !takes_queues => return Err(queue_of(kind, "it")),
        Wanted::Id(QUEUE, _) => &[QUEUE],
        Wanted::Name(_) if takes_queues => &[USER, QUEUE],
        _ => &[USER],
    };
    let mut search = Search::new(client, sought, &|fields: &[&str]| match wanted {
        Wanted::Id(_, id) => format!("Id = '{id}'"),
        Wanted::Name(name) => is_called(name, fields),
    });
    let asked = Asked {
        field,
        value: Json::Null,
    };
    let select = Select::new(client, &describe, [&asked]).query_of(kind, id);
    update::step(client, &describe, id);
    let (mut found, before) = search.send(client, Some(select))?;
    let name = match wanted {
        Wanted::Name(name) => *name,
        Wanted::Id(of, id) => {
            return match found.pop() {
                Some(one) if one.is_active => Ok((Some(one), before)),
                Some(one) => Err(inactive(&one.name)),
                None if !search.seen.contains(of) => Ok((None, before)),
                None => Err(wrong(match *of {
                    USER => format!("there is no user with the id {id}, or you may not see it"),
                    _ => format!("{id} is the id of no queue that you may see"),
                })
                .hint(FOUND_BY)),
            };
        }
    };
    // An address is a user's, if any has it.
    if name.contains('@') && found.iter().any(|one| one.kind == USER) {
        found.retain(|one| one.kind == USER);
    }
    let all = found.len();
    found.retain(|one| one.is_active);
    let only_inactive = all > 0 && found.is_empty();
    let shown = fence::inline(name, 80);
    let mut active = found.into_iter();
    match (active.next(), active.next()) {
        (Some(only), None) => Ok((Some(only), before)),
        (Some(one), Some(other)) => {
            let several: Vec<Candidate> = [one, other].into_iter().chain(active).collect();
            let message = format!("several may own records and are called “{shown}”");
            let several = client.fenced(&listed(&several));
            Err(wrong(message).hint(format!("give the id of one:\n{several}")))
        }
        (None, _) if only_inactive => Err(inactive(&shown)),
        (None, _) if search.hides_users => Err(wrong(
            "this agent may not look up users by name: give the owner's id",
        )),
        (None, _) => Err(nobody(client, kind, takes_queues, name)?),
    }
}

/// What finds an owner.
const FOUND_BY: &str =
    "find_users finds a user by part of a name, or with \"queues\": true a queue";

fn inactive(name: &str) -> Failure {
    let name = fence::inline(name, 80);
    wrong(format!("“{name}” is an inactive user, who can own nothing")).hint(FOUND_BY)
}

/// Refuses a queue.
fn queue_of(kind: &str, shown: &str) -> Failure {
    wrong(format!(
        "{shown} is a queue, and no queue owns records of `{kind}`: give a user"
    ))
}

fn is_called(name: &str, fields: &[&str]) -> String {
    let literal = soql::StringLiteral::new(name);
    let each: Vec<String> = fields
        .iter()
        .map(|field| format!("{field} = {literal}"))
        .collect();
    each.join(" OR ")
}

/// Says of a name that nobody has what it is instead, or who has one that is near.
fn nobody(
    client: &Client<'_>,
    kind: &str,
    takes_queues: bool,
    name: &str,
) -> Result<Failure, Failure> {
    let shown = fence::inline(name, 80);
    let is_id = names::record_id(name).is_ok() && name.bytes().any(|byte| byte.is_ascii_digit());
    if is_id && let Some(object) = lookup::object_of(client, name) {
        let message =
            format!("{shown} is an id of the object `{object}`, and no user's or queue's");
        return Ok(wrong(message).hint(FOUND_BY));
    }
    let word = name.split_whitespace().next().unwrap_or(name);
    let stem: String = word
        .chars()
        .filter(|c| c.is_alphanumeric())
        .take(4)
        .collect();
    let mut near = Vec::new();
    if !stem.is_empty() {
        // A queue that has the name is said to be one, where none can own the record.
        let mut search = Search::new(client, &[USER, QUEUE], &|_: &[&str]| {
            format!("Name LIKE '%{stem}%'")
        });
        near = search.send(client, None)?.0;
        near.retain(|one| one.is_active);
    }
    if !takes_queues {
        let is_it = |one: &Candidate| {
            one.kind == QUEUE
                && [&one.name, &one.also]
                    .iter()
                    .any(|known| known.eq_ignore_ascii_case(name))
        };
        if near.iter().any(is_it) {
            return Ok(queue_of(kind, &format!("“{shown}”")));
        }
        near.retain(|one| one.kind == USER);
    }
    let whom = if takes_queues {
        "active user or queue"
    } else {
        "active user"
    };
    let failure = wrong(format!("no {whom} is called “{shown}”"));
    Ok(match near.is_empty() {
        true => failure.hint(FOUND_BY),
        false => {
            let near = client.fenced(&listed(&near));
            failure.hint(format!("{FOUND_BY}; near names:\n{near}"))
        }
    })
}

const USER: &str = "User";

/// A queue is a group of a type of its own.
const QUEUE: &str = "Group";

/// What the org answers where the user who is signed in may not see users or queues, or a field of theirs.
const HIDDEN: [&str; 4] = [
    "INVALID_TYPE",
    "INVALID_FIELD",
    "INSUFFICIENT_ACCESS",
    "INSUFFICIENT_ACCESS_OR_READONLY",
];

/// A search of users and queues, as far as the agent may read them.
struct Search {
    queries: Vec<String>,
    /// What each finds, and the field that tells two of one name apart.
    kinds: Vec<(&'static str, &'static str)>,
    /// Those that were looked through.
    seen: Vec<&'static str>,
    /// Whether the agent may not look up users.
    hides_users: bool,
}

impl Search {
    fn new(
        client: &Client<'_>,
        sought: &[&'static str],
        condition: &dyn Fn(&[&str]) -> String,
    ) -> Self {
        let mut search = Self {
            queries: Vec::new(),
            kinds: Vec::new(),
            seen: Vec::new(),
            hides_users: false,
        };
        for kind in sought {
            let (fields, also): (&[&str], _) = match *kind {
                USER => (&["Name", "Username", "Email"], "Username"),
                _ => (&["Name", "DeveloperName"], "DeveloperName"),
            };
            let touched = Touched {
                kind: (*kind).to_owned(),
                fields: fields.iter().map(|field| (*field).to_owned()).collect(),
            };
            if client.check(&[touched]).is_err() {
                search.hides_users |= *kind == USER;
                continue;
            }
            let condition = condition(fields);
            let sees_active = !client
                .visible_fields(USER, &["IsActive".to_owned()])
                .is_empty();
            let (shown, condition, order) = match *kind {
                USER if sees_active => (", IsActive", condition, "IsActive DESC, Name"),
                USER => ("", condition, "Name"),
                _ => ("", format!("Type = 'Queue' AND ({condition})"), "Name"),
            };
            let soql = format!(
                "SELECT Id, Name, {also}{shown} FROM {kind} WHERE {condition} ORDER BY {order} LIMIT {SHOWN}"
            );
            search.queries.push(soql);
            search.kinds.push((kind, also));
        }
        search
    }

    /// Gives who was found; with a record that `besides` reads, if it was. Where nobody can be looked for, nothing is read.
    fn send(
        &mut self,
        client: &Client<'_>,
        besides: Option<String>,
    ) -> Result<(Vec<Candidate>, Option<Found>), Failure> {
        if self.queries.is_empty() {
            return Ok((Vec::new(), None));
        }
        self.queries.extend(besides);
        let answers = client.queries(&self.queries)?;
        let mut found = Vec::new();
        for ((kind, also), answer) in self.kinds.iter().zip(&answers) {
            let reply = match answer {
                Ok(reply) => reply,
                // The user may not see them; an id will do.
                Err(error) if HIDDEN.iter().any(|code| error.is(code)) => continue,
                // Whoever is not looked for is not found: another of that name would be taken.
                Err(error) => return Err(error.clone().into()),
            };
            self.seen.push(kind);
            for row in reply.get("records").map_or(&[][..], Json::items) {
                found.push(Candidate {
                    kind,
                    id: names::long_id(row.str_at("Id").unwrap_or_default()),
                    name: row.str_at("Name").unwrap_or_default().to_owned(),
                    also: row.str_at(also).unwrap_or_default().to_owned(),
                    is_active: row.get("IsActive") != Some(&Json::Bool(false)),
                });
            }
        }
        let before = match answers.get(self.kinds.len()) {
            Some(Ok(reply)) => Found::all(reply).pop(),
            _ => None,
        };
        Ok((found, before))
    }
}

fn listed(found: &[Candidate]) -> String {
    let each = found.iter().take(SHOWN).map(|one| {
        let kind = if one.kind == USER { "user" } else { "queue" };
        let (name, also) = (fence::inline(&one.name, 60), fence::inline(&one.also, 80));
        format!("{kind} {name} ({also}) {}", one.id)
    });
    each.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
#[path = "owner_tests.rs"]
mod tests;
