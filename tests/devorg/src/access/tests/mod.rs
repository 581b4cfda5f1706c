//! Who sees what of the sample org, asked without HTTP.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends at the first surprise"
)]

mod properties;
mod queries;
mod writes;

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde_json::Value as Json;

use super::*;
use crate::error::ApiError;
use crate::org::Session;
use crate::query::{Answer, Options, run};
use crate::value::Value;

static ORG: LazyLock<Org> = LazyLock::new(|| Org::sample("2026-11-23T12:00:00Z".parse().unwrap()));

/// Places of the sample's users in the order that they were made.
const ADMIN: u64 = 1;
const CARMEN: u64 = 2;
const VICTOR: u64 = 3;
const AIKO: u64 = 4;
const BEN: u64 = 5;
const DANA: u64 = 6;
const HEDDA: u64 = 10;
const IMRE: u64 = 11;
const NIGHTLY: u64 = 13;
const KOFI: u64 = 14;

fn user(place: u64) -> Id {
    Id::numbered("005", place)
}

fn session(org: &Org, place: u64) -> Session {
    Session::of(org, user(place))
}

fn ask(org: &Org, session: &Session, soql: &str) -> Result<Answer, ApiError> {
    let options = Options {
        include_deleted: false,
        batch_size: 2_000,
        columns: false,
        base: "/services/data/v68.0".into(),
    };
    run(org, session, soql, options)
}

fn ids(org: &Org, session: &Session, soql: &str) -> BTreeSet<Id> {
    let answer = ask(org, session, soql).unwrap_or_else(|error| panic!("{soql}\n{error}"));
    let id = |row: &Json| Id::parse(row["Id"].as_str().unwrap()).unwrap();
    answer.records.iter().map(id).collect()
}

/// Gives the record that a field of a record names.
fn of<'o>(org: &'o Org, record: &Record, field: &str) -> Option<&'o Record> {
    Some(org.find(record.reference(field)?)?.1)
}

/// Changes one value of a record.
fn set(org: &mut Org, id: Id, field: &str, value: Value) {
    let mut record = org.find(id).unwrap().1.clone();
    record.values.insert(field.into(), value);
    org.store.put(record);
}

/// Who owns the opportunities that each user sees, as a plain reading of the rules has it.
#[test]
fn opportunities_are_private_but_for_those_above() {
    let seen = |place: u64| ids(&ORG, &session(&ORG, place), "SELECT Id FROM Opportunity");
    let of_owners = |owners: &[u64]| -> BTreeSet<Id> {
        let rows = ORG.store.rows("Opportunity").filter(|sale| {
            let owner = sale.reference("OwnerId");
            owners.iter().any(|place| owner == Some(user(*place)))
        });
        rows.map(|sale| sale.id).collect()
    };
    let everything = seen(ADMIN);
    assert_eq!(everything.len(), 120);
    for place in [AIKO, BEN] {
        assert_eq!(seen(place), of_owners(&[place]));
        assert!(seen(place).len() > 5);
    }
    // Those above see what the whole team has, reader or not; so does who was granted all.
    for place in [CARMEN, VICTOR, IMRE, NIGHTLY] {
        assert_eq!(seen(place), everything, "{place}");
    }
    // Her role shows what lies under accounts that she owns, but not what its owner keeps private.
    let dana = seen(DANA);
    let under_her_accounts = |sale: &Record| {
        let account = of(&ORG, sale, "AccountId");
        account.is_some_and(|account| account.reference("OwnerId") == Some(user(DANA)))
            && sale.get("IsPrivate").as_bool() == Some(false)
    };
    let own = of_owners(&[DANA]);
    let rows = ORG.store.rows("Opportunity");
    let under: BTreeSet<Id> = rows
        .filter(|sale| under_her_accounts(sale))
        .map(|sale| sale.id)
        .collect();
    assert!(under.difference(&own).count() > 0);
    assert_eq!(dana, own.union(&under).copied().collect());
    // To see is not to change.
    for id in &dana {
        let sale = ORG.find(*id).unwrap().1;
        assert_eq!(session(&ORG, DANA).may_edit(&ORG, sale), own.contains(id));
        assert_eq!(session(&ORG, DANA).may_delete(&ORG, sale), own.contains(id));
        assert!(session(&ORG, VICTOR).may_delete(&ORG, sale));
        assert!(session(&ORG, IMRE).may_read(&ORG, sale));
        assert!(!session(&ORG, IMRE).may_edit(&ORG, sale));
        assert!(session(&ORG, NIGHTLY).may_read(&ORG, sale));
        assert!(!session(&ORG, NIGHTLY).may_edit(&ORG, sale));
    }
}

/// Each object's records, for each user, against the rule written down another way.
#[test]
fn records_go_by_their_object() {
    for place in 1..=14 {
        let session = session(&ORG, place);
        let level = |record: &Record| session.access.level(&ORG, record);
        let own = |record: &Record| record.reference("OwnerId") == Some(user(place));
        let everybody = place == ADMIN;
        for role in ORG.store.rows("OpportunityContactRole") {
            let sale = of(&ORG, role, "OpportunityId").unwrap();
            let expected = match level(sale) {
                Level::None => Level::None,
                Level::Read => Level::Read,
                _ => Level::Full,
            };
            assert_eq!(level(role), expected, "{place} {}", role.id);
        }
        for contact in ORG.store.rows("Contact") {
            let expected = match of(&ORG, contact, "AccountId") {
                Some(account) => level(account),
                None if everybody || own(contact) => Level::Full,
                None if place == NIGHTLY => Level::Read,
                None => Level::None,
            };
            assert_eq!(level(contact), expected, "{place} {}", contact.id);
        }
        for activity in ORG.store.rows("Task").chain(ORG.store.rows("Event")) {
            let about = ["WhatId", "WhoId"].map(|field| of(&ORG, activity, field));
            let related = about
                .into_iter()
                .flatten()
                .any(|one| level(one) > Level::None);
            match level(activity) {
                Level::None => assert!(!related && !own(activity), "{place} {}", activity.id),
                Level::Read => assert!(related && !own(activity), "{place} {}", activity.id),
                more => {
                    let above = [ADMIN, CARMEN, VICTOR, IMRE].contains(&place);
                    assert!(more == Level::Full && (own(activity) || above));
                }
            }
        }
        for lead in ORG.store.rows("Lead") {
            assert!(level(lead) >= Level::Transfer);
        }
        for reading in ORG.store.rows("Measurement__c").take(200) {
            let granted = session.schema().object("Measurement__c").is_some();
            let expected = granted && (everybody || own(reading) || place == NIGHTLY);
            assert_eq!(session.may_read(&ORG, reading), expected, "{place}");
        }
        for other in ORG.store.rows("User") {
            assert!(session.may_read(&ORG, other));
            let changes = everybody || other.id == user(place);
            assert_eq!(session.may_edit(&ORG, other), changes);
        }
    }
}

#[test]
fn the_schema_is_what_the_profile_leaves() {
    // Object, field; the letters say what is left: of the field `cu`, of the object `CUD`.
    let cases = [
        (AIKO, "Account", "Name", "CUDcu"),
        (AIKO, "Account", "AccountNumber", "CUD"),
        (AIKO, "Account", "AnnualRevenue", "-"),
        (AIKO, "Contact", "Birthdate", "-"),
        (AIKO, "Opportunity", "Amount", "CUDcu"),
        (AIKO, "Opportunity", "IsClosed", "CUD"),
        (AIKO, "OpportunityContactRole", "Role", "CUDcu"),
        (AIKO, "Case", "Subject", "CUcu"),
        (AIKO, "Campaign", "Name", ""),
        (AIKO, "Measurement__c", "Name", "-"),
        (AIKO, "Task", "Subject", "CUDcu"),
        (AIKO, "User", "Title", "Uu"),
        (AIKO, "User", "ProfileId", "U"),
        (AIKO, "UserRole", "Name", ""),
        (HEDDA, "Opportunity", "Name", "-"),
        (HEDDA, "OpportunityContactRole", "Role", "-"),
        (HEDDA, "Lead", "Street", "-"),
        (HEDDA, "Measurement__c", "Battery__c", "CUD"),
        (IMRE, "Opportunity", "Amount", ""),
        (IMRE, "Task", "Subject", ""),
        (NIGHTLY, "Opportunity", "Amount", "CUcu"),
        (NIGHTLY, "Event", "Subject", ""),
        (NIGHTLY, "Case", "Subject", "-"),
        (ADMIN, "Account", "AnnualRevenue", "CUDcu"),
        (ADMIN, "User", "ProfileId", "CUcu"),
    ];
    for (place, object, field, expected) in cases {
        let session = session(&ORG, place);
        let found = session.schema().object(object);
        let left = match found.and_then(|found| Some((found, found.field(field)?))) {
            None => "-".to_owned(),
            Some((object, field)) => [
                (object.createable, 'C'),
                (object.updateable, 'U'),
                (object.deletable, 'D'),
                (field.createable, 'c'),
                (field.updateable, 'u'),
            ]
            .into_iter()
            .filter_map(|(left, letter)| left.then_some(letter))
            .collect(),
        };
        assert_eq!(left, expected, "{place} {object}.{field}");
    }
    assert!(Arc::ptr_eq(session(&ORG, ADMIN).schema(), &ORG.schema));
    let account = |place| session(&ORG, place).schema().object("Account").cloned();
    let sales = |place| {
        let account = account(place).unwrap();
        account.child_relationship("Opportunities").is_some()
    };
    assert!(sales(AIKO) && !sales(HEDDA));
    // A reader writes nothing whatever, but for their own user and for files, which no profile grants.
    for object in &session(&ORG, IMRE).schema().objects {
        let writable = object.createable || object.updateable || object.deletable;
        let of_everybody = &*object.name == "User" || object.name.starts_with("Content");
        assert_eq!(writable, of_everybody, "{}", object.name);
    }
}

#[test]
fn rules_name_fields_that_can_be_hidden() {
    let profiles: BTreeSet<&str> = ORG
        .store
        .rows("Profile")
        .map(|profile| profile.get("Name").as_text().unwrap())
        .collect();
    for (profile, object, field, _) in fields::RULES {
        let found = ORG
            .schema
            .object(object)
            .and_then(|found| found.field(field));
        let found = found.unwrap_or_else(|| panic!("{object} has no {field}"));
        let needed = !found.nillable && !found.defaulted_on_create;
        assert!(found.permissionable && !needed, "{object}.{field}");
        assert!(profiles.contains(profile), "{profile}");
    }
}

#[test]
fn changed_rows_change_who_sees_what() {
    let mut org = ORG.clone();
    let access = Access::of(&org, user(AIKO));
    assert!(access.is_current(&org));
    let sees = |org: &Org, place: u64| {
        let session = session(org, place);
        let rows = org.store.rows("Opportunity");
        rows.filter(|sale| session.may_read(org, sale)).count()
    };
    // A promotion, and a manager whose role is taken away.
    assert!(sees(&org, AIKO) < 60);
    let role = org.find(user(VICTOR)).unwrap().1.reference("UserRoleId");
    set(&mut org, user(AIKO), "UserRoleId", role.into());
    assert!(!access.is_current(&org));
    assert!(sees(&org, AIKO) > sees(&org, BEN) + 20);
    set(&mut org, user(VICTOR), "UserRoleId", Value::Null);
    assert_eq!(sees(&org, VICTOR), 0);
    // Roles that are each other's parents.
    let above = role.unwrap();
    let below = org.find(user(BEN)).unwrap().1.reference("UserRoleId");
    set(&mut org, above, "ParentRoleId", below.into());
    assert!(sees(&org, BEN) > 20);
    // Another default.
    let company = org.id;
    let company = org
        .store
        .rows("Organization")
        .next()
        .map_or(company, |row| row.id);
    set(&mut org, company, "DefaultOpportunityAccess", "Read".into());
    let private = |sale: &&Record| sale.get("IsPrivate").as_bool() == Some(true);
    let hidden = org.store.rows("Opportunity").filter(private).count();
    assert_eq!(sees(&org, VICTOR), 120 - hidden);
    // A grant that is withdrawn: the object is gone.
    let grants: Vec<Id> = org
        .store
        .children("ObjectPermissions", "ParentId", of_profile(&org, AIKO))
        .filter(|grant| grant.get("SobjectType").as_text() == Some("Opportunity"))
        .map(|grant| grant.id)
        .collect();
    set(&mut org, grants[0], "PermissionsRead", false.into());
    let error = ask(&org, &session(&org, AIKO), "SELECT Id FROM Opportunity").unwrap_err();
    assert_eq!(error.code, "INVALID_TYPE");
    // A user without profile sees the rows of setup alone, and may not use the API.
    set(&mut org, user(KOFI), "ProfileId", Value::Null);
    let nobody = session(&org, KOFI);
    assert!(!nobody.access.api_enabled() && nobody.schema().object("Account").is_none());
}

/// Objects that are each other's details, and records that are each other's parents, end somewhere.
#[test]
fn circles_of_parents_end() {
    use crate::schema::{id, object, reference};
    let detail = |name: &str, prefix: &str, parent: &str| {
        object(name, name, name, prefix)
            .owned_child(parent, "OfId", "Others")
            .with([id("Id"), reference("OfId", "Of", &[parent]).required()])
    };
    for (one, two, granted) in [("One", "Two", false), ("One__c", "Two__c", true)] {
        let mut objects = ORG.schema.objects.clone();
        objects.push(detail(one, "x01", two));
        objects.push(detail(two, "x02", one));
        let mut org = ORG.clone();
        org.schema = Arc::new(Schema::new(objects));
        let ids = [Id::numbered("x01", 1), Id::numbered("x02", 1)];
        for (object, own, other) in [(one, ids[0], ids[1]), (two, ids[1], ids[0])] {
            let mut record = Record::new(own, object.into());
            record.values.insert("OfId".into(), other.into());
            org.store.put(record);
            // Custom objects are granted by rows of their own.
            let set = of_profile(&org, AIKO);
            let mut grants = org.store.children("ObjectPermissions", "ParentId", set);
            let mut grant = grants.next().unwrap().clone();
            drop(grants);
            grant.id = Id::numbered("110", if object == one { 901 } else { 902 });
            grant.values.insert("SobjectType".into(), object.into());
            if granted {
                org.store.put(grant);
            }
        }
        let session = session(&org, AIKO);
        assert_eq!(session.schema().object(one).is_some(), granted);
        assert!(!session.may_read(&org, org.find(ids[0]).unwrap().1));
    }
}

/// Gives the permission set of a user's profile.
fn of_profile(org: &Org, place: u64) -> Id {
    let profile = org.find(user(place)).unwrap().1.reference("ProfileId");
    let mut sets = org
        .store
        .children("PermissionSet", "ProfileId", profile.unwrap());
    sets.next().unwrap().id
}

#[test]
fn who_has_a_sale_or_a_case_reads_its_account() {
    let mut org = ORG.clone();
    let company = org.store.rows("Organization").next().unwrap().id;
    set(&mut org, company, "DefaultAccountAccess", "None".into());
    set(&mut org, company, "DefaultCaseAccess", "None".into());
    let session = session(&org, BEN);
    let mut seen = [0, 0, 0];
    for account in org.store.rows("Account") {
        let own = account.reference("OwnerId") == Some(user(BEN));
        let sales = org.store.children("Opportunity", "AccountId", account.id);
        let cases = org.store.children("Case", "AccountId", account.id);
        let below = sales
            .chain(cases)
            .any(|child| child.reference("OwnerId") == Some(user(BEN)));
        let (place, expected) = match (own, below) {
            (true, _) => (0, Level::Full),
            (false, true) => (1, Level::Read),
            (false, false) => (2, Level::None),
        };
        assert_eq!(session.access.level(&org, account), expected);
        seen[place] += 1;
    }
    assert!(seen.iter().all(|count| *count > 0), "{seen:?}");
}
