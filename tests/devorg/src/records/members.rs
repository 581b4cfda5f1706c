//! Members of campaigns: what Salesforce asks of them over and above what the schema says (*Object Reference*, "CampaignMember").

use super::derive::set;
use crate::error::ApiError;
use crate::id::Id;
use crate::objects::MEMBER_STATUSES;
use crate::org::Org;
use crate::store::Record;
use crate::value::Value;

/// The fields that say who a member is.
const PEOPLE: [&str; 2] = ["LeadId", "ContactId"];

/// Checks a member who is about to be saved.
///
/// # Errors
///
/// `FIELD_INTEGRITY_EXCEPTION` where it is nobody, or `DUPLICATE_VALUE` where the person is in the campaign already.
pub(super) fn check(org: &Org, old: Option<&Record>, record: &Record) -> Result<(), ApiError> {
    if &*record.object != "CampaignMember" || old.is_some() {
        return Ok(());
    }
    let people: Vec<(&str, Id)> = PEOPLE
        .iter()
        .filter_map(|field| Some((*field, record.reference(field)?)))
        .collect();
    let [(field, person)] = people.as_slice() else {
        let message = "Specify either a lead or a contact for the campaign member";
        return Err(ApiError::bad_request("FIELD_INTEGRITY_EXCEPTION", message));
    };
    let is_it = |other: &Record| {
        !other.deleted
            && other.id != record.id
            && other.reference("CampaignId") == record.reference("CampaignId")
    };
    match org
        .store
        .children("CampaignMember", field, *person)
        .any(is_it)
    {
        true => Err(ApiError::bad_request(
            "DUPLICATE_VALUE",
            "Already a campaign member.",
        )),
        false => Ok(()),
    }
}

/// Gives a member's fields that follow from its status their values.
pub(super) fn derive(old: Option<&Record>, record: &mut Record, today: impl Into<Value>) {
    if record.get("Status").is_null() {
        set(record, "Status", MEMBER_STATUSES[0]);
    }
    let responded = record.get("Status").as_text() == Some(MEMBER_STATUSES[1]);
    let had = old.is_some_and(|old| old.get("HasResponded").as_bool() == Some(true));
    set(record, "HasResponded", responded);
    if responded && !had && record.get("FirstRespondedDate").is_null() {
        set(record, "FirstRespondedDate", today);
    }
}

/// Brings the counts of the campaign of a member up to date.
pub(super) fn count(org: &mut Org, member: &Record) {
    let campaign = member.reference("CampaignId");
    let campaign = campaign.and_then(|id| org.store.get("Campaign", id).cloned());
    let Some(mut campaign) = campaign else {
        return;
    };
    let (mut leads, mut contacts, mut responses) = (0_i64, 0_i64, 0_i64);
    let members = org
        .store
        .children("CampaignMember", "CampaignId", campaign.id);
    for member in members.filter(|member| !member.deleted) {
        leads += i64::from(!member.get("LeadId").is_null());
        contacts += i64::from(!member.get("ContactId").is_null());
        responses += i64::from(member.get("HasResponded").as_bool() == Some(true));
    }
    set(&mut campaign, "NumberOfLeads", leads);
    set(&mut campaign, "NumberOfContacts", contacts);
    set(&mut campaign, "NumberOfResponses", responses);
    org.store.put(campaign);
}
