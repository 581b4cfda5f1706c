//! What a conversion could not succeed with, found out before a person is asked, as far as the agent may see it.

use portcullis_sdk::Failure;
use portcullis_sdk::audit::Source;

use crate::client::{Client, ReadError};
use crate::fence;
use crate::json::Json;
use crate::names;
use crate::nearest::{Candidate, listed};
use crate::touched::Touched;
use crate::writes::record::{self, Found};

/// What is said of a queue's lead.
pub(super) const OWNED_BY_QUEUE: &str =
    "give a user: a queue owns the lead, and a queue owns no account";

/// Refuses a status that is none of converted leads, as far as the org says which are.
///
/// # Errors
/// `invalid-argument` at `/status`, with those that are; or the org does not answer.
pub(super) fn check_status(client: &Client<'_>, wanted: &str) -> Result<(), Failure> {
    let Some(converted) = converted(client)? else {
        return Ok(());
    };
    let is_wanted = |name: &str| converted.iter().any(|one| one.str_at(name) == Some(wanted));
    if is_wanted("ApiName") || is_wanted("MasterLabel") {
        return Ok(());
    }
    let shown = fence::inline(wanted, 80);
    let problem = format!(
        "“{shown}” is no status of converted leads{}",
        of_converted(&converted)
    );
    Err(
        Failure::invalid("nothing was converted: leads are not converted to this status")
            .field("/status", problem),
    )
}

/// Gives the statuses of converted leads. `None`: the org does not say, or the agent may not see it.
///
/// # Errors
/// The org does not answer.
pub(super) fn converted(client: &Client<'_>) -> Result<Option<Vec<Json>>, Failure> {
    look(
        client,
        "LeadStatus",
        &["ApiName", "MasterLabel", "IsConverted"],
        "IsConverted = true",
    )
}

/// Says which statuses converted leads take, at the end of a sentence.
pub(super) fn of_converted(statuses: &[Json]) -> String {
    let text =
        |status: &Json, name: &str| fence::inline(status.str_at(name).unwrap_or_default(), 80);
    let names: Vec<_> = statuses
        .iter()
        .map(|status| (text(status, "ApiName"), text(status, "MasterLabel")))
        .collect();
    let candidates = names.iter().map(|(name, label)| Candidate { name, label });
    format!(
        "; of converted leads: {}",
        listed(&candidates.collect::<Vec<_>>())
    )
}

/// Reads what says that a conversion could not succeed, as far as the agent may see it.
fn look(
    client: &Client<'_>,
    kind: &str,
    fields: &[&str],
    condition: &str,
) -> Result<Option<Vec<Json>>, Failure> {
    let names: Vec<String> = fields.iter().map(|name| (*name).to_owned()).collect();
    if !client.may_read(kind) || client.visible_fields(kind, &names).len() < names.len() {
        return Ok(None);
    }
    let soql = format!("SELECT {} FROM {kind} WHERE {condition}", fields.join(", "));
    client.check(&[Touched {
        kind: kind.to_owned(),
        fields: names.clone(),
    }])?;
    match record::query(client, &soql) {
        Ok(reply) => {
            client.host.cite(&[Source::new(kind).fields(names)]);
            Ok(reply.get("records").map(|rows| rows.items().to_vec()))
        }
        // The user may not see it, or the org has none: the conversion itself will tell.
        Err(ReadError::Service(_)) => Ok(None),
        Err(ReadError::Failed(failure)) => Err(failure),
    }
}

/// Refuses a queue's lead that nobody is to own afterwards.
///
/// # Errors
/// `invalid-argument` at `/owner`.
pub(super) fn check_owner(before: &Found, owner: Option<&str>) -> Result<(), Failure> {
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

/// Refuses a contact of another account than the one to use.
///
/// # Errors
/// `invalid-argument` at `/contact`, `not-found`, or the org does not answer.
pub(super) fn check_contact(
    client: &Client<'_>,
    contact: &str,
    account: &str,
) -> Result<(), Failure> {
    let condition = format!("Id = '{contact}'");
    let Some(found) = look(client, "Contact", &["Id", "AccountId"], &condition)? else {
        return Ok(());
    };
    let Some(found) = found.first() else {
        let problem = format!("there is no contact with the id {contact}, or you may not see it");
        return Err(
            Failure::not_found(format!("nothing was converted: {problem}"))
                .field("/contact", problem),
        );
    };
    match found.str_at("AccountId").map(names::long_id) {
        Some(other) if other != account => Err(Failure::invalid(
            "nothing was converted: the contact is of another account",
        )
        .field(
            "/contact",
            format!("is a contact of the account {other}: give one of {account}, or that account"),
        )),
        _ => Ok(()),
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
    const ACCOUNT_ID: &str = "001DO0000000001YAA";
    const DESCRIBE: &str = r#"{"name":"Lead","label":"Lead","keyPrefix":"00Q","fields":[
        {"name":"Name","label":"Full Name","type":"string","nameField":true},
        {"name":"Status","label":"Status","type":"picklist","picklistValues":[
            {"value":"Open","label":"Open"},{"value":"Closed - Converted","label":"Closed - Converted"},
            {"value":"Closed - Lost","label":"Closed - Lost"}]}]}"#;

    /// An org whose lead has this owner, and whose contact is of this account.
    fn org(owner: &str, account: &str) -> Org {
        let rows = |row: String| format!(r#"{{"totalSize":1,"done":true,"records":[{row}]}}"#);
        let lead = format!(
            r#"{{"Id":"{LEAD_ID}","Name":"Li","IsConverted":false,"Company":"Acme","Status":"Open","OwnerId":"{owner}"}}"#
        );
        let status = r#"{"ApiName":"Closed - Converted","MasterLabel":"Won","IsConverted":true}"#;
        let contact = format!(r#"{{"Id":"003DO0000000001YAA","AccountId":"{account}"}}"#);
        Org::without_answers()
            .answer("/services/data/v68.0/sobjects/Lead/describe", 200, DESCRIBE)
            .answer(&format!("{QUERY}SELECT%20Id%2C%20Name"), 200, &rows(lead))
            .answer(
                &format!("{QUERY}SELECT%20ApiName"),
                200,
                &rows(status.to_owned()),
            )
            .answer(
                &format!("{QUERY}SELECT%20Id%2C%20AccountId"),
                200,
                &rows(contact),
            )
    }

    fn converts(org: &Org, more: &str) -> Failure {
        let args = format!(r#"{{"id":"{LEAD_ID}"{more}}}"#);
        convert_lead(org, &serde_json::from_str(&args).unwrap()).unwrap_err()
    }

    const USER: &str = "005DO0000000001YAA";
    const QUEUE: &str = "00GDO0000000001YAA";
    const CONTACT: &str = r#","account":"001DO0000000001YAA","contact":"003DO0000000001YAA""#;

    #[test]
    fn nobody_is_asked_for_what_cannot_succeed() {
        for (owner, account, more, pointer, words) in [
            (QUEUE, ACCOUNT_ID, "", "/owner", "a queue owns the lead"),
            (
                USER,
                ACCOUNT_ID,
                r#","status":"Closed - Lost""#,
                "/status",
                "of converted leads: `Closed - Converted` (Won)",
            ),
            (
                USER,
                ACCOUNT_ID,
                r#","status":"Closed - Convertd""#,
                "/status",
                "of converted leads: `Closed - Converted` (Won)",
            ),
            (
                USER,
                "001DO0000000002YAA",
                CONTACT,
                "/contact",
                "of the account 001DO0000000002YAA",
            ),
        ] {
            let org = org(owner, account);
            let failure = converts(&org, more);
            assert_eq!(failure.reason, Reason::InvalidArgument, "{failure:?}");
            assert_eq!(failure.fields[0].pointer, pointer, "{failure:?}");
            let problem = &failure.fields[0].problem;
            assert!(problem.contains(words), "{problem}");
            assert!(org.announced().is_empty(), "{more}");
        }
    }

    #[test]
    fn what_may_succeed_is_announced() {
        for (owner, more) in [
            (USER, ""),
            (QUEUE, r#","owner":"005DO0000000001YAA""#),
            (USER, r#","status":"Closed - Converted""#),
            (USER, CONTACT),
        ] {
            let org = org(owner, ACCOUNT_ID);
            // The line breaks once it is sent.
            let failure = converts(&org, more);
            assert_eq!(failure.reason, Reason::Unavailable, "{more}: {failure:?}");
            assert_eq!(org.announced().len(), if more == CONTACT { 2 } else { 4 });
        }
    }

    #[test]
    fn what_the_agent_may_not_see_is_left_to_the_org() {
        const LOST: &str = r#","status":"Closed - Lost""#;
        const OTHER: &str = "001DO0000000002YAA";
        for (org, more) in [
            (org(USER, ACCOUNT_ID).hide("Lead", "OwnerId"), ""),
            (
                org(USER, ACCOUNT_ID).hide("LeadStatus", "MasterLabel"),
                LOST,
            ),
            (org(USER, ACCOUNT_ID).forbid("LeadStatus"), LOST),
            (org(USER, OTHER).hide("Contact", "AccountId"), CONTACT),
        ] {
            let failure = converts(&org, more);
            assert_eq!(failure.reason, Reason::Unavailable, "{more}: {failure:?}");
            let asked = org.requests().join(" ");
            for hidden in ["LeadStatus", "FROM%20Contact", "OwnerId"] {
                let is_seen = hidden == "OwnerId" && !more.is_empty();
                assert_eq!(asked.contains(hidden), is_seen, "{more}: {asked}");
            }
        }
    }
}
