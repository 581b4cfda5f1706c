//! The org itself, its users, what they may do, and their queues.

use std::sync::Arc;

use super::{Seed, profiles};
use crate::id::Id;
use crate::objects::{COMPLETED_STATUS, CONVERTED_STATUS};
use crate::value::Value;

/// Who owns records.
pub(super) struct People {
    /// Those who sell.
    pub(super) sales: Vec<Id>,
    /// Those who help customers.
    pub(super) service: Vec<Id>,
    /// Leads that nobody has taken.
    pub(super) lead_queue: Id,
    /// Cases that nobody has taken.
    pub(super) case_queue: Id,
}

/// A user: first and last name, title, role (its place in [`ROLES`]), profile (its place among
/// [`profiles::add`]'s), manager (a place in this list), time zone, and whether active.
type Person = (
    &'static str,
    &'static str,
    &'static str,
    Option<usize>,
    usize,
    Option<usize>,
    &'static str,
    bool,
);

/// The first is the administrator.
const PEOPLE: [Person; 14] = [
    (
        "Robin",
        "Admin",
        "Administrator",
        None,
        0,
        None,
        "America/New_York",
        true,
    ),
    (
        "Carmen",
        "Delgado",
        "CEO",
        Some(0),
        1,
        None,
        "America/New_York",
        true,
    ),
    (
        "Victor",
        "Lang",
        "VP, Sales",
        Some(1),
        1,
        Some(1),
        "America/Chicago",
        true,
    ),
    (
        "Aiko",
        "Mori",
        "Account Executive",
        Some(2),
        1,
        Some(2),
        "Asia/Tokyo",
        true,
    ),
    (
        "Ben",
        "Carter",
        "Account Executive",
        Some(2),
        1,
        Some(2),
        "America/Los_Angeles",
        true,
    ),
    (
        "Dana",
        "Wirth",
        "Account Executive",
        Some(3),
        1,
        Some(2),
        "Europe/Berlin",
        true,
    ),
    (
        "Eli",
        "Novak",
        "Account Executive",
        Some(3),
        1,
        Some(2),
        "Europe/London",
        true,
    ),
    (
        "Fay",
        "Okoro",
        "Sales Development",
        Some(2),
        1,
        Some(4),
        "America/Denver",
        true,
    ),
    (
        "Gus",
        "Hale",
        "Support Lead",
        Some(4),
        2,
        Some(1),
        "America/Chicago",
        true,
    ),
    (
        "Hedda",
        "Blom",
        "Support Engineer",
        Some(4),
        2,
        Some(8),
        "Europe/Berlin",
        true,
    ),
    (
        "Imre",
        "Toth",
        "Analyst",
        Some(1),
        3,
        Some(2),
        "Europe/London",
        true,
    ),
    (
        "Jo",
        "Marsh",
        "Account Executive",
        Some(2),
        1,
        Some(2),
        "America/New_York",
        false,
    ),
    (
        "Nightly",
        "Sync",
        "Integration",
        None,
        4,
        None,
        "Europe/London",
        true,
    ),
    (
        "Kofi",
        "Arden",
        "Contractor",
        Some(2),
        5,
        Some(2),
        "America/Chicago",
        true,
    ),
];

/// A role, the place of the one above it, and how much whoever has it may do with the
/// opportunities of accounts that they own and other people's.
const ROLES: [(&str, &str, Option<usize>, &str); 5] = [
    ("CEO", "CEO", None, "Edit"),
    ("VP, Sales", "VPSales", Some(0), "Edit"),
    (
        "Sales Team, Americas and Asia",
        "SalesAmericasAsia",
        Some(1),
        "None",
    ),
    ("Sales Team, Europe", "SalesEurope", Some(1), "Read"),
    ("Customer Support", "CustomerSupport", Some(0), "None"),
];

pub(super) fn add(seed: &mut Seed) -> People {
    organization(seed);
    let profiles = profiles::add(seed);
    let mut roles = Vec::new();
    for (name, developer_name, above, opportunities) in ROLES {
        let row = vec![
            ("Name", name.into()),
            ("DeveloperName", developer_name.into()),
            ("RollupDescription", name.into()),
            (
                "ParentRoleId",
                above.and_then(|above| roles.get(above).copied()).into(),
            ),
            ("OpportunityAccessForAccountOwner", opportunities.into()),
            ("CaseAccessForAccountOwner", "Edit".into()),
            ("ContactAccessForAccountOwner", "Edit".into()),
        ];
        roles.push(seed.add("UserRole", seed.ago(1_200, 540), row));
    }
    let mut users: Vec<Id> = Vec::new();
    for (number, person) in PEOPLE.iter().enumerate() {
        let id = user(seed, number, person, &profiles, &roles, &users);
        users.push(id);
    }
    profiles::count_licenses(seed);
    record_types(seed);
    statuses(
        seed,
        "Lead",
        "LeadStatus",
        ("IsConverted", CONVERTED_STATUS),
    );
    statuses(seed, "Task", "TaskStatus", ("IsClosed", COMPLETED_STATUS));
    let lead_queue = group(seed, "Inbound Leads", "Inbound_Leads", "Queue");
    let case_queue = group(seed, "Support Tier 1", "Support_Tier_1", "Queue");
    group(seed, "All Sales", "All_Sales", "Regular");
    People {
        sales: users.get(3..8).map(<[Id]>::to_vec).unwrap_or_default(),
        service: users.get(8..10).map(<[Id]>::to_vec).unwrap_or_default(),
        lead_queue,
        case_queue,
    }
}

/// Adds the rows of the record types that objects have; `Master` is none.
fn record_types(seed: &mut Seed) {
    let made = seed.ago(1_100, 600);
    let schema = Arc::clone(&seed.org.schema);
    for object in &schema.objects {
        for known in object.record_types.iter().filter(|known| !known.master) {
            let row = vec![
                ("Name", known.name.as_str().into()),
                ("DeveloperName", known.developer_name.as_str().into()),
                ("SobjectType", (*object.name).into()),
                ("IsActive", known.active.into()),
            ];
            seed.add_as("RecordType", known.id, made, row);
        }
    }
}

/// Adds the rows of the statuses that an object's records have, and of which one says that a record is over.
fn statuses(seed: &mut Seed, of: &str, kind: &str, (flag, last): (&'static str, &str)) {
    let made = seed.ago(1_100, 600);
    let schema = Arc::clone(&seed.org.schema);
    let field = schema.object(of).and_then(|object| object.field("Status"));
    let values = field.map_or(&[][..], |field| &field.picklist_values);
    for (at, value) in (1..).zip(values) {
        let row = vec![
            ("MasterLabel", value.label.as_str().into()),
            ("ApiName", value.value.as_str().into()),
            ("SortOrder", Value::Int(at)),
            ("IsDefault", value.default_value.into()),
            (flag, (value.value == last).into()),
        ];
        seed.add(kind, made, row);
    }
}

fn organization(seed: &mut Seed) {
    let mut row = vec![
        ("Name", "Portcullis Dev Org".into()),
        ("Street", "1 Harbour Road".into()),
        ("City", "Boston".into()),
        ("State", "MA".into()),
        ("PostalCode", "02110".into()),
        ("Country", "US".into()),
        ("PrimaryContact", "Robin Admin".into()),
        ("DefaultLocaleSidKey", "en_US".into()),
        ("TimeZoneSidKey", "America/New_York".into()),
        ("LanguageLocaleKey", "en_US".into()),
        ("FiscalYearStartMonth", Value::Int(1)),
        ("UiSkin", "Theme4d".into()),
        ("SignupCountryIsoCode", "US".into()),
        ("OrganizationType", "Developer Edition".into()),
        ("InstanceName", "DEV1".into()),
        ("WebToCaseDefaultOrigin", "Web".into()),
        ("MonthlyPageViewsUsed", Value::Int(0)),
        ("MonthlyPageViewsEntitlement", Value::Int(0)),
    ];
    row.extend(
        [
            ("DefaultAccountAccess", "Read"),
            ("DefaultContactAccess", "ControlledByParent"),
            ("DefaultOpportunityAccess", "None"),
            ("DefaultLeadAccess", "ReadEditTransfer"),
            ("DefaultCaseAccess", "ReadEditTransfer"),
            ("DefaultCampaignAccess", "All"),
        ]
        .map(|(field, access)| (field, access.into())),
    );
    seed.add("Organization", seed.ago(1_200, 480), row);
}

fn user(
    seed: &mut Seed,
    number: usize,
    person: &Person,
    profiles: &[Id],
    roles: &[Id],
    users: &[Id],
) -> Id {
    let (first, last, title, role, profile, manager, time_zone, active) = *person;
    let mail = format!("{}@devorg.example", super::words::mailbox(first, last));
    let (locale, language) = match time_zone {
        "Europe/Berlin" => ("de_DE", "de"),
        "Asia/Tokyo" => ("ja_JP", "ja"),
        "Europe/London" => ("en_GB", "en_US"),
        _ => ("en_US", "en_US"),
    };
    let alias: String = first.chars().take(1).chain(last.chars()).take(8).collect();
    let mut row = vec![
        ("Username", mail.as_str().into()),
        ("FirstName", first.into()),
        ("LastName", last.into()),
        ("Title", title.into()),
        ("CompanyName", "Portcullis Dev Org".into()),
        ("Email", mail.as_str().into()),
        ("Phone", format!("+1 617 555 01{number:02}").into()),
        ("Alias", alias.to_lowercase().into()),
        ("IsActive", active.into()),
        ("TimeZoneSidKey", time_zone.into()),
        ("LocaleSidKey", locale.into()),
        ("LanguageLocaleKey", language.into()),
        ("EmailEncodingKey", "UTF-8".into()),
        ("EmployeeNumber", format!("E{:04}", 1_001 + number).into()),
        ("ProfileId", profiles.get(profile).copied().into()),
        (
            "UserRoleId",
            role.and_then(|role| roles.get(role).copied()).into(),
        ),
        (
            "ManagerId",
            manager
                .and_then(|manager| users.get(manager).copied())
                .into(),
        ),
        ("UserPreferencesLightningExperiencePreferred", true.into()),
    ];
    if active {
        row.push(("LastLoginDate", seed.ago(number as u64 % 4, 420).into()));
    }
    seed.add("User", seed.ago(1_150 - 30 * number as u64, 560), row)
}

fn group(seed: &mut Seed, name: &str, developer_name: &str, kind: &str) -> Id {
    let row = vec![
        ("Name", name.into()),
        ("DeveloperName", developer_name.into()),
        ("Type", kind.into()),
        ("OwnerId", seed.org.id.into()),
        ("DoesIncludeBosses", true.into()),
    ];
    seed.add("Group", seed.ago(900, 610), row)
}
