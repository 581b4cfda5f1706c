//! Lead: somebody who may become a customer.

use super::{CLEAN_STATUSES, INDUSTRIES, RATINGS, SOURCES, owner_scopes};
use crate::schema::*;

/// The value of `Status` that only a conversion gives.
pub(crate) const CONVERTED_STATUS: &str = "Closed - Converted";

pub(super) fn object() -> Object {
    let mut lead = crate::schema::object("Lead", "Lead", "Leads", "00Q")
        .scopes(&owner_scopes("leads"))
        .owned_child("CampaignMember", "LeadId", "CampaignMembers")
        .with_files()
        .owned_child("Event", "WhoId", "Events")
        .owned_child("Task", "WhoId", "Tasks")
        .with(identity())
        .with(address(""))
        .with(interest())
        .with([owner("Owner ID", &["Group", "User"])])
        .with(conversion())
        .with(audit())
        .with([last_activity()])
        .with(last_seen())
        .with(data());
    lead.feed_enabled = true;
    lead.mergeable = true;
    lead
}

fn identity() -> Vec<Field> {
    let person = |field: Field| field.standard().part_of("Name").info("personname");
    vec![
        id("Lead ID"),
        is_deleted(),
        reference("MasterRecordId", "Master Record ID", &["Lead"]).system(),
        person(text("LastName", "Last Name", 80)).required(),
        person(text("FirstName", "First Name", 40)),
        person(picklist(
            "Salutation",
            "Salutation",
            40,
            &["Mr.", "Ms.", "Mrs.", "Dr.", "Prof.", "Mx."],
        )),
        text("Name", "Full Name", 121)
            .system()
            .required()
            .name()
            .info("personname"),
        text("Title", "Title", 128),
        text("Company", "Company", 255).standard().required(),
    ]
}

fn interest() -> Vec<Field> {
    vec![
        phone("Phone", "Phone"),
        phone("MobilePhone", "Mobile Phone"),
        phone("Fax", "Fax"),
        email("Email", "Email").lookup(),
        url("Website", "Website"),
        photo_url(),
        long_text("Description", "Description", 32_000),
        picklist("LeadSource", "Lead Source", 255, &SOURCES),
        picklist(
            "Status",
            "Status",
            255,
            &[
                "Open - Not Contacted*",
                "Working - Contacted",
                CONVERTED_STATUS,
                "Closed - Not Converted",
            ],
        )
        .standard()
        .required(),
        picklist("Industry", "Industry", 255, &INDUSTRIES),
        picklist("Rating", "Rating", 255, &RATINGS),
        currency("AnnualRevenue", "Annual Revenue", 18, 0),
        whole("NumberOfEmployees", "Employees", 8),
    ]
}

fn conversion() -> Vec<Field> {
    vec![
        checkbox("IsConverted", "Converted")
            .standard()
            .create_only(),
        date("ConvertedDate", "Converted Date").system(),
        reference("ConvertedAccountId", "Converted Account ID", &["Account"]).system(),
        reference("ConvertedContactId", "Converted Contact ID", &["Contact"]).system(),
        reference(
            "ConvertedOpportunityId",
            "Converted Opportunity ID",
            &["Opportunity"],
        )
        .system(),
        checkbox("IsUnreadByOwner", "Unread By Owner").standard(),
    ]
}

fn data() -> Vec<Field> {
    vec![
        text("Jigsaw", "Data.com Key", 20),
        text("JigsawContactId", "Jigsaw Contact ID", 20)
            .system()
            .parent("JigsawContact"),
        picklist("CleanStatus", "Clean Status", 40, &CLEAN_STATUSES).restricted(),
        text("CompanyDunsNumber", "Company D-U-N-S Number", 9),
        reference("DandbCompanyId", "D&B Company ID", &["DandBCompany"]),
        text("EmailBouncedReason", "Email Bounced Reason", 255)
            .standard()
            .update_only(),
        datetime("EmailBouncedDate", "Email Bounced Date")
            .standard()
            .update_only(),
        reference("IndividualId", "Individual ID", &["Individual"]).standard(),
    ]
}
