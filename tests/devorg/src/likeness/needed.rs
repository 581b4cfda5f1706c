//! What the org's own work needs of objects that are described otherwise.
//!
//! The work on records (names, stages, conversions, duplicates), reports, list views, actions and
//! access name fields; without these they would be of no use. A test compares this list with the code.

use crate::schema::{Field, Object};

/// The objects that hold people's business. They may lose fields; all others of the org's own are
/// part of how it works, and keep theirs.
const BUSINESS: [&str; 11] = [
    "Account",
    "Campaign",
    "Case",
    "Contact",
    "Event",
    "Inspection__c",
    "Lead",
    "Measurement__c",
    "Opportunity",
    "OpportunityContactRole",
    "Task",
];

/// The fields of these that the org names anywhere, in order.
const NAMED: [&str; 132] = [
    "AccountId",
    "AccountNumber",
    "AccountSource",
    "Account__c",
    "ActivityDate",
    "ActivityDateTime",
    "ActualCost",
    "Address",
    "Amount",
    "AmountAllOpportunities",
    "AmountWonOpportunities",
    "AnnualRevenue",
    "Battery__c",
    "BillingCity",
    "BillingCountry",
    "BillingPostalCode",
    "BillingState",
    "BillingStreet",
    "Birthdate",
    "CampaignId",
    "CaseNumber",
    "City",
    "CloseDate",
    "ClosedDate",
    "Comments",
    "Company",
    "CompletedDateTime",
    "ContactEmail",
    "ContactFax",
    "ContactId",
    "ContactMobile",
    "ContactPhone",
    "ConvertedAccountId",
    "ConvertedContactId",
    "ConvertedDate",
    "ConvertedOpportunityId",
    "Country",
    "CreatedById",
    "CreatedDate",
    "Description",
    "Deviation__c",
    "DurationInMinutes",
    "Email",
    "EndDate",
    "EndDateTime",
    "EventSubtype",
    "ExpectedRevenue",
    "Expected__c",
    "Fax",
    "FirstName",
    "Fiscal",
    "FiscalQuarter",
    "FiscalYear",
    "ForecastCategory",
    "ForecastCategoryName",
    "Hourly_Rate__c",
    "Hours__c",
    "Id",
    "Industry",
    "IsActive",
    "IsClosed",
    "IsConverted",
    "IsDeleted",
    "IsEscalated",
    "IsHighPriority",
    "IsPrimary",
    "IsPrivate",
    "IsUnreadByOwner",
    "IsWon",
    "Kind__c",
    "LastActivityDate",
    "LastModifiedById",
    "LastModifiedDate",
    "LastName",
    "LastReferencedDate",
    "LastStageChangeDate",
    "LastViewedDate",
    "Latitude",
    "LeadSource",
    "Location",
    "Longitude",
    "MailingCity",
    "MailingCountry",
    "MailingPostalCode",
    "MailingState",
    "MailingStreet",
    "MasterRecordId",
    "MobilePhone",
    "Name",
    "NextStep",
    "NumberOfContacts",
    "NumberOfEmployees",
    "NumberOfLeads",
    "NumberOfOpportunities",
    "NumberOfResponses",
    "NumberOfWonOpportunities",
    "OpportunityId",
    "Origin",
    "Outlier__c",
    "OwnerId",
    "ParentId",
    "Phone",
    "PhotoUrl",
    "PostalCode",
    "Priority",
    "Probability",
    "Rating",
    "Reason",
    "RecordTypeId",
    "ReportsToId",
    "Salutation",
    "Sensor__c",
    "Site",
    "StageName",
    "StartDate",
    "StartDateTime",
    "State",
    "Status",
    "Street",
    "Subject",
    "SystemModstamp",
    "Taken_At__c",
    "TaskSubtype",
    "Title",
    "TotalOpportunityQuantity",
    "Total__c",
    "Type",
    "Unit__c",
    "Value__c",
    "Website",
    "WhatId",
    "WhoId",
];

/// Says whether a field of an object of the org stays though the object's describe lacks it.
pub(super) fn stays(object: &Object, field: &Field) -> bool {
    !BUSINESS.contains(&&*object.name) || NAMED.binary_search(&&*field.name).is_ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]
mod tests {
    use std::collections::BTreeSet;
    use std::path::{Path, PathBuf};

    use super::*;

    /// Those that define objects and fill the sample name everything.
    const OTHER: [&str; 4] = ["data", "likeness", "objects", "schema"];

    fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if path.is_dir() && !OTHER.contains(&name) && name != "tests" {
                sources(&path, found);
            } else if name.ends_with(".rs") && !name.contains("tests") && name != "at_size.rs" {
                found.push(path);
            }
        }
    }

    #[test]
    fn whatever_the_code_names_stays() {
        let mut files = Vec::new();
        sources(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
            &mut files,
        );
        assert!(files.len() > 100);
        let mut words = BTreeSet::new();
        for file in files {
            let text = std::fs::read_to_string(file).unwrap();
            let code = text.lines().filter(|line| !line.trim().starts_with("//"));
            let word = |c: char| !c.is_alphanumeric() && c != '_';
            words.extend(code.flat_map(|line| line.split(word)).map(str::to_owned));
        }
        let schema = crate::objects::schema();
        let mut missing = BTreeSet::new();
        for object in BUSINESS.map(|name| schema.object(name).unwrap()) {
            let fields = object.fields.iter();
            let named = fields.filter(|field| words.contains(&*field.name));
            missing.extend(
                named
                    .filter(|field| !stays(object, field))
                    .map(|field| &field.name),
            );
        }
        assert_eq!(missing, BTreeSet::new());
        assert!(NAMED.is_sorted());
    }
}
