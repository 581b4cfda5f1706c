//! Licenses, profiles, and what each profile grants of each object.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Seed;
use crate::id::Id;
use crate::objects::GRANTED_APART;
use crate::value::Value;

/// A license and how many were bought.
const LICENSES: [(&str, i64); 2] = [("Salesforce", 20), ("Salesforce Integration", 5)];

/// A profile as it is written down.
struct Profile {
    name: &'static str,
    /// A place in [`LICENSES`].
    license: usize,
    /// The permissions that it has.
    permissions: &'static [&'static str],
    /// What it may do with each object, as letters of [`LETTERS`].
    objects: &'static [(&'static str, &'static str)],
}

/// The columns of `ObjectPermissions`, each by a letter.
const LETTERS: [(char, &str); 6] = [
    ('C', "PermissionsCreate"),
    ('R', "PermissionsRead"),
    ('E', "PermissionsEdit"),
    ('D', "PermissionsDelete"),
    ('v', "PermissionsViewAllRecords"),
    ('m', "PermissionsModifyAllRecords"),
];

const PROFILES: [Profile; 6] = [
    Profile {
        name: "System Administrator",
        license: 0,
        permissions: &[
            "PermissionsApiEnabled",
            "PermissionsBulkApiHardDelete",
            "PermissionsCustomizeApplication",
            "PermissionsEditEvent",
            "PermissionsEditTask",
            "PermissionsExportReport",
            "PermissionsManageUsers",
            "PermissionsModifyAllData",
            "PermissionsRunReports",
            "PermissionsViewAllData",
            "PermissionsViewEncryptedData",
            "PermissionsViewSetup",
        ],
        objects: &[
            ("Account", "CREDvm"),
            ("Campaign", "CREDvm"),
            ("Case", "CREDvm"),
            ("Contact", "CREDvm"),
            ("Inspection__c", "CREDvm"),
            ("Lead", "CREDvm"),
            ("Measurement__c", "CREDvm"),
            ("Opportunity", "CREDvm"),
        ],
    },
    Profile {
        name: "Sales User",
        license: 0,
        permissions: &[
            "PermissionsApiEnabled",
            "PermissionsEditEvent",
            "PermissionsEditTask",
            "PermissionsRunReports",
            "PermissionsViewSetup",
        ],
        objects: &[
            ("Account", "CRED"),
            ("Campaign", "R"),
            ("Case", "CRE"),
            ("Contact", "CRED"),
            ("Lead", "CRED"),
            ("Opportunity", "CRED"),
        ],
    },
    Profile {
        name: "Service User",
        license: 0,
        permissions: &[
            "PermissionsApiEnabled",
            "PermissionsEditEvent",
            "PermissionsEditTask",
            "PermissionsRunReports",
            "PermissionsViewSetup",
        ],
        objects: &[
            ("Account", "RE"),
            ("Case", "CRED"),
            ("Contact", "CRE"),
            ("Inspection__c", "CRED"),
            ("Lead", "R"),
            ("Measurement__c", "CRED"),
        ],
    },
    Profile {
        name: "Read Only",
        license: 0,
        permissions: &[
            "PermissionsApiEnabled",
            "PermissionsRunReports",
            "PermissionsViewSetup",
        ],
        objects: &[
            ("Account", "R"),
            ("Campaign", "R"),
            ("Case", "R"),
            ("Contact", "R"),
            ("Inspection__c", "R"),
            ("Lead", "R"),
            ("Measurement__c", "R"),
            ("Opportunity", "R"),
        ],
    },
    Profile {
        name: "API Only Integration",
        license: 1,
        permissions: &[
            "PermissionsApiEnabled",
            "PermissionsApiUserOnly",
            "PermissionsEditTask",
        ],
        objects: &[
            ("Account", "CREv"),
            ("Contact", "CREv"),
            ("Lead", "CREv"),
            ("Measurement__c", "CREv"),
            ("Opportunity", "CREv"),
        ],
    },
    Profile {
        name: "Contractor",
        license: 0,
        permissions: &["PermissionsEditTask"],
        objects: &[("Account", "R"), ("Contact", "R"), ("Lead", "R")],
    },
];

/// Adds the profiles, and gives their ids in their order.
pub(super) fn add(seed: &mut Seed) -> Vec<Id> {
    let made = seed.ago(1_200, 490);
    let licenses: Vec<Id> = LICENSES
        .iter()
        .map(|(name, total)| {
            let row = vec![
                ("Name", (*name).into()),
                ("Status", "Active".into()),
                ("TotalLicenses", Value::Int(*total)),
            ];
            seed.add("UserLicense", made, row)
        })
        .collect();
    let profiles = PROFILES.iter();
    profiles
        .map(|profile| add_profile(seed, profile, licenses.get(profile.license).copied()))
        .collect()
}

fn add_profile(seed: &mut Seed, profile: &Profile, license: Option<Id>) -> Id {
    let made = seed.ago(1_200, 500);
    let mut row = vec![
        ("Name", profile.name.into()),
        ("UserType", "Standard".into()),
        ("UserLicenseId", license.into()),
    ];
    let permissions = profile.permissions.iter();
    row.extend(permissions.map(|permission| (*permission, true.into())));
    let id = seed.add("Profile", made, row);
    let set = vec![
        ("Name", format!("X{}", id.short()).into()),
        ("Label", id.short().into()),
        ("LicenseId", license.into()),
        ("ProfileId", id.into()),
        ("IsOwnedByProfile", true.into()),
    ];
    let set = seed.add("PermissionSet", made, set);
    for object in GRANTED_APART {
        let granted = profile.objects.iter().find(|(name, _)| *name == object);
        if let Some((_, letters)) = granted {
            grant(seed, set, object, letters);
        }
    }
    // As in any org, who changes all data has a new custom object, and nobody else.
    if profile.permissions.contains(&"PermissionsModifyAllData") {
        let schema = Arc::clone(&seed.org.schema);
        let custom = schema.objects.iter().filter(|object| object.custom);
        for object in custom.filter(|object| !GRANTED_APART.contains(&&*object.name)) {
            grant(seed, set, &object.name, "CREDvm");
        }
    }
    id
}

/// Adds what a permission set lets its users do with an object, as letters of [`LETTERS`].
fn grant(seed: &mut Seed, set: Id, object: &str, letters: &str) {
    let mut row = vec![("ParentId", set.into()), ("SobjectType", object.into())];
    row.extend(LETTERS.map(|(letter, column)| (column, letters.contains(letter).into())));
    seed.add("ObjectPermissions", seed.ago(1_200, 500), row);
}

/// Counts the licenses that active users take up.
pub(super) fn count_licenses(seed: &mut Seed) {
    let store = &seed.org.store;
    let mut used: BTreeMap<Id, i64> = BTreeMap::new();
    for user in store.rows("User") {
        let profile = user.reference("ProfileId");
        let license = profile
            .and_then(|profile| store.get("Profile", profile)?.reference("UserLicenseId"))
            .filter(|_| user.get("IsActive").as_bool() == Some(true));
        if let Some(license) = license {
            *used.entry(license).or_default() += 1;
        }
    }
    for (license, users) in used {
        seed.set(license, vec![("UsedLicenses", Value::Int(users))]);
    }
}
