//! Queries against a small org whose every row is known.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends at the first surprise"
)]

mod explain;
mod filters;
mod groups;
mod keys;
mod properties;
mod reference;
mod refusals;
mod rows;
mod sample;

use jiff::tz::TimeZone;
use serde_json::Value as Json;

use super::{Answer, Options, run};
use crate::error::ApiError;
use crate::id::Id;
use crate::org::{Org, Session};
use crate::store::Record;
use crate::value::Value;

const BASE: &str = "/services/data/v68.0";

/// A Monday at noon.
const NOW: &str = "2026-11-23T12:00:00Z";

/// An org under construction.
struct Maker(Org);

impl Maker {
    fn add(&mut self, object: &str, number: u64, values: &[(&str, Value)]) -> Id {
        let schema = self.0.schema.clone();
        let object = schema.object(object).unwrap();
        let id = Id::numbered(&object.key_prefix, number);
        let mut record = Record::new(id, object.name.clone());
        record.values.insert("Id".into(), id.into());
        record.values.insert("IsDeleted".into(), false.into());
        for (field, value) in values {
            assert!(object.field(field).is_some(), "{}.{field}", object.name);
            record.values.insert((*field).into(), value.clone());
        }
        self.0.store.put(record);
        id
    }

    fn delete(&mut self, id: Id) {
        let mut record = self.0.find(id).unwrap().1.clone();
        record.deleted = true;
        record.values.insert("IsDeleted".into(), true.into());
        self.0.store.put(record);
    }
}

fn moment(text: &str) -> Value {
    Value::DateTime(text.parse().unwrap())
}

fn day(text: &str) -> Value {
    Value::Date(text.parse().unwrap())
}

/// Three accounts and a deleted one, their people and sales.
fn org() -> Org {
    let id = Id::numbered("00D", 1);
    let mut org = Maker(Org::new(crate::objects::schema(), id, NOW.parse().unwrap()));
    org.add(
        "Organization",
        1,
        &[("FiscalYearStartMonth", Value::Int(2))],
    );
    let profile = org.add("Profile", 1, &[("Name", "Sales".into())]);
    let user = |name: &str| [("Name", name.into()), ("ProfileId", profile.into())];
    let ada = org.add("User", 1, &user("Ada Admin"));
    let bob = org.add("User", 2, &user("Bob Seller"));
    let queue = org.add(
        "Group",
        1,
        &[("Name", "Support".into()), ("Type", "Queue".into())],
    );

    let acme = org.add(
        "Account",
        1,
        &[
            ("Name", "Acme".into()),
            ("Industry", "Energy".into()),
            ("AnnualRevenue", 1_500_000.0.into()),
            ("NumberOfEmployees", Value::Int(50)),
            ("Rating", "Hot".into()),
            ("BillingCity", "Lyon".into()),
            ("BillingLatitude", 45.764.into()),
            ("BillingLongitude", 4.8357.into()),
            ("IsPartner", true.into()),
            ("OwnerId", ada.into()),
            ("CreatedDate", moment("2026-11-23T01:00:00Z")),
        ],
    );
    let beta = org.add(
        "Account",
        2,
        &[
            ("Name", "beta".into()),
            ("NumberOfEmployees", Value::Int(10)),
            ("Rating", "Cold".into()),
            ("ParentId", acme.into()),
            ("IsPartner", false.into()),
            ("OwnerId", bob.into()),
            ("CreatedDate", moment("2026-11-22T23:30:00Z")),
        ],
    );
    org.add(
        "Account",
        3,
        &[
            ("Name", "Émile".into()),
            ("Industry", "Banking".into()),
            ("AnnualRevenue", 500_000.0.into()),
            ("NumberOfEmployees", Value::Int(50)),
            ("Rating", "Warm".into()),
            ("IsPartner", false.into()),
            ("OwnerId", ada.into()),
            ("CreatedDate", moment("2025-12-31T10:00:00Z")),
        ],
    );
    let gone = org.add(
        "Account",
        4,
        &[("Name", "Gone".into()), ("OwnerId", ada.into())],
    );

    let contact = |last: &str, account: Value| [("LastName", last.into()), ("AccountId", account)];
    let young = org.add("Contact", 1, &contact("Young", acme.into()));
    org.add("Contact", 2, &contact("Zed", acme.into()));
    org.add("Contact", 3, &contact("Orphan", Value::Null));
    org.add("Contact", 4, &contact("Left", gone.into()));
    org.delete(gone);

    let sale = |name: &str, account: Id, stage: &str, amount: f64, close: &str| {
        [
            ("Name", name.into()),
            ("AccountId", account.into()),
            ("StageName", stage.into()),
            ("Amount", amount.into()),
            ("CloseDate", day(close)),
        ]
    };
    let first = sale("First", acme, "Prospecting", 0.1, "2026-11-23");
    let first = org.add("Opportunity", 1, &first);
    org.add(
        "Opportunity",
        2,
        &sale("Second", acme, "Closed Won", 0.2, "2026-01-31"),
    );
    org.add(
        "Opportunity",
        3,
        &sale("Third", beta, "Prospecting", 5.0, "2026-02-01"),
    );
    org.add(
        "Opportunity",
        4,
        &[("Name", "Fourth".into()), ("AccountId", beta.into())],
    );

    org.add(
        "Case",
        1,
        &[("CaseNumber", "00001001".into()), ("OwnerId", queue.into())],
    );
    org.add(
        "Case",
        2,
        &[("CaseNumber", "00001002".into()), ("OwnerId", bob.into())],
    );
    let task = |subject: &str, what: Id| [("Subject", subject.into()), ("WhatId", what.into())];
    org.add("Task", 1, &task("Call Acme", acme));
    org.add("Task", 2, &task("Win First", first));
    org.add(
        "Task",
        3,
        &[("Subject", "Greet".into()), ("WhoId", young.into())],
    );

    let reading = |flags: Value| [("Flags__c", flags), ("Unit__c", "degC".into())];
    org.add("Measurement__c", 1, &reading("Calibrated;Manual".into()));
    org.add("Measurement__c", 2, &reading("Manual".into()));
    org.add("Measurement__c", 3, &reading(Value::Null));
    org.0
}

fn session(org: &Org, zone: &str) -> Session {
    let zone = TimeZone::get(zone).unwrap();
    Session::of_org(org, Id::numbered("005", 1), zone)
}

fn options() -> Options {
    Options {
        include_deleted: false,
        batch_size: 2_000,
        columns: false,
        base: BASE.into(),
    }
}

fn ask(org: &Org, soql: &str) -> Result<Answer, ApiError> {
    run(org, &session(org, "UTC"), soql, options())
}

/// Gives the rows in short: members without `attributes`, in the order of their names, with commas.
fn rows(answer: &Answer) -> String {
    let rows: Vec<String> = answer.records.iter().map(short).collect();
    rows.join(" | ")
}

fn short(row: &Json) -> String {
    match row {
        Json::Object(members) => {
            let mut members: Vec<_> = members
                .iter()
                .filter(|(name, _)| *name != "attributes")
                .collect();
            members.sort_by_key(|(name, _)| *name);
            let members: Vec<String> = members.iter().map(|(_, value)| short(value)).collect();
            members.join(", ")
        }
        Json::Array(items) => {
            let items: Vec<String> = items.iter().map(short).collect();
            format!("[{}]", items.join("; "))
        }
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Asks each query and compares the rows in short.
fn assert_rows(cases: &[(&str, &str)]) {
    let org = org();
    for (soql, expected) in cases {
        match ask(&org, soql) {
            Ok(answer) => assert_eq!(rows(&answer), *expected, "{soql}"),
            Err(error) => panic!("{soql}\n{error}"),
        }
    }
}

/// Asks for the names of the accounts that a condition leaves.
fn assert_accounts(cases: &[(&str, &str)]) {
    let org = org();
    for (condition, expected) in cases {
        let soql = format!("SELECT Name FROM Account WHERE {condition}");
        match ask(&org, &soql) {
            Ok(answer) => assert_eq!(rows(&answer), *expected, "{condition}"),
            Err(error) => panic!("{condition}\n{error}"),
        }
    }
}
