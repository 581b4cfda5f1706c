//! What a conversion could not succeed with, found out before a person is asked, as far as the agent may see it.

use portcullis_sdk::audit::Source;
use portcullis_sdk::{Failure, Reason};

use super::LEAD;
use crate::client::Client;
use crate::describe::Describe;
use crate::json::Json;
use crate::names;
use crate::writes::record::{Found, Select};
use crate::writes::statuses::{CONVERTED, seen};

/// What is said of a queue's lead.
pub(super) const OWNED_BY_QUEUE: &str =
    "give a user: a queue owns the lead, and a queue owns no account";

/// What a conversion is to use, as far as the caller has named it.
#[derive(Clone, Copy, Default)]
pub(super) struct Used<'a> {
    pub(super) status: Option<&'a str>,
    pub(super) account: Option<&'a str>,
    pub(super) contact: Option<&'a str>,
    pub(super) owner: Option<&'a str>,
}

/// A record that is to be used.
struct Look<'a> {
    kind: &'static str,
    pointer: &'static str,
    id: &'a str,
    fields: &'static [&'static str],
}

/// Reads the lead and, in the same request, what it is to be converted with.
///
/// # Errors
/// There is no such lead, or it is converted already; what is to be used is not there, or is none that can be; the org does not answer.
pub(super) fn read(
    client: &Client<'_>,
    describe: &Describe,
    id: &str,
    used: Used<'_>,
) -> Result<Found, Failure> {
    let select = select(client, describe);
    let mut queries = vec![select.query_of(LEAD, id)];
    let statuses = match used.status {
        Some(_) => CONVERTED.query(client)?,
        None => None,
    };
    let asks_statuses = statuses.is_some();
    queries.extend(statuses);
    let mut looks = Vec::new();
    for look in used.looks() {
        let soql = seen(
            client,
            look.kind,
            look.fields,
            &format!("Id = '{}'", look.id),
        )?;
        if let Some(soql) = soql {
            queries.push(soql);
            looks.push(look);
        }
    }
    if queries.len() == 1 {
        let before = select.find(client, describe, id)?;
        return check_lead(&before, used.owner, id).map(|()| before);
    }
    let mut answers = client.queries(&queries)?.into_iter();
    let before = match answers.next() {
        Some(Ok(reply)) => Found::all(&reply).pop(),
        _ => None,
    };
    // Where it did not come with the others, it is asked for by itself, which says why.
    let before = match before {
        Some(before) => before,
        None => select.find(client, describe, id)?,
    };
    check_lead(&before, used.owner, id)?;
    // What the user may not see, or the org does not have, the conversion itself will tell.
    let statuses = if asks_statuses { answers.next() } else { None };
    if let Some(Ok(reply)) = statuses {
        let statuses = CONVERTED.cited(client, &reply);
        if let Some(problem) = CONVERTED.problem(statuses, used.status.unwrap_or_default()) {
            let message = "nothing was converted: leads are not converted to this status";
            return Err(Failure::invalid(message).field("/status", problem));
        }
    }
    for (look, answer) in looks.iter().zip(answers) {
        if let Ok(reply) = answer {
            look.check(client, &reply, used)?;
        }
    }
    Ok(before)
}

fn select(client: &Client<'_>, describe: &Describe) -> Select {
    let mut select = Select::new(client, describe, []);
    for name in ["IsConverted", "Company", "Status", "OwnerId"] {
        if !client.visible_fields(LEAD, &[name.to_owned()]).is_empty() {
            select.add(name);
        }
    }
    select
}

/// Refuses a lead that is converted, and a queue's that nobody is to own afterwards.
fn check_lead(before: &Found, owner: Option<&str>, id: &str) -> Result<(), Failure> {
    if before.json.is_true_at("IsConverted") {
        return Err(Failure::conflict("the lead is converted already")
            .field("/id", "is converted already")
            .hint(format!(
                "query {{\"soql\": \"SELECT ConvertedAccountId, ConvertedContactId, ConvertedOpportunityId FROM Lead WHERE Id = '{id}'\"}} shows what it became"
            )));
    }
    let of_queue = before.json.str_at("OwnerId");
    let of_queue = of_queue.and_then(names::object_of) == Some("Group");
    match owner.is_none() && of_queue {
        true => Err(
            Failure::invalid("nothing was converted: a queue owns the lead")
                .field("/owner", OWNED_BY_QUEUE)
                .hint("find_users finds a user's id by the name"),
        ),
        false => Ok(()),
    }
}

impl<'a> Used<'a> {
    fn looks(self) -> impl Iterator<Item = Look<'a>> {
        const IDS: &[&str] = &["Id"];
        const OF_ACCOUNT: &[&str] = &["Id", "AccountId"];
        const ACTIVE: &[&str] = &["Id", "IsActive"];
        let looks = [
            ("Account", "/account", self.account, IDS),
            ("Contact", "/contact", self.contact, OF_ACCOUNT),
            ("User", "/owner", self.owner, ACTIVE),
        ];
        looks.into_iter().filter_map(|(kind, pointer, id, fields)| {
            Some(Look {
                kind,
                pointer,
                id: id?,
                fields,
            })
        })
    }
}

impl Look<'_> {
    /// Refuses a record that is not there, a contact of another account than the one to use, and an owner who is not active.
    fn check(&self, client: &Client<'_>, reply: &Json, used: Used<'_>) -> Result<(), Failure> {
        let Self { kind, id, .. } = self;
        let source = Source::new(*kind).fields(self.fields.iter().copied());
        client.host.cite(&[source]);
        let found = reply.get("records").map_or(&[][..], Json::items).first();
        let (reason, problem) = match found {
            None => (
                Reason::NotFound,
                format!("there is no `{kind}` with the id {id}, or you may not see it"),
            ),
            Some(found) => {
                let problem = match found.str_at("AccountId").map(names::long_id) {
                    Some(other) if used.account.is_some_and(|account| account != other) => {
                        let account = used.account.unwrap_or_default();
                        format!("is a contact of the account {other}: give one of {account}, or that account")
                    }
                    _ if found.get("IsActive") == Some(&Json::Bool(false)) => {
                        "is an inactive user, who can own nothing: find_users finds those who are active".to_owned()
                    }
                    _ => return Ok(()),
                };
                (Reason::InvalidArgument, problem)
            }
        };
        let what = self.pointer.trim_start_matches('/');
        let message = format!("nothing was converted: its {what} cannot be used");
        Err(Failure::new(reason, message).field(self.pointer, problem))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use portcullis_sdk::Reason;

    use super::super::convert_lead;
    use super::*;
    use crate::testing::Org;

    const QUERY: &str = "/services/data/v68.0/query?q=";
    const LEAD_ID: &str = "00QDO0000000001YAA";
    const DESCRIBE: &str = r#"{"name":"Lead","label":"Lead","keyPrefix":"00Q","fields":[
        {"name":"Name","label":"Full Name","type":"string","nameField":true},
        {"name":"Status","label":"Status","type":"picklist","picklistValues":[
            {"value":"Open","label":"Open"},{"value":"Closed - Converted","label":"Closed - Converted"},
            {"value":"Closed - Lost","label":"Closed - Lost"}]}]}"#;

    fn rows(row: &str) -> String {
        format!(r#"{{"totalSize":1,"done":true,"records":[{row}]}}"#)
    }

    /// An org whose lead has this owner, and what it answers to each of the other queries that come with the lead's, in their order.
    fn org(owner: &str, others: &[&str]) -> Org {
        let lead = rows(&format!(
            r#"{{"Id":"{LEAD_ID}","Name":"Li","IsConverted":false,"Company":"Acme","Status":"Open","OwnerId":"{owner}"}}"#
        ));
        let others = others.iter().map(|row| rows(row));
        let results = std::iter::once(lead.clone()).chain(others);
        let results: Vec<String> = results
            .map(|result| format!(r#"{{"statusCode":200,"result":{result}}}"#))
            .collect();
        let results = format!(r#"{{"results":[{}]}}"#, results.join(","));
        Org::without_answers()
            .answer("/services/data/v68.0/sobjects/Lead/describe", 200, DESCRIBE)
            .answer(&format!("{QUERY}SELECT%20Id%2C%20Name"), 200, &lead)
            .answer(
                &format!("{QUERY}SELECT%20ApiName"),
                200,
                &rows(CONVERTED_ROW),
            )
            .answer("/services/data/v68.0/composite/batch", 200, &results)
    }

    const CONVERTED_ROW: &str =
        r#"{"ApiName":"Closed - Converted","MasterLabel":"Won","IsConverted":true}"#;
    const ACCOUNT_ROW: &str = r#"{"Id":"001DO0000000001YAA"}"#;
    const CONTACT_ROW: &str = r#"{"Id":"003DO0000000001YAA","AccountId":"001DO0000000001YAA"}"#;
    const STRANGER_ROW: &str = r#"{"Id":"003DO0000000001YAA","AccountId":"001DO0000000002YAA"}"#;
    const ACTIVE_ROW: &str = r#"{"Id":"005DO0000000001YAA","IsActive":true}"#;
    const INACTIVE_ROW: &str = r#"{"Id":"005DO0000000001YAA","IsActive":false}"#;

    fn converts(org: &Org, more: &str) -> Failure {
        let args = format!(r#"{{"id":"{LEAD_ID}"{more}}}"#);
        convert_lead(org, &serde_json::from_str(&args).unwrap()).unwrap_err()
    }

    const USER: &str = "005DO0000000001YAA";
    const QUEUE: &str = "00GDO0000000001YAA";
    const ACCOUNT: &str = r#","account":"001DO0000000001YAA""#;
    const CONTACT: &str = r#","account":"001DO0000000001YAA","contact":"003DO0000000001YAA""#;
    const OWNER: &str = r#","owner":"005DO0000000001YAA""#;
    const LOST: &str = r#","status":"Closed - Lost""#;

    #[test]
    fn nobody_is_asked_for_what_cannot_succeed() {
        for (owner, others, more, pointer, words) in [
            (QUEUE, &[][..], "", "/owner", "a queue owns the lead"),
            (
                USER,
                &[CONVERTED_ROW],
                LOST,
                "/status",
                "of converted leads: `Closed - Converted` (Won)",
            ),
            (
                USER,
                &[],
                r#","status":"Closed - Convertd""#,
                "/status",
                "of converted leads: `Closed - Converted` (Won)",
            ),
            (
                USER,
                &[ACCOUNT_ROW, STRANGER_ROW],
                CONTACT,
                "/contact",
                "of the account 001DO0000000002YAA",
            ),
            (
                USER,
                &[ACCOUNT_ROW, ""],
                CONTACT,
                "/contact",
                "there is no `Contact`",
            ),
            (USER, &[""], ACCOUNT, "/account", "there is no `Account`"),
            (USER, &[""], OWNER, "/owner", "there is no `User`"),
            (USER, &[INACTIVE_ROW], OWNER, "/owner", "an inactive user"),
            (
                USER,
                &[],
                r#","owner":"Dana""#,
                "/owner",
                "find_users finds it by its name",
            ),
            (
                USER,
                &[],
                r#","account":"Acme""#,
                "/account",
                "query finds it by its name",
            ),
        ] {
            let org = org(owner, others);
            let failure = converts(&org, more);
            let is_missing = failure.fields[0].problem.starts_with("there is no");
            let reason = match is_missing {
                true => Reason::NotFound,
                false => Reason::InvalidArgument,
            };
            assert_eq!(failure.reason, reason, "{failure:?}");
            assert_eq!(failure.fields[0].pointer, pointer, "{failure:?}");
            let problem = &failure.fields[0].problem;
            assert!(problem.contains(words), "{problem}");
            assert!(org.announced().is_empty(), "{more}");
            // The describe, and at most one request more.
            assert!(org.requests().len() <= 2, "{:?}", org.requests());
        }
    }

    #[test]
    fn what_may_succeed_is_announced() {
        for (owner, others, more) in [
            (USER, &[][..], ""),
            (QUEUE, &[ACTIVE_ROW], OWNER),
            (USER, &[CONVERTED_ROW], r#","status":"Closed - Converted""#),
            (USER, &[ACCOUNT_ROW, CONTACT_ROW], CONTACT),
        ] {
            let org = org(owner, others);
            // The line breaks once it is sent.
            let failure = converts(&org, more);
            assert_eq!(failure.reason, Reason::Unavailable, "{more}: {failure:?}");
            assert_eq!(org.announced().len(), if more == CONTACT { 2 } else { 4 });
            // The describe, what is looked at, the change, and what came of it.
            assert_eq!(org.requests().len(), 4, "{:?}", org.requests());
        }
    }

    #[test]
    fn what_the_agent_may_not_see_is_left_to_the_org() {
        for (org, more) in [
            (org(USER, &[]).hide("Lead", "OwnerId"), ""),
            (org(USER, &[]).hide("LeadStatus", "MasterLabel"), LOST),
            (org(USER, &[]).forbid("LeadStatus"), LOST),
            (
                org(USER, &[ACCOUNT_ROW]).hide("Contact", "AccountId"),
                CONTACT,
            ),
            (org(USER, &[]).hide("User", "IsActive"), OWNER),
        ] {
            let failure = converts(&org, more);
            assert_eq!(failure.reason, Reason::Unavailable, "{more}: {failure:?}");
            let mut asked = org.requests();
            asked.extend(org.bodies());
            let asked = asked.join(" ");
            for hidden in ["LeadStatus", "FROM%20Contact", "FROM%20User", "OwnerId"] {
                let is_seen = hidden == "OwnerId" && !more.is_empty();
                assert_eq!(asked.contains(hidden), is_seen, "{more}: {asked}");
            }
        }
    }

    #[test]
    fn what_the_org_does_not_tell_is_left_to_the_conversion() {
        let refused =
            r#"{"statusCode":400,"result":[{"errorCode":"INVALID_FIELD","message":"m"}]}"#;
        let results = format!(r#"{{"results":[{refused},{refused}]}}"#);
        let lead = rows(&format!(
            r#"{{"Id":"{LEAD_ID}","Name":"Li","OwnerId":"{USER}"}}"#
        ));
        let org = Org::without_answers()
            .answer("/services/data/v68.0/sobjects/Lead/describe", 200, DESCRIBE)
            .answer(&format!("{QUERY}SELECT%20Id%2C%20Name"), 200, &lead)
            .answer("/services/data/v68.0/composite/batch", 200, &results);
        let failure = converts(&org, OWNER);
        assert_eq!(failure.reason, Reason::Unavailable, "{failure:?}");
        assert_eq!(org.announced().len(), 4);
    }
}
