//! `set_campaign_member`: a person into a campaign, or the status of one who is in it.

use std::rc::Rc;

use portcullis_sdk::permissions::Access;
use portcullis_sdk::{Failure, Output};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::asked::{self, Problems, Purpose};
use super::record::{Found, Select};
use super::said::Written;
use super::targets::Names;
use super::worded::Worded;
use super::{create, update};
use crate::client::{Client, ReadError};
use crate::describe::Describe;
use crate::host::Host;
use crate::json::Json;
use crate::known::check_record;
use crate::names;

const MEMBER: &str = "CampaignMember";

/// The members that a lead or contact is.
const MEMBERS: &str = "CampaignMembers";

/// What `set_campaign_member` is asked.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct SetCampaignMember {
    /// The campaign's id.
    campaign: String,
    /// Id of a lead or contact.
    person: String,
    /// Such as `Responded`; default: the campaign's.
    status: Option<String>,
}

/// Makes a person a member of a campaign, or changes the member's status.
///
/// # Errors
/// An id is of another object, or of one that the agent may not read; and as [`create_record`](super::create_record) and [`update_record`](super::update_record).
pub fn set_campaign_member(host: &dyn Host, args: &SetCampaignMember) -> Result<Output, Failure> {
    let campaign = id(&args.campaign, "/campaign", &["Campaign"])?;
    let person = id(&args.person, "/person", &["Lead", "Contact"])?;
    let (kind, field) = match names::object_of(&person) {
        Some("Lead") => ("Lead", "LeadId"),
        _ => ("Contact", "ContactId"),
    };
    let named = ["CampaignId", field, "Status"];
    host.check(&[Access::read(MEMBER, named), Access::write(MEMBER, named)])?;
    let client = Client::new(host);
    check_record(&client, &campaign)?;
    check_record(&client, &person)?;
    let describe = described(&client)?;
    host.step("Looked whether the person is in the campaign", None);
    let (member, known) = look(&client, &describe, kind, &person, &campaign)?;
    // One that is empty is none.
    let given = args.status.as_deref().map(str::trim);
    let given = given.filter(|status| !status.is_empty());
    let status = Worded::new().maybe("Status", "/status", given);
    match member {
        Some(member) if given.is_some() => {
            status.said(set_status(&client, &member, status.fields()))
        }
        Some(member) => {
            let text = format!(
                "nothing was sent: the person is in the campaign already, as the {MEMBER} {}; give a status to change it",
                member.id
            );
            let data = Written::data("unchanged", MEMBER, &member.id, None, Vec::new(), &[]);
            Ok(data.answer(text))
        }
        None => {
            let worded = status
                .text("CampaignId", "/campaign", &campaign)
                .text(field, "/person", &person);
            worded.said(create::create(
                &client,
                MEMBER,
                worded.fields(),
                None,
                &known,
            ))
        }
    }
}

fn described(client: &Client<'_>) -> Result<Rc<Describe>, Failure> {
    client.describe(MEMBER).map_err(|error| match error {
        ReadError::Service(error) if error.is("NOT_FOUND") => Failure::not_permitted(
            "the user who is signed in may not see members of campaigns, or the org has none",
        ),
        error => error.into(),
    })
}

/// Reads the member that a person is in a campaign, with the names of both, as far as the agent may see them and they are there.
fn look(
    client: &Client<'_>,
    describe: &Describe,
    kind: &str,
    person: &str,
    campaign: &str,
) -> Result<(Option<Found>, Names), Failure> {
    let mut select = Select::new(client, describe, []);
    select.add("Status");
    let named = ["Id", "Name"].map(str::to_owned);
    let sees =
        |kind: &str, fields: &[String]| client.visible_fields(kind, fields).len() == fields.len();
    let own = match sees(kind, &named[1..]) {
        true => "Id, Name",
        false => "Id",
    };
    let mut queries = vec![format!(
        "SELECT {own}, (SELECT {} FROM {MEMBERS} WHERE CampaignId = '{campaign}' LIMIT 1) FROM {kind} WHERE Id = '{person}'",
        select.fields.join(", ")
    )];
    if sees("Campaign", &named) {
        queries.push(format!(
            "SELECT Id, Name FROM Campaign WHERE Id = '{campaign}'"
        ));
    }
    let mut answers = client.queries(&queries)?.into_iter();
    let of_person = answers.next().transpose()?.unwrap_or(Json::Null);
    let first = |reply: &Json| reply.get("records")?.items().first().cloned();
    let found = first(&of_person);
    let members = found
        .as_ref()
        .and_then(|found| found.get(MEMBERS)?.get("records"));
    let member = members.and_then(|members| members.items().first());
    let member = member.map(|member| Found::new(member.clone(), ""));
    // Without its name a campaign is looked for when the member is announced.
    let campaigns = answers.next().and_then(Result::ok);
    let mut known = Names::default();
    for (id, found) in [
        (person, found),
        (campaign, campaigns.as_ref().and_then(first)),
    ] {
        if let Some(name) = found.as_ref().and_then(|found| found.str_at("Name")) {
            known.insert(id.to_owned(), name.to_owned());
        }
    }
    Ok((member, known))
}

fn set_status(
    client: &Client<'_>,
    member: &Found,
    status: &Map<String, Value>,
) -> Result<Output, Failure> {
    let describe = asked::describe(
        client,
        MEMBER,
        Purpose::Update,
        &mut std::iter::once(status),
    )?;
    update::check_updateable(&describe)?;
    let mut problems = Problems::default();
    let asked = asked::read(client, &describe, status, Purpose::Update, &mut problems);
    problems.refuse(client)?;
    update::change(client, &describe, member, asked, &Names::default())
}

fn id(given: &str, pointer: &str, kinds: &[&str]) -> Result<String, Failure> {
    let at = |mut failure: Failure| {
        for field in &mut failure.fields {
            pointer.clone_into(&mut field.pointer);
        }
        failure
    };
    let id = names::long_id(names::record_id(given).map_err(at)?);
    match names::object_of(&id).filter(|object| kinds.contains(object)) {
        Some(_) => Ok(id),
        None => {
            let problem = format!("takes the id of a {}", kinds.join(" or "));
            let message = format!("{id} is the id of something else");
            Err(Failure::invalid(message).field(pointer, problem))
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use crate::testing::Org;
    use portcullis_sdk::Reason;

    /// Looks for a member, and says which ids have a name then, and in which requests.
    fn looked(org: &Org) -> (Vec<String>, Vec<String>) {
        let client = Client::new(org);
        let describe = Describe::new(Json::parse(r#"{"name":"CampaignMember"}"#).unwrap());
        let (person, campaign) = ("00Q000000000001AAA", "701000000000001AAA");
        let (member, known) = look(&client, &describe, "Lead", person, campaign).unwrap();
        assert!(member.is_none());
        let known = known.into_pairs().into_iter();
        (known.map(|(_, name)| name).collect(), org.requests())
    }

    #[test]
    fn a_campaign_and_a_person_are_read_in_one_request() {
        let batch = "/services/data/v68.0/composite/batch";
        let person =
            r#"{"statusCode":200,"result":{"records":[{"Id":"00Q000000000001AAA","Name":"Li"}]}}"#;
        let campaign = r#"{"statusCode":200,"result":{"records":[{"Id":"701000000000001AAA","Name":"Fair"}]}}"#;
        let refused = r#"{"statusCode":400,"result":[{"errorCode":"INVALID_TYPE","message":"m"}]}"#;
        for (campaign, known) in [(campaign, &["Li", "Fair"][..]), (refused, &["Li"])] {
            let results = format!(r#"{{"results":[{person},{campaign}]}}"#);
            let org = Org::new().answer(batch, 200, &results);
            let (found, requests) = looked(&org);
            assert_eq!(found, known);
            assert_eq!(requests, [batch]);
        }
        // A name that is hidden from the agent is not asked for, and what is left is a query.
        let query = "/services/data/v68.0/query?q=";
        let alone = r#"{"records":[{"Id":"00Q000000000001AAA","Name":"Li"}]}"#;
        let org = Org::new()
            .hide("Campaign", "Name")
            .answer(query, 200, alone);
        let (found, requests) = looked(&org);
        assert_eq!(found, ["Li"]);
        assert!(requests.len() == 1 && requests[0].starts_with(query));
    }

    #[test]
    fn who_is_hidden_is_not_looked_for_in_a_campaign() {
        for forbidden in ["Campaign", "Lead"] {
            let org = Org::new().forbid("*").forbid(forbidden);
            let args = SetCampaignMember {
                campaign: "701000000000001AAA".to_owned(),
                person: "00Q000000000001AAA".to_owned(),
                status: None,
            };
            let failure = set_campaign_member(&org, &args).unwrap_err();
            assert_eq!(failure.reason, Reason::NotPermitted, "{forbidden}");
            assert!(org.requests().is_empty(), "{forbidden}");
        }
    }
}
