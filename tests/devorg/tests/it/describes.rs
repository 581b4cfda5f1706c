//! Describes compared with those that real orgs gave, where recordings are at hand.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};

use salesforce_devorg::org::Org;
use salesforce_devorg::schema::describe;
use serde_json::Value as Json;

/// Keys that differ for many fields, with the reason.
const KEYS: [(&str, &str); 1] = [
    // SOSL alone reads it, and recordings disagree on what it follows from.
    (
        "searchPrefilterable",
        "true for some references and not for others",
    ),
];

/// Differences of one field: object, field, key.
const FIELDS: [(&str, &str, &str); 6] = [
    // The recorded org has person accounts, whose names have parts.
    ("Account", "Name", "compoundFieldName"),
    ("Account", "Name", "extraTypeInfo"),
    // Longest in bytes as in characters, for no reason that others share.
    ("Case", "Comments", "byteLength"),
    ("Opportunity", "Fiscal", "byteLength"),
    // The org has fewer objects and fewer time zones.
    ("Event", "WhatId", "referenceTo"),
    ("Event", "RecurrenceTimeZoneSidKey", "picklistValues"),
];

/// Fields that only the recorded org has: its administrator made them.
const RECORDED_ONLY: [(&str, &str); 4] = [
    ("Account", "Primary_Contact__c"),
    ("Account", "ns__Description__c"),
    ("Account", "History__c"),
    ("Account", "ns__LinkedAccount__c"),
];

/// Differences between an object's summary and the recorded one.
const SUMMARIES: [(&str, &str); 3] = [
    // Recorded without their prefixes.
    ("Event", "keyPrefix"),
    ("Lead", "keyPrefix"),
    // Every field of the org's row is read-only here.
    ("Organization", "updateable"),
];

/// Gives the folder of recordings, or says that there is none.
pub(crate) fn recordings() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/reference/salesforce");
    if folder.is_dir() {
        return Some(folder);
    }
    let note = format!(
        "skipped: there are no recorded describes at {}\n",
        folder.display()
    );
    std::io::stderr().write_all(note.as_bytes()).unwrap();
    None
}

fn recording(folder: &Path, name: &str) -> Json {
    let text = std::fs::read_to_string(folder.join(name)).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn org() -> Org {
    Org::sample("2026-11-23T00:00:00Z".parse().unwrap())
}

fn by_name(list: &Json) -> BTreeMap<&str, &Json> {
    let items = list.as_array().unwrap();
    items
        .iter()
        .map(|item| (item["name"].as_str().unwrap(), item))
        .collect()
}

/// Gives the keys whose values differ; what is no longer recorded in `ours` counts as different.
fn differences<'a>(recorded: &'a Json, ours: &Json) -> BTreeSet<&'a str> {
    let keys = recorded.as_object().unwrap();
    keys.iter()
        .filter(|(key, value)| ours.get(key) != Some(value))
        .map(|(key, _)| key.as_str())
        .collect()
}

#[test]
fn describes_are_as_recorded() {
    let Some(folder) = recordings() else { return };
    let org = org();
    let (mut found, mut compared) = (BTreeSet::new(), 0);
    for name in [
        "Account",
        "Case",
        "Contact",
        "Event",
        "Lead",
        "Opportunity",
        "OpportunityContactRole",
    ] {
        let recorded = recording(&folder, &format!("describe-{name}.json"));
        let ours = describe::object(org.schema.object(name).unwrap(), "/services/data/v68.0");
        let (theirs, ours) = (by_name(&recorded["fields"]), by_name(&ours["fields"]));
        for (field, theirs) in &theirs {
            let Some(ours) = ours.get(field) else {
                assert!(
                    RECORDED_ONLY.contains(&(name, field)),
                    "{name} lacks {field}"
                );
                continue;
            };
            compared += 1;
            for key in differences(theirs, ours) {
                if !KEYS.iter().any(|(known, _)| *known == key) {
                    found.insert((name.to_owned(), (*field).to_owned(), key.to_owned()));
                }
            }
        }
        for field in ours.keys() {
            assert!(
                theirs.contains_key(field),
                "no org is known to have {name}.{field}"
            );
        }
    }
    let known: BTreeSet<_> = FIELDS
        .iter()
        .map(|(object, field, key)| ((*object).to_owned(), (*field).to_owned(), (*key).to_owned()))
        .collect();
    assert_eq!(found, known);
    assert!(compared > 300, "{compared} fields are compared");
}

#[test]
fn relationships_are_as_recorded() {
    let Some(folder) = recordings() else { return };
    let org = org();
    let mut compared = 0;
    for name in ["Account", "Case", "Contact", "Lead", "Opportunity"] {
        let recorded = recording(&folder, &format!("describe-{name}.json"));
        let ours = describe::object(org.schema.object(name).unwrap(), "");
        for child in ours["childRelationships"].as_array().unwrap() {
            let same = |other: &&Json| {
                other["childSObject"] == child["childSObject"] && other["field"] == child["field"]
            };
            match recorded["childRelationships"]
                .as_array()
                .unwrap()
                .iter()
                .find(same)
            {
                Some(theirs) => assert_eq!(
                    differences(theirs, child),
                    BTreeSet::new(),
                    "{name}: {child}"
                ),
                None => assert!(
                    ["Inspection__c", "Measurement__c"]
                        .contains(&child["childSObject"].as_str().unwrap()),
                    "{name}: {child}"
                ),
            }
            compared += 1;
        }
    }
    assert!(compared > 20, "{compared} relationships are compared");
}

#[test]
fn summaries_are_as_recorded() {
    let Some(folder) = recordings() else { return };
    let recorded = recording(&folder, "describe-global.json");
    let ours = describe::global(&org().schema, "/services/data/v68.0");
    assert_eq!(recorded["maxBatchSize"], ours["maxBatchSize"]);
    let (theirs, ours) = (by_name(&recorded["sobjects"]), by_name(&ours["sobjects"]));
    let mut found = Vec::new();
    for (name, ours) in &ours {
        let Some(theirs) = theirs.get(name) else {
            continue;
        };
        let keys = differences(theirs, ours);
        // Addresses name the version, and parts of Salesforce that are not here.
        found.extend(
            keys.into_iter()
                .filter(|key| *key != "urls")
                .map(|key| (*name, key)),
        );
    }
    assert_eq!(found, SUMMARIES);
}

#[test]
fn the_orgs_row_has_recorded_fields_alone() {
    let Some(folder) = recordings() else { return };
    let recorded = recording(&folder, "organization.json");
    let org = org();
    for field in &org.schema.object("Organization").unwrap().fields {
        assert!(recorded.get(&*field.name).is_some(), "{}", field.name);
    }
}
