//! `Inspection__c`: inspections of sites at customers; a custom object with a field of every type that people fill in.

use super::owner_scopes;
use crate::schema::*;

pub(super) fn object() -> Object {
    crate::schema::object("Inspection__c", "Inspection", "Inspections", "a01")
        .scopes(&owner_scopes("inspections"))
        .with([
            id("Record ID"),
            owner("Owner ID", &["Group", "User"]),
            is_deleted(),
            text("Name", "Inspection Number", 80)
                .numbered()
                .name()
                .lookup(),
        ])
        .with(audit())
        .with([
            reference("Account__c", "Account", &["Account"]),
            text("Summary__c", "Summary", 120),
            long_text("Findings__c", "Findings", 32_768),
            rich_text("Report__c", "Report", 32_768),
            decimal("Hours__c", "Hours", 8, 2),
            currency("Hourly_Rate__c", "Hourly Rate", 18, 2),
            currency("Total__c", "Total", 18, 2).formula("Hours__c * Hourly_Rate__c"),
            percent("Progress__c", "Progress", 5, 1),
            date("Planned_For__c", "Planned For"),
            datetime("Started_At__c", "Started At"),
            time("Gate_Opens__c", "Gate Opens"),
            checkbox("Follow_Up__c", "Follow-Up Needed"),
            picklist(
                "Result__c",
                "Result",
                255,
                &["P=Passed", "C=Passed with Conditions", "F=Failed"],
            )
            .restricted(),
            multipicklist(
                "Areas__c",
                "Areas",
                4_099,
                &["Electrical", "Fire", "Roof", "Water"],
            )
            .restricted(),
            email("Contact_Email__c", "Contact Email"),
            phone("Contact_Phone__c", "Contact Phone"),
            url("Plan__c", "Plan"),
            encrypted("Door_Code__c", "Door Code", 175),
        ])
        .with(place("Place__c", "Place", 6))
}
