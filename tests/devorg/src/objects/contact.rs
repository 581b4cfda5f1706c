//! Contact: a person at an account.

use super::{CLEAN_STATUSES, SOURCES, owner_scopes};
use crate::schema::*;

pub(super) fn object() -> Object {
    let mut contact = crate::schema::object("Contact", "Contact", "Contacts", "003")
        .scopes(&owner_scopes("contacts"))
        .owned_child("CampaignMember", "ContactId", "CampaignMembers")
        .keeping_child("Case", "ContactId", "Cases")
        .child("Contact", "ReportsToId", "")
        .with_files()
        .owned_child("Event", "WhoId", "Events")
        .child("Lead", "ConvertedContactId", "")
        .child("Opportunity", "ContactId", "Opportunities")
        .owned_child(
            "OpportunityContactRole",
            "ContactId",
            "OpportunityContactRoles",
        )
        .owned_child("Task", "WhoId", "Tasks")
        .keeping_child("User", "ContactId", "Users")
        .with(identity())
        .with(address("Other"))
        .with(address("Mailing"))
        .with(reach())
        .with([owner("Owner ID", &["User"])])
        .with(audit())
        .with([
            last_activity(),
            datetime("LastCURequestDate", "Last Stay-in-Touch Request Date").system(),
            datetime("LastCUUpdateDate", "Last Stay-in-Touch Save Date").system(),
        ])
        .with(last_seen())
        .with(mail_and_data());
    contact.feed_enabled = true;
    contact.mergeable = true;
    contact
}

fn identity() -> Vec<Field> {
    let person = |field: Field| field.standard().part_of("Name").info("personname");
    vec![
        id("Contact ID"),
        is_deleted(),
        reference("MasterRecordId", "Master Record ID", &["Contact"]).system(),
        reference("AccountId", "Account ID", &["Account"]),
        person(text("LastName", "Last Name", 80)).required(),
        person(text("FirstName", "First Name", 40)),
        person(picklist(
            "Salutation",
            "Salutation",
            40,
            &["Mr.", "Ms.", "Mrs.", "Dr.", "Prof."],
        )),
        text("Name", "Full Name", 121)
            .system()
            .required()
            .name()
            .info("personname"),
    ]
}

fn reach() -> Vec<Field> {
    vec![
        phone("Phone", "Business Phone"),
        phone("Fax", "Business Fax"),
        phone("MobilePhone", "Mobile Phone"),
        phone("HomePhone", "Home Phone"),
        phone("OtherPhone", "Other Phone"),
        phone("AssistantPhone", "Asst. Phone"),
        reference("ReportsToId", "Reports To ID", &["Contact"]),
        email("Email", "Email").lookup(),
        text("Title", "Title", 128),
        text("Department", "Department", 80),
        text("AssistantName", "Assistant's Name", 40),
        picklist("LeadSource", "Lead Source", 255, &SOURCES),
        date("Birthdate", "Birthdate"),
        long_text("Description", "Contact Description", 32_000),
    ]
}

fn mail_and_data() -> Vec<Field> {
    vec![
        text("EmailBouncedReason", "Email Bounced Reason", 255).standard(),
        datetime("EmailBouncedDate", "Email Bounced Date").standard(),
        checkbox("IsEmailBounced", "Is Email Bounced").system(),
        photo_url(),
        text("Jigsaw", "Data.com Key", 20),
        text("JigsawContactId", "Jigsaw Contact ID", 20)
            .system()
            .parent("JigsawContact"),
        picklist("CleanStatus", "Clean Status", 40, &CLEAN_STATUSES).restricted(),
        reference("IndividualId", "Individual ID", &["Individual"]).standard(),
    ]
}
