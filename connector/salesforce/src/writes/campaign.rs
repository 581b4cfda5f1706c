//! `set_campaign_member`: a person into a campaign, or the status of one who is in it.

use std::rc::Rc;

use portcullis_sdk::permissions::Access;
use portcullis_sdk::{Failure, Output};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::asked::{self, Problems, Purpose};
use super::record::{self, Found, Select};
use super::targets::Names;
use super::worded::Worded;
use super::{create, update};
use crate::client::{Client, ReadError};
use crate::describe::Describe;
use crate::host::Host;
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
    let (member, name) = look(&client, &describe, kind, &person, &campaign)?;
    let status = Worded::new().maybe("Status", "/status", args.status.as_deref());
    match member {
        Some(member) if args.status.is_some() => {
            status.said(set_status(&client, &member, status.fields()))
        }
        Some(member) => Ok(Output::text(format!(
            "nothing was sent: the person is in the campaign already, as the {MEMBER} {}; give a status to change it",
            member.id
        ))
        .structured(&super::said::Written::unchanged(MEMBER, &member.id))),
        None => {
            let worded = status
                .text("CampaignId", "/campaign", &campaign)
                .text(field, "/person", &person);
            let mut known = Names::default();
            if let Some(name) = name {
                known.insert(person.clone(), name);
            }
            worded.said(create::create(&client, MEMBER, worded.fields(), None, &known))
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

/// Reads the member that a person is in a campaign, and the person's name, by one query. Neither, where there is no such person.
fn look(
    client: &Client<'_>,
    describe: &Describe,
    kind: &str,
    person: &str,
    campaign: &str,
) -> Result<(Option<Found>, Option<String>), Failure> {
    let mut select = Select::new(client, describe, []);
    select.add("Status");
    let is_named = client.visible_fields(kind, &["Name".to_owned()]).len() == 1;
    let own = if is_named { "Id, Name" } else { "Id" };
    let soql = format!(
        "SELECT {own}, (SELECT {} FROM {MEMBERS} WHERE CampaignId = '{campaign}' LIMIT 1) FROM {kind} WHERE Id = '{person}'",
        select.fields.join(", ")
    );
    let reply = record::query(client, &soql).map_err(Failure::from)?;
    let found = reply.get("records").and_then(|found| found.items().first());
    let members = found.and_then(|found| found.get(MEMBERS)?.get("records"));
    let member = members.and_then(|members| members.items().first());
    let name = found.and_then(|found| found.str_at("Name"));
    Ok((
        member.map(|member| Found::new(member.clone(), "")),
        name.map(str::to_owned),
    ))
}

fn set_status(
    client: &Client<'_>,
    member: &Found,
    status: &Map<String, Value>,
) -> Result<Output, Failure> {
    let describe = asked::describe(client, MEMBER, Purpose::Update, std::iter::once(status))?;
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
