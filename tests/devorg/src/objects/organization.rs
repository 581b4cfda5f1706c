//! Organization: the org itself, one record.

use super::TIME_ZONES;
use crate::schema::*;

pub(super) fn object() -> Object {
    crate::schema::object("Organization", "Organization", "Organizations", "00D")
        .with_files()
        .with([
            id("Organization ID"),
            text("Name", "Name", 80).system().required().name(),
            text("Division", "Division", 80).system(),
        ])
        .with(address("").map(Field::system))
        .with(contact())
        .with(locale())
        .with(defaults())
        .with(edition())
        .with(audit())
        .setup()
}

fn contact() -> Vec<Field> {
    vec![
        phone("Phone", "Phone").system(),
        phone("Fax", "Fax").system(),
        text("PrimaryContact", "Primary Contact", 80).system(),
    ]
}

fn locale() -> Vec<Field> {
    vec![
        picklist(
            "DefaultLocaleSidKey",
            "Locale",
            40,
            &["en_US=English (United States)"],
        )
        .restricted()
        .system()
        .required(),
        picklist("TimeZoneSidKey", "Time Zone", 40, &TIME_ZONES)
            .restricted()
            .system()
            .required(),
        picklist("LanguageLocaleKey", "Language", 40, &["en_US=English"])
            .restricted()
            .system()
            .required(),
        checkbox("ReceivesInfoEmails", "Info Emails").system(),
        checkbox("ReceivesAdminInfoEmails", "Info Emails Admin").system(),
        whole("FiscalYearStartMonth", "Fiscal Year Starts In", 2).system(),
        checkbox("UsesStartDateAsFiscalYearName", "Fiscal Year Name by Start").system(),
    ]
}

fn defaults() -> Vec<Field> {
    let access = |name, label| {
        picklist(
            name,
            label,
            40,
            &[
                "None=Private",
                "Read=Read Only",
                "Edit=Read/Write",
                "ReadEditTransfer=Read/Write/Transfer",
                "ControlledByParent=Controlled By Parent",
                "All=Owner",
            ],
        )
        .restricted()
        .system()
    };
    vec![
        access("DefaultAccountAccess", "Default Account Access"),
        access("DefaultContactAccess", "Default Contact Access"),
        access("DefaultOpportunityAccess", "Default Opportunity Access"),
        access("DefaultLeadAccess", "Default Lead Access"),
        access("DefaultCaseAccess", "Default Case Access"),
        access("DefaultCampaignAccess", "Default Campaign Access"),
    ]
}

fn edition() -> Vec<Field> {
    vec![
        picklist(
            "UiSkin",
            "UI Skin",
            40,
            &["Theme3=Salesforce", "Theme4d=Lightning"],
        )
        .restricted()
        .system(),
        text("SignupCountryIsoCode", "Signup Country", 2).system(),
        datetime("TrialExpirationDate", "Trial Expiration Date").system(),
        picklist(
            "OrganizationType",
            "Edition",
            40,
            &[
                "Team Edition",
                "Professional Edition",
                "Enterprise Edition",
                "Developer Edition",
                "Unlimited Edition",
            ],
        )
        .restricted()
        .system(),
        text("NamespacePrefix", "Namespace Prefix", 15).system(),
        text("InstanceName", "Instance Name", 5).system(),
        checkbox("IsSandbox", "Is Sandbox").system(),
        checkbox("IsReadOnly", "Is Read Only").system(),
        text("WebToCaseDefaultOrigin", "Web to Cases Default Origin", 40).system(),
        whole("MonthlyPageViewsUsed", "Monthly Page Views Used", 9).system(),
        whole(
            "MonthlyPageViewsEntitlement",
            "Monthly Page Views Allowed",
            9,
        )
        .system(),
    ]
}
