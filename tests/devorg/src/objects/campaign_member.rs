//! CampaignMember: a lead or a contact in a campaign.

use crate::schema::*;

/// The statuses of members of a campaign that nobody has given others: the one that new members get, and the one that counts as a
/// response.
pub(crate) const MEMBER_STATUSES: [&str; 2] = ["Sent", "Responded"];

pub(super) fn object() -> Object {
    let mut member = crate::schema::object(
        "CampaignMember",
        "Campaign Member",
        "Campaign Members",
        "00v",
    )
    .with([
        id("Campaign Member ID"),
        is_deleted(),
        reference("CampaignId", "Campaign ID", &["Campaign"])
            .standard()
            .create_only()
            .required(),
        reference("LeadId", "Lead ID", &["Lead"])
            .standard()
            .create_only(),
        reference("ContactId", "Contact ID", &["Contact"])
            .standard()
            .create_only(),
        picklist("Status", "Status", 40, &["Sent*", "Responded"]).standard(),
        checkbox("HasResponded", "Responded").system(),
    ])
    .with(audit())
    .with([date("FirstRespondedDate", "First Responded Date").system()]);
    member.undeletable = false;
    member.mru_enabled = false;
    member.searchable = false;
    member
}
