//! What a row costs, whatever the size of its table: how many records a question and a write look at,
//! and how much memory it takes.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Map, Value as Json, json};

use crate::error::ApiError;
use crate::id::Id;
use crate::org::{Org, Session};
use crate::query;
use crate::records::fill::{self, Values};
use crate::records::{self, MergeRequest, WriteOptions};
use crate::store::examined;
use crate::value::Value;

/// The moment of the sample.
const NOON: Timestamp = Timestamp::constant(12 * 60 * 60, 0);

/// The contacts of an account.
const SHARE: usize = 10;

/// An org of many contacts, with as many readings.
struct World {
    org: Org,
    session: Session,
}

impl World {
    fn new(contacts: usize) -> Self {
        let mut org = Org::sample(NOON);
        org.storage.data_bytes_max = u64::MAX;
        let user = org.store.rows("User").next().unwrap().id;
        let session = Session::of_org(&org, user, TimeZone::UTC);
        let mut world = Self { org, session };
        let mut account = user;
        for number in 0..contacts {
            if number % SHARE == 0 {
                account = world.add("Account", &[("Name", format!("Company {number:07}"))]);
            }
            world.add_contact(number, account);
            world.add(
                "Measurement__c",
                &[
                    ("Sensor__c", "S-1".to_owned()),
                    ("External_Key__c", format!("Key-{number:07}")),
                    ("Account__c", account.to_string()),
                ],
            );
        }
        world
    }

    /// Adds a contact as a client would make it.
    fn add_contact(&mut self, number: usize, account: Id) -> Id {
        self.add(
            "Contact",
            &[
                ("LastName", format!("Person{number:07}")),
                ("FirstName", "Ada".to_owned()),
                ("Email", format!("Person{number:07}@example.com")),
                ("Phone", format!("(415) 555-{:04}", number % 10_000)),
                ("Title", "Buyer".to_owned()),
                ("Department", "Purchasing".to_owned()),
                ("MailingCity", "San Francisco".to_owned()),
                ("MailingCountry", "United States".to_owned()),
                ("LeadSource", "Web".to_owned()),
                ("AccountId", account.to_string()),
            ],
        )
    }

    fn add(&mut self, object: &str, texts: &[(&str, String)]) -> Id {
        let at = self.org.tick();
        let schema = self.org.schema.clone();
        let object = schema.object(object).unwrap();
        let values = texts.iter().map(|(name, text)| {
            let field = object.field(name).unwrap();
            (field.name.clone(), Value::text(text.as_str()))
        });
        let values: Values = values.collect();
        fill::insert(&mut self.org, object, values, self.session.user_id, at)
    }

    /// Asks, and gives what was looked at and how many rows there are.
    fn ask(&self, soql: &str) -> (usize, usize) {
        let options = query::Options {
            include_deleted: false,
            batch_size: 2_000,
            columns: false,
            base: String::new(),
        };
        let (examined, answer) =
            examined::by(|| query::run(&self.org, &self.session, soql, options));
        (examined, answer.unwrap().total_size)
    }

    /// Does a work that is taken back, and gives what was looked at and how it ended.
    fn work(&mut self, work: &Work) -> (usize, String) {
        let Self { org, session } = self;
        let mut looked_at = 0;
        let done: Result<(), String> = org.transaction(|org| {
            let (examined, done) = examined::by(|| work.run(org, session));
            looked_at = examined;
            Err(done.map_or_else(|error| error.code, |()| "OK".to_owned()))
        });
        (looked_at, done.unwrap_err())
    }
}

/// What a client does.
#[derive(Debug)]
enum Work {
    Insert(&'static str, Json),
    Update(&'static str, Id, Json),
    Upsert(&'static str, (&'static str, &'static str), Json),
    DeleteAndUndelete(&'static str, Id),
    Merge(Id, Id),
}

impl Work {
    fn run(&self, org: &mut Org, session: &Session) -> Result<(), ApiError> {
        let schema = session.schema().clone();
        let object = |name: &str| schema.object(name).unwrap();
        let body = |json: &Json| -> Map<String, Json> { json.as_object().unwrap().clone() };
        let options = WriteOptions::default();
        match self {
            Self::Insert(name, json) => {
                records::insert(org, session, object(name), &body(json), &options).map(drop)
            }
            Self::Update(name, id, json) => {
                records::update(org, session, object(name), *id, &body(json), &options)
            }
            Self::Upsert(name, key, json) => {
                records::upsert(org, session, object(name), *key, &body(json), &options).map(drop)
            }
            Self::DeleteAndUndelete(name, id) => {
                records::remove(org, session, object(name), *id)?;
                records::undelete(org, session, &[id.to_string()]).remove(0)?;
                Ok(())
            }
            Self::Merge(master, other) => {
                let request = MergeRequest {
                    object: "Contact".to_owned(),
                    master_id: master.to_string(),
                    values: Map::new(),
                    record_to_merge_ids: vec![other.to_string()],
                };
                records::merge(org, session, &request).map(drop)
            }
        }
    }
}

/// Conditions and how many rows they have, by where they are asked: of `{id}` and `{next}`, two
/// contacts of `{account}`.
const QUESTIONS: &[(&str, usize)] = &[
    ("SELECT Id FROM Contact WHERE Id = '{id}'", 1),
    ("SELECT Id FROM Contact WHERE Id IN ('{id}', '{next}')", 2),
    (
        "SELECT Id FROM Contact WHERE Email = 'PERSON0000500@example.com'",
        1,
    ),
    ("SELECT Id FROM Contact WHERE Name = 'ada person0000500'", 1),
    (
        "SELECT Id FROM Contact WHERE Name = 'nobody' AND CreatedDate > 1970-01-01T00:00:00Z",
        0,
    ),
    (
        "SELECT Id FROM Contact WHERE Name LIKE 'Ada Person000050%' ORDER BY Name",
        10,
    ),
    (
        "SELECT Id FROM Contact WHERE AccountId = '{account}' AND LastName LIKE '%3'",
        1,
    ),
    (
        "SELECT Id FROM Contact WHERE Title = 'Buyer' AND (Id = '{id}' OR AccountId = '{account}')",
        10,
    ),
    (
        "SELECT Id FROM Contact WHERE AccountId IN (SELECT Id FROM Account WHERE Name = 'company 0000500')",
        10,
    ),
    (
        "SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Contact WHERE Email = 'person0000500@example.com')",
        1,
    ),
    (
        "SELECT Id FROM Contact WHERE Account.Name = 'COMPANY 0000500'",
        10,
    ),
    (
        "SELECT Id FROM Contact WHERE CreatedDate >= {from} AND CreatedDate < {to} AND SystemModstamp >= {from}",
        4,
    ),
    (
        "SELECT COUNT() FROM Contact WHERE AccountId = '{account}'",
        10,
    ),
    (
        "SELECT COUNT(Id) n, LastName FROM Contact WHERE AccountId = '{account}' GROUP BY LastName",
        10,
    ),
    (
        "SELECT Name, (SELECT Id FROM Contacts) FROM Account WHERE Name = 'Company 0000500'",
        1,
    ),
    ("SELECT Id FROM Contact LIMIT 5 OFFSET 5", 5),
    ("SELECT COUNT() FROM Contact LIMIT 5", 5),
    ("SELECT Id FROM Contact USING SCOPE mine LIMIT 5", 5),
    (
        "SELECT Id FROM Measurement__c WHERE External_Key__c = 'key-0000500'",
        1,
    ),
    (
        "SELECT Id FROM Measurement__c WHERE External_Key__c IN ('key-0000500', 'KEY-0000501', 'no')",
        2,
    ),
];

/// Gives the works with how they end.
fn works(id: Id, next: Id, reading: Id) -> Vec<(Work, &'static str)> {
    let person = |number: &str| json!({"LastName": format!("Person{number}"), "Email": format!("person{number}@example.com")});
    let key = |key| ("External_Key__c", key);
    let reading_of = |key: &str| json!({"Sensor__c": "S", "Taken_At__c": "2026-01-01T00:00:00Z", "External_Key__c": key});
    let taken = json!({"Sensor__c": "S", "Taken_At__c": "2026-01-01T00:00:00Z"});
    vec![
        (Work::Insert("Contact", person("-new")), "OK"),
        (
            Work::Insert("Contact", person("0000500")),
            "DUPLICATES_DETECTED",
        ),
        (
            Work::Insert(
                "Lead",
                json!({"LastName": "person0000500", "Company": "x", "Email": "person0000500@example.com"}),
            ),
            "DUPLICATES_DETECTED",
        ),
        (
            Work::Update("Contact", id, json!({"Email": "other@example.com"})),
            "OK",
        ),
        (
            Work::Update("Contact", id, person("0000501")),
            "DUPLICATES_DETECTED",
        ),
        (Work::Insert("Measurement__c", reading_of("new")), "OK"),
        (
            Work::Insert("Measurement__c", reading_of("KEY-0000500")),
            "DUPLICATE_VALUE",
        ),
        (
            Work::Update(
                "Measurement__c",
                reading,
                json!({"External_Key__c": "key-0000501"}),
            ),
            "DUPLICATE_VALUE",
        ),
        (
            Work::Upsert(
                "Measurement__c",
                key("key-0000500"),
                json!({"Sensor__c": "T"}),
            ),
            "OK",
        ),
        (Work::Upsert("Measurement__c", key("key-new"), taken), "OK"),
        (
            Work::Upsert(
                "Contact",
                ("Email", "person0000500@example.com"),
                json!({"Title": "Seller"}),
            ),
            "OK",
        ),
        (Work::DeleteAndUndelete("Contact", id), "OK"),
        (Work::DeleteAndUndelete("Measurement__c", reading), "OK"),
        (Work::Merge(id, next), "OK"),
    ]
}

/// Does everything in an org of so many contacts, and gives how many records each looked at.
fn costs(contacts: usize) -> Vec<(String, usize)> {
    let mut world = World::new(contacts);
    let one = |soql: &str| {
        let options = query::Options {
            include_deleted: false,
            batch_size: 1,
            columns: false,
            base: String::new(),
        };
        let answer = query::run(&world.org, &world.session, soql, options).unwrap();
        let row = answer.records.first().unwrap().clone();
        world
            .org
            .find(Id::parse(row["Id"].as_str().unwrap()).unwrap())
            .unwrap()
            .1
            .clone()
    };
    let contact = one("SELECT Id FROM Contact WHERE LastName = 'Person0000500'");
    let next = one("SELECT Id FROM Contact WHERE LastName = 'Person0000501'");
    let reading = one("SELECT Id FROM Measurement__c WHERE External_Key__c = 'Key-0000500'");
    let Value::DateTime(made) = *contact.get("CreatedDate") else {
        unreachable!("every contact was made at some time");
    };
    let later = made
        .checked_add(jiff::SignedDuration::from_secs(8))
        .unwrap();
    let account = contact.reference("AccountId").unwrap();

    let mut costs = Vec::new();
    for (question, rows) in QUESTIONS {
        let soql = question
            .replace("{id}", contact.id.short())
            .replace("{next}", next.id.as_str())
            .replace("{account}", account.as_str())
            .replace("{from}", &made.to_string())
            .replace("{to}", &later.to_string());
        let (examined, found) = world.ask(&soql);
        assert_eq!(found, *rows, "{soql}");
        costs.push(((*question).to_owned(), examined));
    }
    for (work, expected) in works(contact.id, next.id, reading.id) {
        let (examined, end) = world.work(&work);
        assert_eq!(end, expected, "{work:?}");
        costs.push((format!("{expected} {:.60}", format!("{work:?}")), examined));
    }
    costs
}

/// Each question and each write looks at as many records in a large table as in a small one; a few
/// hundred at most.
fn assert_costs_stay(large: usize) {
    let (small, large) = (costs(1_000), costs(large));
    for ((what, few), (_, many)) in small.iter().zip(&large) {
        assert_eq!(few, many, "{what}");
        assert!(*few < 200, "{what} looks at {few}");
    }
}

#[test]
fn a_row_costs_what_it_must() {
    assert_costs_stay(50_000);
}

#[test]
#[ignore = "takes minutes and gigabytes: `just soak`"]
fn a_row_of_a_million_costs_what_it_must() {
    assert_costs_stay(1_000_000);
}
