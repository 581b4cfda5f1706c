//! Case: a customer's question or trouble.

use super::owner_scopes;
use crate::schema::*;

/// The value of `Status` that closes a case.
pub(crate) const CLOSED_STATUS: &str = "Closed";

/// Why people ask for help.
pub(crate) const REASONS: [&str; 7] = [
    "Installation",
    "Equipment Complexity",
    "Performance",
    "Breakdown",
    "Equipment Design",
    "Feedback",
    "Other",
];

pub(super) fn object() -> Object {
    let mut case = crate::schema::object("Case", "Case", "Cases", "500")
        .scopes(&owner_scopes("cases"))
        .owned_child("CaseComment", "ParentId", "CaseComments")
        .child("Case", "ParentId", "Cases")
        .with_files()
        .owned_child("Event", "WhatId", "Events")
        .owned_child("Task", "WhatId", "Tasks")
        .with(identity())
        .with(trouble())
        .with([owner("Owner ID", &["Group", "User"])])
        .with(audit())
        .with(contact_details())
        .with(last_seen());
    case.feed_enabled = true;
    case
}

fn identity() -> Vec<Field> {
    vec![
        id("Case ID"),
        is_deleted(),
        reference("MasterRecordId", "Master Record ID", &["Case"]).system(),
        text("CaseNumber", "Case Number", 30)
            .numbered()
            .name()
            .lookup()
            .queryable(true, false, true, true),
        reference("ContactId", "Contact ID", &["Contact"]),
        reference("AccountId", "Account ID", &["Account"]),
        reference("AssetId", "Asset ID", &["Asset"]),
        reference("ParentId", "Parent Case ID", &["Case"]),
        text("SuppliedName", "Name", 80),
        email("SuppliedEmail", "Email Address"),
        text("SuppliedPhone", "Phone", 40),
        text("SuppliedCompany", "Company", 80),
    ]
}

fn trouble() -> Vec<Field> {
    vec![
        picklist(
            "Type",
            "Case Type",
            40,
            &[
                "Mechanical",
                "Electrical",
                "Electronic",
                "Structural",
                "Other",
            ],
        ),
        picklist(
            "Status",
            "Status",
            40,
            &["New*", "Working", "Escalated", CLOSED_STATUS],
        )
        .standard(),
        picklist("Reason", "Case Reason", 40, &REASONS),
        picklist("Origin", "Case Origin", 40, &["Phone", "Email", "Web"]),
        text("Subject", "Subject", 255),
        picklist("Priority", "Priority", 40, &["High", "Medium*", "Low"]),
        long_text("Description", "Description", 32_000),
        checkbox("IsClosed", "Closed").system(),
        datetime("ClosedDate", "Closed Date").read_only(),
        checkbox("IsEscalated", "Escalated"),
    ]
}

fn contact_details() -> Vec<Field> {
    vec![
        phone("ContactPhone", "Contact Phone").system(),
        phone("ContactMobile", "Contact Mobile").system(),
        email("ContactEmail", "Contact Email").system(),
        phone("ContactFax", "Contact Fax").system(),
        long_text("Comments", "Internal Comments", 4_000)
            .standard()
            .queryable(false, false, true, true),
    ]
}
