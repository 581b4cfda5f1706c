//! Values of every type of field: created, read, changed, emptied, filled again, deleted and restored by approved calls, and compared one by
//! one.

use portcullis::Outcome;
use portcullis::policy::Mode;
use serde_json::{Value, json};

use crate::support::ended;
use crate::writes::desk::{ACCOUNT, Desk};

const OTHER_ACCOUNT: &str = "001DO0000000003YAA";

/// A field with two values: as they are given, and as they are stored.
struct Trip {
    kind: &'static str,
    field: &'static str,
    given: [Value; 2],
    stored: [Value; 2],
    /// Whether it can be emptied.
    nillable: bool,
}

fn trip(kind: &'static str, field: &'static str, given: [Value; 2], stored: [Value; 2]) -> Trip {
    Trip {
        kind,
        field,
        given,
        stored,
        nillable: !matches!(kind, "check box" | "polymorphic lookup"),
    }
}

/// A field whose values are stored as they are given.
fn same(kind: &'static str, field: &'static str, values: [Value; 2]) -> Trip {
    trip(kind, field, values.clone(), values)
}

fn trips(owner: &str, queue: &str) -> Vec<Trip> {
    let long = "x".repeat(32_768);
    vec![
        trip(
            "text",
            "Summary__c",
            [
                json!(" Ground floor "),
                json!("Dach – 屋根 | \\ \"q\" </org-data>"),
            ],
            [
                json!("Ground floor"),
                json!("Dach – 屋根 | \\ \"q\" </org-data>"),
            ],
        ),
        same(
            "long text",
            "Findings__c",
            [json!("One\n\tTwo\n\nThree"), json!(long)],
        ),
        same(
            "rich text",
            "Report__c",
            [
                json!("<p>One &amp; <b>two</b></p>"),
                json!("<ul><li>a|b</li></ul>"),
            ],
        ),
        same("number", "Hours__c", [json!(2.25), json!(-0.5)]),
        same(
            "currency",
            "Hourly_Rate__c",
            [json!(80.5), json!(1_234_567_890_123.25)],
        ),
        same("percent", "Progress__c", [json!(12.5), json!(100)]),
        same(
            "date",
            "Planned_For__c",
            [json!("2026-12-01"), json!("1999-02-28")],
        ),
        trip(
            "date-time",
            "Started_At__c",
            [
                json!("2026-11-23T09:00:00+01:00"),
                json!("1999-12-31T23:59:59Z"),
            ],
            [
                json!("2026-11-23T08:00:00.000+0000"),
                json!("1999-12-31T23:59:59.000+0000"),
            ],
        ),
        trip(
            "time",
            "Gate_Opens__c",
            [json!("06:45"), json!("23:59:59.999Z")],
            [json!("06:45:00.000Z"), json!("23:59:59.999Z")],
        ),
        same("check box", "Follow_Up__c", [json!(true), json!(false)]),
        same("picklist", "Result__c", [json!("C"), json!("F")]),
        trip(
            "multi-picklist",
            "Areas__c",
            [json!(["Fire", "Roof"]), json!("Water")],
            [json!("Fire;Roof"), json!("Water")],
        ),
        same(
            "e-mail",
            "Contact_Email__c",
            [json!("gate@site.example"), json!("a.b+c@d.example")],
        ),
        same(
            "phone",
            "Contact_Phone__c",
            [json!("+49 30 1"), json!("(555) 010-9999 x7")],
        ),
        same(
            "url",
            "Plan__c",
            [
                json!("https://plans.example/a"),
                json!("https://plans.example/?q=a%20b&c=d#e"),
            ],
        ),
        same(
            "lookup",
            "Account__c",
            [json!(ACCOUNT), json!(OTHER_ACCOUNT)],
        ),
        same(
            "polymorphic lookup",
            "OwnerId",
            [json!(owner), json!(queue)],
        ),
        same(
            "geolocation",
            "Place__Latitude__s",
            [json!(52.520008), json!(-90)],
        ),
        same(
            "geolocation",
            "Place__Longitude__s",
            [json!(13.404954), json!(180)],
        ),
        same(
            "encrypted",
            "Door_Code__c",
            [json!("1234-9876"), json!("ÄÖ*0")],
        ),
    ]
}

/// Says whether two values are one: numbers by their value, everything else to the letter.
fn is(one: &Value, other: &Value) -> bool {
    match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => one == other,
        _ => one == other,
    }
}

/// Compares the record, as the tools give it and as the org has it, with what was given.
async fn compare(desk: &Desk, id: &str, trips: &[Trip], turn: usize) {
    let read = desk
        .data("get_record", json!({"object": "Inspection__c", "id": id}))
        .await;
    let fields: Vec<&str> = trips.iter().map(|trip| trip.field).collect();
    let soql = format!(
        "SELECT {} FROM Inspection__c WHERE Id = '{id}'",
        fields.join(", ")
    );
    let queried = desk.data("query", json!({ "soql": soql })).await;
    let stored = desk.record("Inspection__c", id).await;
    for (at, trip) in trips.iter().enumerate() {
        let expected = match turn {
            2 if trip.nillable => &Value::Null,
            turn => &trip.stored[turn.min(1)],
        };
        let (kind, field) = (trip.kind, trip.field);
        for (by, value) in [
            ("get_record", &read["fields"][field]),
            ("query", &queried["rows"][0][at]),
            ("the org", &stored[field]),
        ] {
            assert!(
                is(value, expected),
                "{kind} {field} by {by}: {value}, not {expected}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_type_of_field_comes_back_as_it_was_given() {
    let desk = Desk::new(Mode::Ask).await;
    let owner = desk.org.users()[1].id().to_string();
    let queues = desk
        .rows("SELECT Id FROM Group WHERE Type = 'Queue' LIMIT 1")
        .await;
    let trips = trips(&owner, queues[0]["Id"].as_str().unwrap());
    let given = |turn: usize| {
        let fields = trips.iter().map(|trip| match turn {
            2 => (trip.field.to_owned(), Value::Null),
            turn => (trip.field.to_owned(), trip.given[turn].clone()),
        });
        let nillable = trips.iter().map(|trip| trip.nillable);
        let fields = fields
            .zip(nillable)
            .filter(|(_, nillable)| turn < 2 || *nillable);
        Value::Object(fields.map(|(field, _)| field).collect())
    };

    let arguments = json!({"object": "Inspection__c", "fields": given(0)});
    let made = desk.data("create_record", arguments).await;
    for field in made["fields"].as_array().unwrap() {
        assert_eq!(field["as_asked"], true, "{field}");
    }
    let id = made["id"].as_str().unwrap().to_owned();
    compare(&desk, &id, &trips, 0).await;
    compare_what_nobody_sets(&desk, &id).await;
    let refused = json!({"object": "Inspection__c", "id": id, "fields": {"Total__c": 1, "Name": "x", "Place__c": "1, 2"}});
    insta::assert_snapshot!("unwritable", desk.failure("update_record", refused).await);

    for turn in [1, 2, 0] {
        let arguments = json!({"object": "Inspection__c", "id": id, "fields": given(turn)});
        let changed = desk.data("update_record", arguments.clone()).await;
        assert_eq!(changed["done"], "updated");
        for field in changed["fields"].as_array().unwrap() {
            assert_eq!(field["as_asked"], true, "{field}");
        }
        compare(&desk, &id, &trips, turn).await;
        // What is so already is not sent again, however it is spelled.
        let again = desk.call("update_record", arguments).await;
        match &again.outcome {
            Outcome::Done(output) => assert!(output.text.starts_with("unchanged"), "{output:?}"),
            other => panic!("{other:?}"),
        }
    }

    let arguments = json!({"object": "Inspection__c", "id": id});
    let whole = desk.record("Inspection__c", &id).await;
    let deleted = desk.data("delete_record", arguments.clone()).await;
    assert_eq!(deleted["done"], "deleted");
    let reply = desk.call("get_record", arguments.clone()).await;
    assert_eq!(ended(&reply), "failed not_found");

    let restored = desk.data("undelete_record", arguments.clone()).await;
    assert_eq!(restored["done"], "undeleted");
    compare(&desk, &id, &trips, 0).await;
    compare_what_nobody_sets(&desk, &id).await;
    // Nothing else of it is other than it was, but for when it was changed.
    let again = desk.record("Inspection__c", &id).await;
    let (whole, again) = (whole.as_object().unwrap(), again.as_object().unwrap());
    assert_eq!(whole.len(), again.len());
    for (field, value) in whole {
        if !matches!(field.as_str(), "LastModifiedDate" | "SystemModstamp") {
            assert_eq!(&again[field], value, "{field}");
        }
    }
    // What is there already is not restored a second time.
    let unchanged = desk.data("undelete_record", arguments).await;
    assert_eq!(unchanged["done"], "unchanged");
}

/// Compares what the org makes of the first values: a formula, a number of its own, and a place of its two parts.
async fn compare_what_nobody_sets(desk: &Desk, id: &str) {
    let read = desk
        .data("get_record", json!({"object": "Inspection__c", "id": id}))
        .await;
    assert_eq!(read["fields"]["Total__c"], 181.13);
    assert_eq!(read["fields"]["Name"], "INSP-0013");
    let place = json!({"latitude": 52.520008, "longitude": 13.404954});
    assert_eq!(read["fields"]["Place__c"], place);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_activity_is_about_records_of_several_objects() {
    let desk = Desk::new(Mode::Ask).await;
    let contact = desk.rows("SELECT Id FROM Contact LIMIT 1").await[0]["Id"].clone();
    let lead = desk
        .rows("SELECT Id FROM Lead WHERE IsConverted = false LIMIT 1")
        .await[0]["Id"]
        .clone();
    let sale = desk.rows("SELECT Id FROM Opportunity LIMIT 1").await[0]["Id"].clone();
    let fields = json!({"Subject": "Call", "WhoId": contact, "WhatId": ACCOUNT});
    let made = desk
        .data("create_record", json!({"object": "Task", "fields": fields}))
        .await;
    let id = made["id"].as_str().unwrap();
    let task = desk.record("Task", id).await;
    assert_eq!(
        (&task["WhoId"], &task["WhatId"]),
        (&contact, &json!(ACCOUNT))
    );
    for fields in [
        json!({"WhatId": sale}),
        json!({"WhatId": null, "WhoId": lead}),
    ] {
        let arguments = json!({"object": "Task", "id": id, "fields": fields});
        let changed = desk.data("update_record", arguments).await;
        for field in changed["fields"].as_array().unwrap() {
            assert_eq!(field["as_asked"], true, "{field}");
        }
        let task = desk.record("Task", id).await;
        for (name, value) in fields.as_object().unwrap() {
            assert_eq!(&task[name], value, "{name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_masked_is_written_and_not_taken_for_another_value() {
    // Service users do not view encrypted data.
    let desk = Desk::of("gus.hale", Mode::Ask).await;
    let fields = json!({"Summary__c": "x", "Door_Code__c": "1234-9876"});
    let made = desk
        .text(
            "create_record",
            json!({"object": "Inspection__c", "fields": fields}),
        )
        .await;
    insta::assert_snapshot!("masked", made);
    let made = desk
        .data(
            "query",
            json!({"soql": "SELECT Id, Door_Code__c FROM Inspection__c WHERE Summary__c = 'x'"}),
        )
        .await;
    let id = made["rows"][0][0].as_str().unwrap();
    assert_eq!(made["rows"][0][1], "*****9876");
    assert_eq!(
        desk.record("Inspection__c", id).await["Door_Code__c"],
        "1234-9876"
    );
    // What was read is given back: nothing is sent, so that no mask takes the value's place.
    let back =
        json!({"object": "Inspection__c", "id": id, "fields": {"Door_Code__c": "*****9876"}});
    let changed = desk.data("update_record", back).await;
    assert_eq!(changed["done"], "unchanged");
    assert_eq!(
        desk.record("Inspection__c", id).await["Door_Code__c"],
        "1234-9876"
    );
}
