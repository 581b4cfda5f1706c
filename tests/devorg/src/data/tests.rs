#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends at the first surprise"
)]

use std::collections::BTreeMap;

use crate::id::Id;
use crate::org::Org;
use crate::schema::{Field, FieldType, Object};
use crate::store::Record;
use crate::value::Value;

fn org() -> Org {
    Org::sample("2026-11-23T12:00:00Z".parse().unwrap())
}

#[test]
fn there_are_as_many_records_as_promised() {
    let org = org();
    let counts: BTreeMap<&str, usize> = org
        .schema
        .objects
        .iter()
        .map(|object| (&*object.name, org.store.count(&object.name)))
        .collect();
    insta::assert_debug_snapshot!(counts, @r#"
    {
        "Account": 60,
        "Campaign": 8,
        "CampaignMember": 12,
        "Case": 100,
        "CaseComment": 6,
        "Contact": 200,
        "ContentDocument": 10,
        "ContentDocumentLink": 20,
        "ContentVersion": 11,
        "Dashboard": 1,
        "Event": 80,
        "Folder": 2,
        "Group": 3,
        "Inspection__c": 12,
        "Lead": 150,
        "LeadStatus": 4,
        "ListView": 27,
        "Measurement__c": 5000,
        "ObjectPermissions": 36,
        "Opportunity": 120,
        "OpportunityContactRole": 182,
        "Organization": 1,
        "PermissionSet": 6,
        "ProcessDefinition": 2,
        "ProcessInstance": 1,
        "ProcessInstanceStep": 1,
        "ProcessInstanceWorkitem": 1,
        "Profile": 6,
        "RecentlyViewed": 0,
        "RecordType": 2,
        "Report": 8,
        "Task": 160,
        "TaskStatus": 5,
        "User": 14,
        "UserLicense": 2,
        "UserRole": 5,
    }
    "#);
    assert_eq!(org.store.rows("Lead").count(), 153, "with the deleted ones");
}

#[test]
fn the_time_is_noon() {
    assert_eq!(org().now(), "2026-11-23T12:00:00Z".parse().unwrap());
}

#[test]
fn no_record_is_of_the_future() {
    for (now, noon) in [
        ("2026-11-23T11:59:59Z", "2026-11-22T12:00:00Z"),
        ("2026-11-23T12:00:00Z", "2026-11-23T12:00:00Z"),
        ("2026-11-24T11:59:59Z", "2026-11-23T12:00:00Z"),
    ] {
        let org = Org::sample(now.parse().unwrap());
        assert_eq!(org.now(), noon.parse().unwrap());
    }
}

#[test]
fn the_same_day_gives_the_same_records() {
    let later = Org::made(org().now());
    let evening = Org::sample("2026-11-23T23:59:59Z".parse().unwrap());
    assert_eq!(evening.now(), later.now());
    let org = org();
    for object in &org.schema.objects {
        let rows = |org: &Org| -> Vec<String> {
            org.store
                .rows(&object.name)
                .map(|record| format!("{record:?}"))
                .collect()
        };
        assert_eq!(rows(&org), rows(&later), "{}", object.name);
    }
}

#[test]
fn every_value_fits_its_field() {
    let org = org();
    for object in &org.schema.objects {
        for record in org.store.rows(&object.name) {
            for (name, value) in &record.values {
                let field = object.fields.iter().find(|field| field.name == *name);
                let field = field.unwrap_or_else(|| panic!("{} has no {name}", object.name));
                assert!(
                    value.is_null() || fits(&org, field, value),
                    "{}.{name}: {value:?}",
                    object.name
                );
            }
            assert_complete(object, record);
        }
    }
}

fn assert_complete(object: &Object, record: &Record) {
    for field in object.fields.iter().filter(|field| !field.nillable) {
        assert!(
            !record.get(&field.name).is_null(),
            "{}.{}",
            object.name,
            field.name
        );
    }
}

fn fits(org: &Org, field: &Field, value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(_) => field.field_type == FieldType::Boolean,
        Value::Int(_) => field.field_type == FieldType::Int,
        Value::Number(_) => field.field_type.is_number() && field.field_type != FieldType::Int,
        Value::Date(_) => field.field_type == FieldType::Date,
        Value::DateTime(_) => field.field_type == FieldType::Datetime,
        Value::Time(_) => field.field_type == FieldType::Time,
        Value::Blob(_) => field.field_type == FieldType::Base64,
        Value::Text(text) => match field.field_type {
            FieldType::Id => Id::parse(text).is_some(),
            FieldType::Reference => {
                let id = Id::parse(text).unwrap();
                org.find(id).is_some_and(|(object, _)| {
                    field.reference_to.iter().any(|to| **to == *object.name)
                })
            }
            FieldType::Picklist => {
                text.chars().count() <= field.length as usize
                    && field
                        .picklist_values
                        .iter()
                        .any(|known| known.value == *text)
            }
            FieldType::Multipicklist => text.split(';').all(|part| {
                field
                    .picklist_values
                    .iter()
                    .any(|known| known.value == part)
            }),
            kind => kind.is_text() && text.chars().count() <= field.length as usize,
        },
    }
}

#[test]
fn nothing_was_made_after_now() {
    let org = org();
    for object in &org.schema.objects {
        for record in org.store.rows(&object.name) {
            for name in [
                "CreatedDate",
                "LastModifiedDate",
                "ClosedDate",
                "CompletedDateTime",
                "Taken_At__c",
            ] {
                if let Value::DateTime(moment) = *record.get(name) {
                    assert!(moment <= org.now(), "{}.{name}", object.name);
                }
            }
        }
    }
}

#[test]
fn every_stage_has_sales_and_open_ones_close_around_today() {
    let org = org();
    let mut stages: BTreeMap<String, usize> = BTreeMap::new();
    let (mut overdue, mut ahead) = (0, 0);
    let today = jiff::civil::date(2026, 11, 23);
    for sale in org.store.rows("Opportunity") {
        *stages
            .entry(sale.get("StageName").as_text().unwrap().to_owned())
            .or_default() += 1;
        if let (Value::Date(close), Some(false)) =
            (sale.get("CloseDate"), sale.get("IsClosed").as_bool())
        {
            if *close < today {
                overdue += 1
            } else {
                ahead += 1
            }
        }
    }
    assert!(stages.len() == 10 && stages.values().all(|count| *count == 12));
    assert!(
        overdue > 3 && ahead > 30,
        "{overdue} overdue, {ahead} ahead"
    );
}

#[test]
fn campaigns_count_their_opportunities() {
    let org = org();
    let with_campaign = org
        .store
        .rows("Opportunity")
        .filter(|sale| sale.reference("CampaignId").is_some())
        .count();
    let counted: f64 = org
        .store
        .rows("Campaign")
        .filter_map(|campaign| campaign.get("NumberOfOpportunities").as_number())
        .sum();
    assert!(with_campaign > 20);
    assert_eq!(counted, with_campaign as f64);
}

#[test]
fn an_org_at_the_ends_of_the_calendar_has_its_records_too() {
    for now in [jiff::Timestamp::MIN, jiff::Timestamp::MAX] {
        assert_eq!(Org::sample(now).store.count("Account"), 60);
    }
}
