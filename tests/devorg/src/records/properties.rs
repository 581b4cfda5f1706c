//! Whatever is done to an org, and in whatever order: its records stay consistent, and what is taken
//! back was never there.
#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use proptest::prelude::*;
use serde_json::json;

use super::tests::org;
use super::*;
use crate::objects::CONVERTED_STATUS;

/// The objects that take part, each with a parent's field and object.
const OBJECTS: [(&str, &str, &str); 8] = [
    ("Account", "ParentId", "Account"),
    ("Contact", "AccountId", "Account"),
    ("Opportunity", "AccountId", "Account"),
    ("Opportunity", "CampaignId", "Campaign"),
    ("Case", "ContactId", "Contact"),
    ("Task", "WhatId", "Opportunity"),
    ("Lead", "", ""),
    ("Campaign", "", ""),
];

/// Something done to the org; numbers choose among the records that there are.
#[derive(Debug, Clone)]
enum Step {
    Create(usize, usize),
    Change(usize, usize, usize),
    Delete(usize, usize),
    Undelete(usize, usize),
    Merge(usize, usize, usize),
    Convert(usize, usize),
}

fn step() -> impl Strategy<Value = Step> {
    let kind = 0..OBJECTS.len();
    // Few records, so that steps meet.
    let pick = 0..12_usize;
    let (one, two) = (pick.clone(), pick);
    prop_oneof![
        2 => (kind.clone(), one.clone()).prop_map(|(k, a)| Step::Create(k, a)),
        2 => (kind.clone(), one.clone(), two.clone()).prop_map(|(k, a, b)| Step::Change(k, a, b)),
        3 => (kind.clone(), one.clone()).prop_map(|(k, a)| Step::Delete(k, a)),
        3 => (kind.clone(), one.clone()).prop_map(|(k, a)| Step::Undelete(k, a)),
        2 => (kind, one.clone(), two.clone()).prop_map(|(k, a, b)| Step::Merge(k, a, b)),
        1 => (one, two).prop_map(|(a, b)| Step::Convert(a, b)),
    ]
}

/// Chooses one of the last records of an object: those of the steps before are among them.
fn picked(org: &Org, object: &str, number: usize) -> Option<Id> {
    let ids: Vec<Id> = org.store.rows(object).map(|record| record.id).collect();
    ids.iter().rev().nth(number).copied()
}

fn fields(org: &Org, kind: usize, parent: usize) -> Map<String, Json> {
    let (object, field, of) = OBJECTS[kind];
    let mut body = match object {
        "Contact" => json!({"LastName": "x"}),
        "Lead" => json!({"LastName": "x", "Company": "x"}),
        "Opportunity" => {
            json!({"Name": "x", "StageName": "Closed Won", "CloseDate": "2026-12-01", "Amount": 5})
        }
        "Case" | "Task" => json!({"Subject": "x"}),
        _ => json!({"Name": "x"}),
    };
    if let Some(parent) = picked(org, of, parent) {
        body[field] = parent.as_str().into();
    }
    body.as_object().unwrap().clone()
}

/// Does a step; that it may be refused is part of the game.
fn take(org: &mut Org, session: &Session, step: &Step) {
    let schema = org.schema.clone();
    let id = |org: &Org, kind: usize, number| picked(org, OBJECTS[kind].0, number);
    let object = |kind: usize| schema.object(OBJECTS[kind].0).unwrap();
    let options = WriteOptions::default();
    let before = org.clone();
    let done = match *step {
        Step::Create(kind, parent) => {
            let body = fields(org, kind, parent);
            insert(org, session, object(kind), &body, &options).map(drop)
        }
        Step::Change(kind, number, parent) => {
            let body = fields(org, kind, parent);
            match id(org, kind, number).filter(|id| !org.find(*id).unwrap().1.deleted) {
                Some(id) => update(org, session, object(kind), id, &body, &options),
                None => Ok(()),
            }
        }
        Step::Delete(kind, number) => match id(org, kind, number) {
            Some(id) if !org.find(id).unwrap().1.deleted => remove(org, session, object(kind), id),
            _ => Ok(()),
        },
        Step::Undelete(kind, number) => match id(org, kind, number) {
            Some(id) => undelete(org, session, &[id.to_string()])
                .remove(0)
                .map(drop),
            None => Ok(()),
        },
        Step::Merge(kind, master, victim) => {
            let text = |number| id(org, kind, number).map_or(String::new(), |id| id.to_string());
            let request = MergeRequest {
                object: OBJECTS[kind].0.into(),
                master_id: text(master),
                values: Map::new(),
                record_to_merge_ids: vec![text(victim)],
            };
            merge(org, session, &request).map(drop)
        }
        Step::Convert(lead, account) => {
            let text = |object, number| picked(org, object, number).map(|id| id.to_string());
            let request = LeadConvert {
                lead_id: text("Lead", lead).unwrap_or_default(),
                account_id: text("Account", account).filter(|_| account % 2 == 0),
                converted_status: CONVERTED_STATUS.into(),
                ..LeadConvert::default()
            };
            convert_lead(org, session, &request).map(drop)
        }
    };
    if done.is_err() {
        assert!(
            org.store.same(&before.store),
            "{step:?} left something behind"
        );
        assert_eq!(org.now(), before.now());
    }
}

/// Says what is inconsistent.
fn flaws(org: &Org) -> Vec<String> {
    let mut flaws = Vec::new();
    if !org.store.same(&org.store.rebuilt()) {
        flaws.push("an index is not that of the records".to_owned());
    }
    for object in &org.schema.objects {
        for record in org.store.rows(&object.name) {
            let flag = record.get("IsDeleted").as_bool() == Some(true);
            if object.field("IsDeleted").is_some() && flag != record.deleted {
                flaws.push(format!("{} is not what IsDeleted says", record.id));
            }
            if record.deleted != record.deletion.is_some() {
                flaws.push(format!("{} does not know how it was deleted", record.id));
            }
        }
        for child in &object.child_relationships {
            for record in org.store.rows(&child.child_object) {
                let parent = record.reference(&child.field).and_then(|id| org.find(id));
                if let Some((_, parent)) = parent
                    && parent.deleted
                    && !record.deleted
                    && parent.object == object.name
                {
                    flaws.push(format!("{}.{} is deleted", record.id, child.field));
                }
            }
        }
    }
    for campaign in org.store.rows("Campaign").filter(|record| !record.deleted) {
        let sales = org.store.children("Opportunity", "CampaignId", campaign.id);
        let count = sales.filter(|sale| !sale.deleted).count();
        let said = campaign.get("NumberOfOpportunities").as_number();
        if said.unwrap_or_default() != count as f64 {
            flaws.push(format!(
                "{} has {count} sales and says {said:?}",
                campaign.id
            ));
        }
    }
    flaws
}

#[test]
fn the_sample_is_consistent() {
    assert_eq!(flaws(&org().0), Vec::<String>::new());
}

/// Makes an org with one user and a few records of each object, small enough to be compared often.
fn small() -> (Org, Session) {
    let now = "2026-11-23T12:00:00Z".parse().unwrap();
    let mut org = Org::new(crate::objects::schema(), Id::numbered("00D", 1), now);
    let schema = org.schema.clone();
    let values = fill::Values::from([
        ("LastName".into(), "x".into()),
        ("IsActive".into(), true.into()),
    ]);
    let user_id = Id::numbered("005", 1);
    fill::insert(
        &mut org,
        schema.object("User").unwrap(),
        values,
        user_id,
        now,
    );
    let session = Session::of_org(&org, user_id, jiff::tz::TimeZone::UTC);
    for number in 0..4 {
        for kind in 0..OBJECTS.len() {
            take(&mut org, &session, &Step::Create(kind, number));
        }
    }
    (org, session)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// After any steps the records are consistent; taken back, they were never there.
    #[test]
    fn an_org_stays_consistent(steps in prop::collection::vec(step(), 1..24)) {
        let (mut org, session) = small();
        let before = org.clone();
        let found: Result<(), Vec<String>> = org.transaction(|org| {
            for step in &steps {
                take(org, &session, step);
            }
            Err(flaws(org))
        });
        prop_assert_eq!(found, Err(Vec::new()));
        prop_assert_eq!(&org.store, &before.store);
        prop_assert_eq!(org.now(), before.now());
    }
}
