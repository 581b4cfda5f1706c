//! Account: a company, possibly below another.

use super::{CLEAN_STATUSES, INDUSTRIES, RATINGS, SOURCES, owner_scopes};
use crate::id::Id;
use crate::schema::*;

/// The record types, by number: what people call them, and their API names.
pub(crate) const RECORD_TYPES: [(u64, &str, &str); 2] = [
    (1, "Business Account", "Business_Account"),
    (2, "Partner Account", "Partner_Account"),
];

/// The picklists of which a record type has some values only: record type, field, values.
const RESTRICTIONS: [(&str, &str, &[&str]); 2] = [
    (
        "Business_Account",
        "Type",
        &[
            "Prospect",
            "Customer - Direct",
            "Customer - Channel",
            "Technology Partner",
            "Other",
        ],
    ),
    (
        "Partner_Account",
        "Type",
        &[
            "Channel Partner / Reseller",
            "Installation Partner",
            "Technology Partner",
            "Other",
        ],
    ),
];

pub(super) fn object() -> Object {
    let mut account = object_of_accounts()
        .with(identity())
        .with(address("Billing"))
        .with(address("Shipping"))
        .with(business())
        .with([owner("Owner ID", &["User"])])
        .with(audit())
        .with([last_activity()])
        .with(last_seen())
        .with(partner_and_data());
    account.feed_enabled = true;
    account.mergeable = true;
    account.record_types = record_types();
    account
}

fn object_of_accounts() -> Object {
    crate::schema::object("Account", "Account", "Accounts", "001")
        .scopes(&owner_scopes("accounts"))
        .child("Account", "ParentId", "ChildAccounts")
        .keeping_child("Case", "AccountId", "Cases")
        .owned_child("Contact", "AccountId", "Contacts")
        .with_files()
        .child("Event", "AccountId", "")
        .owned_child("Event", "WhatId", "Events")
        .child("Lead", "ConvertedAccountId", "")
        .child("Inspection__c", "Account__c", "Inspections__r")
        .child("Measurement__c", "Account__c", "Measurements__r")
        .owned_child("Opportunity", "AccountId", "Opportunities")
        .child("Task", "AccountId", "")
        .owned_child("Task", "WhatId", "Tasks")
        .child("User", "AccountId", "Users")
}

fn record_types() -> Vec<RecordType> {
    let mut types: Vec<RecordType> = RECORD_TYPES
        .iter()
        .map(|(number, name, developer_name)| RecordType {
            id: Id::numbered("012", *number),
            name: (*name).into(),
            developer_name: (*developer_name).into(),
            default: *number == 1,
            master: false,
            active: true,
            available: true,
            picklists: RESTRICTIONS
                .iter()
                .filter(|(record_type, ..)| record_type == developer_name)
                .map(|(_, field, values)| {
                    let values = values.iter().map(|value| (*value).to_owned());
                    ((*field).into(), values.collect())
                })
                .collect(),
        })
        .collect();
    types.extend(Id::parse("012000000000000").map(|id| RecordType {
        id,
        name: "Master".into(),
        developer_name: "Master".into(),
        default: false,
        master: true,
        active: true,
        available: true,
        picklists: Vec::new(),
    }));
    types
}

fn identity() -> Vec<Field> {
    vec![
        id("Account ID"),
        is_deleted(),
        reference("MasterRecordId", "Master Record ID", &["Account"]).system(),
        text("Name", "Account Name", 255)
            .standard()
            .required()
            .name(),
        picklist(
            "Type",
            "Account Type",
            40,
            &[
                "Prospect",
                "Customer - Direct",
                "Customer - Channel",
                "Channel Partner / Reseller",
                "Installation Partner",
                "Technology Partner",
                "Other",
            ],
        ),
        reference("RecordTypeId", "Record Type ID", &["RecordType"]).standard(),
        reference("ParentId", "Parent Account ID", &["Account"]),
    ]
}

fn business() -> Vec<Field> {
    vec![
        phone("Phone", "Account Phone"),
        phone("Fax", "Account Fax"),
        text("AccountNumber", "Account Number", 40),
        url("Website", "Website"),
        photo_url(),
        text("Sic", "SIC Code", 20),
        picklist("Industry", "Industry", 40, &INDUSTRIES),
        currency("AnnualRevenue", "Annual Revenue", 18, 0),
        whole("NumberOfEmployees", "Employees", 8),
        picklist(
            "Ownership",
            "Ownership",
            40,
            &["Public", "Private", "Subsidiary", "Other"],
        ),
        text("TickerSymbol", "Ticker Symbol", 20),
        long_text("Description", "Account Description", 32_000),
        picklist("Rating", "Account Rating", 40, &RATINGS),
        text("Site", "Account Site", 80),
    ]
}

fn partner_and_data() -> Vec<Field> {
    let channel = |name, label| {
        text(name, label, 255)
            .system()
            .queryable(false, true, false, true)
    };
    vec![
        checkbox("IsPartner", "Partner Account")
            .standard()
            .update_only(),
        checkbox("IsCustomerPortal", "Customer Portal Account")
            .standard()
            .update_only(),
        channel("ChannelProgramName", "Channel Program Name"),
        channel("ChannelProgramLevelName", "Channel Program Level Name"),
        text("Jigsaw", "Data.com Key", 20),
        text("JigsawCompanyId", "Jigsaw Company ID", 20)
            .system()
            .parent("JigsawCompany"),
        picklist("CleanStatus", "Clean Status", 40, &CLEAN_STATUSES).restricted(),
        picklist("AccountSource", "Account Source", 40, &SOURCES),
        text("DunsNumber", "D-U-N-S Number", 9),
        text("Tradestyle", "Tradestyle", 255),
        text("NaicsCode", "NAICS Code", 8),
        text("NaicsDesc", "NAICS Description", 120),
        text("YearStarted", "Year Started", 4),
        text("SicDesc", "SIC Description", 80),
        reference("DandbCompanyId", "D&B Company ID", &["DandBCompany"]),
        reference("OperatingHoursId", "Operating Hour ID", &["OperatingHours"]),
    ]
}
