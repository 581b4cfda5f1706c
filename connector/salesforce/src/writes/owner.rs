//! `assign_owner`: a record to a user or a queue, by name.
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
    let (owner, before) = match names::record_id(&args.owner) {
        Ok(id) if matches!(names::object_of(id), Some("User" | "Group")) => (id.to_owned(), None),
        _ => {
            let (found, before) = by_name(&client, kind, &id, args.owner.trim())?;
            known.insert(found.id.clone(), found.name);
            (found.id, before)
        }
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

/// Finds the one who is called so, and reads the record; where that is not to be had so, the change reads it by itself.
fn by_name(
    client: &Client<'_>,
    kind: &str,
    id: &str,
    name: &str,
) -> Result<(Candidate, Option<Found>), Failure> {
    let wrong = |message: String| Failure::invalid(message.clone()).field("/owner", message);
    if name.is_empty() {
        return Err(wrong("nobody is named".to_owned()));
    }
    // Asked before the object is described.
    let owner = ["OwnerId"];
    let accesses = [Access::read(kind, owner), Access::write(kind, owner)];
    client.host.check(&accesses)?;
    let describe = record::describe(client, kind)?;
    let Some(field) = describe.field("OwnerId") else {
        let message = format!(
            "records of `{}` have no owner of their own",
            describe.name()
        );
        return Err(Failure::invalid(message).field("/object", "has no field `OwnerId`"));
    };
    record::check_id(client, &describe, id)?;
    let takes_queues = field.targets().any(|target| target == "Group");
    let literal = soql::StringLiteral::new(name);
    let mut search = Search::new(client, takes_queues, &|fields: &[&str]| {
        let each: Vec<String> = fields
            .iter()
            .map(|field| format!("{field} = {literal}"))
            .collect();
        each.join(" OR ")
    });
    let asked = Asked {
        field,
        value: Json::Null,
    };
    let select = Select::new(client, &describe, [&asked]).query_of(describe.name(), id);
    update::step(client, &describe, id);
    let (mut found, before) = search.send(client, Some(select))?;
    // An address is a user's, if any has it.
    if name.contains('@') && found.iter().any(|one| one.kind == USER) {
        found.retain(|one| one.kind == USER);
    }
    let shown = fence::inline(name, 80);
    let mut found = found.into_iter();
    match (found.next(), found.next()) {
        (Some(only), None) => Ok((only, before)),
        (Some(one), Some(other)) => {
            let several: Vec<Candidate> = [one, other].into_iter().chain(found).collect();
            let message = format!("several may own records and are called “{shown}”");
            let several = client.fenced(&listed(&several));
            Err(wrong(message).hint(format!("give the id of one:\n{several}")))
        }
        (None, _) if search.hides_users => Err(wrong(
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
    let mut search = Search::new(client, takes_queues, &|_: &[&str]| {
        format!("Name LIKE '%{stem}%'")
    });
    Ok(search.send(client, None)?.0)
}

const USER: &str = "User";

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
    /// Whether the agent may not look up users.
    hides_users: bool,
}

impl Search {
    fn new(client: &Client<'_>, takes_queues: bool, condition: &dyn Fn(&[&str]) -> String) -> Self {
        let users = (
            USER,
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
        let mut search = Self {
            queries: Vec::new(),
            kinds: Vec::new(),
            hides_users: false,
        };
        for (kind, fields, limit, also) in [users].into_iter().chain(takes_queues.then_some(queues))
        {
            let touched = Touched {
                kind: kind.to_owned(),
                fields: fields.iter().map(|field| (*field).to_owned()).collect(),
            };
            if client.check(&[touched]).is_err() {
                search.hides_users |= kind == USER;
                continue;
            }
            let soql = format!(
                "SELECT Id, Name, {also} FROM {kind} WHERE {limit} AND ({}) ORDER BY Name LIMIT {SHOWN}",
                condition(fields)
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
            for row in reply.get("records").map_or(&[][..], Json::items) {
                found.push(Candidate {
                    kind,
                    id: names::long_id(row.str_at("Id").unwrap_or_default()),
                    name: row.str_at("Name").unwrap_or_default().to_owned(),
                    also: row.str_at(also).unwrap_or_default().to_owned(),
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
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use crate::testing::Org;
    use portcullis_sdk::Reason;
    use portcullis_sdk::http::Response;

    const RECORD: &str = "/services/data/v68.0/sobjects/Account/001000000000001AAA";
    const BATCH: &str = "/services/data/v68.0/composite/batch";
    const QUERY: &str = "/services/data/v68.0/query";
    const ANN: &str = r#"{"statusCode":200,"result":{"records":[{"Id":"005000000000002AAA","Name":"Ann","Username":"ann@x"}]}}"#;
    const BEFORE: &str =
        r#"{"records":[{"Id":"001000000000001AAA","Name":"Acme","OwnerId":"005000000000001AAA"}]}"#;
    const REFUSED: &str =
        r#"{"statusCode":400,"result":[{"errorCode":"INVALID_FIELD","message":"m"}]}"#;

    fn org(users: &str, record: &str) -> Org {
        let results = format!(r#"{{"results":[{users},{record}]}}"#);
        Org::new()
            .answer(BATCH, 200, &results)
            .respond(&format!("!{RECORD}"), Response::new(204, Vec::new(), ""))
            .answer(RECORD, 200, r#"{"OwnerId":"005000000000002AAA"}"#)
            .answer(QUERY, 200, BEFORE)
    }

    fn assign(org: &Org) -> Result<Output, Failure> {
        let args = AssignOwner {
            object: "Account".to_owned(),
            id: "001000000000001".to_owned(),
            owner: "Ann".to_owned(),
        };
        assign_owner(org, &args)
    }

    #[test]
    fn who_could_not_be_looked_for_is_not_taken_for_nobody() {
        for (code, goes_on) in [("REQUEST_LIMIT_EXCEEDED", false), ("INVALID_TYPE", true)] {
            let users = format!(
                r#"{{"statusCode":403,"result":[{{"errorCode":"{code}","message":"m"}}]}}"#
            );
            // A queue has the name.
            let queue = r#"{"statusCode":200,"result":{"records":[{"Id":"00G000000000001AAA","Name":"Ann","DeveloperName":"Ann"}]}}"#;
            let before = format!(r#"{{"statusCode":200,"result":{BEFORE}}}"#);
            let org = Org::new().answer(
                BATCH,
                200,
                &format!(r#"{{"results":[{users},{queue},{before}]}}"#),
            );
            let client = Client::new(&org);
            let mut search = Search::new(&client, true, &|_: &[&str]| "Name = 'Ann'".to_owned());
            let besides = "SELECT Id FROM Account WHERE Id = '001000000000001AAA'".to_owned();
            let found = search.send(&client, Some(besides));
            match found {
                Ok((found, _)) => assert!(goes_on && found.len() == 1, "{code}"),
                Err(failure) => {
                    assert!(!goes_on, "{code}");
                    assert!(failure.service_code.as_deref() == Some(code), "{failure:?}");
                }
            }
        }
    }

    /// Says by which requests a record has got its owner, without the describe and what stands behind a path.
    fn requests(org: &Org) -> Vec<String> {
        let requests = org.requests().into_iter().skip(1);
        let path = |request: String| request.split(['?', '|']).next().map(str::to_owned);
        requests.filter_map(path).collect()
    }

    #[test]
    fn names_and_the_record_are_read_in_one_request() {
        let record = format!(r#"{{"statusCode":200,"result":{BEFORE}}}"#);
        let org = org(ANN, &record);
        assign(&org).unwrap();
        assert_eq!(requests(&org), [BATCH, &format!("PATCH {RECORD} "), RECORD]);
        let [change] = org.announced().try_into().unwrap();
        assert_eq!(
            change.fields[0].before.as_deref(),
            Some("\"005000000000001AAA\"")
        );
        assert_eq!(change.notes[0], "Owner ID: Ann");
    }

    #[test]
    fn a_record_that_was_not_read_with_the_names_is_read_by_itself() {
        for record in [REFUSED, r#"{"statusCode":200,"result":{"records":[]}}"#] {
            let org = org(ANN, record);
            assign(&org).unwrap();
            assert_eq!(
                requests(&org),
                [BATCH, QUERY, &format!("PATCH {RECORD} "), RECORD]
            );
        }
    }

    #[test]
    fn names_that_may_not_be_read_leave_the_record_as_it_is() {
        let record = format!(r#"{{"statusCode":200,"result":{BEFORE}}}"#);
        let org = org(REFUSED, &record);
        let failure = assign(&org).unwrap_err();
        assert_eq!(failure.reason, Reason::InvalidArgument);
        assert_eq!(failure.message, "no active user is called “Ann”");
        assert!(org.announced().is_empty());
        // What the agent may not look up is no part of what is asked, and then nothing is.
        let org = Org::new().forbid("User");
        let failure = assign(&org).unwrap_err();
        assert!(failure.message.contains("may not look up users"));
        assert!(requests(&org).is_empty());
    }
}
