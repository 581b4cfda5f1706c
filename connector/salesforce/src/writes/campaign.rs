//! `set_campaign_member`: a person into a campaign, or the status of one who is in it.

use portcullis_sdk::permissions::Access;
use portcullis_sdk::{Failure, Output};
use schemars::JsonSchema;
use serde::Deserialize;

use super::record;
use super::targets::Names;
use super::worded::Worded;
use super::{create, update};
use crate::client::Client;
use crate::host::Host;
use crate::known::check_record;
use crate::names;

const MEMBER: &str = "CampaignMember";

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
    let field = match names::object_of(&person) {
        Some("Lead") => "LeadId",
        _ => "ContactId",
    };
    let named = ["CampaignId", field, "Status"];
    host.check(&[Access::read(MEMBER, named), Access::write(MEMBER, named)])?;
    let client = Client::new(host);
    check_record(&client, &campaign)?;
    check_record(&client, &person)?;
    host.step("Looked whether the person is in the campaign", None);
    let soql = format!(
        "SELECT Id FROM {MEMBER} WHERE CampaignId = '{campaign}' AND {field} = '{person}' LIMIT 1"
    );
    let reply = record::query(&client, &soql).map_err(Failure::from)?;
    let member = reply
        .get("records")
        .and_then(|records| records.items().first()?.str_at("Id"))
        .map(names::long_id);
    match (member, &args.status) {
        (Some(id), Some(status)) => {
            let worded = Worded::new().text("Status", "/status", status);
            worded.said(update::update(&client, MEMBER, &id, worded.fields(), &Names::new()))
        }
        (Some(id), None) => Ok(Output::text(format!(
            "nothing was sent: the person is in the campaign already, as the {MEMBER} {id}; give a status to change it"
        ))
        .structured(&super::said::Written::unchanged(MEMBER, &id))),
        (None, status) => {
            let worded = Worded::new()
                .text("CampaignId", "/campaign", &campaign)
                .text(field, "/person", &person)
                .maybe("Status", "/status", status.as_deref());
            worded.said(create::create(&client, MEMBER, worded.fields(), None))
        }
    }
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
