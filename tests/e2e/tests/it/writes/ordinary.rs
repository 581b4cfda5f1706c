//! What is asked for is done, and read back; every type of field comes back as it was given.

use portcullis::Outcome;
use portcullis::policy::Mode;
use serde_json::{Value, json};

use super::desk::{ACCOUNT, Desk, SALE, update};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_update_says_what_is_stored_and_what_is_not_as_asked() {
    let desk = Desk::new(Mode::Allow).await;
    let fields = json!({"Phone": "415.555.0199", "Site": "Headquarters", "NumberOfEmployees": 120, "AnnualRevenue": "1234567", "Industry": "Banking", "Description": null});
    insta::assert_snapshot!(
        desk.text("update_record", update("Account", ACCOUNT, fields.clone()))
            .await
    );
    let stored = desk.record("Account", ACCOUNT).await;
    assert_eq!(
        (&stored["Phone"], &stored["Site"]),
        (&json!("(415) 555-0199"), &json!("Headquarters"))
    );

    // What the trigger made of it is not what was asked: that alone differs.
    let reply = desk
        .call("update_record", update("Account", &ACCOUNT[..15], fields))
        .await;
    assert_eq!(reply.sent.len(), 1);
    let fields = json!({"Phone": "(415) 555-0199", "Site": "Headquarters"});
    let reply = desk
        .call("update_record", update("account", ACCOUNT, fields))
        .await;
    assert!(reply.sent.is_empty());
    let Outcome::Done(output) = reply.outcome else {
        panic!("{:?}", reply.outcome);
    };
    insta::assert_snapshot!(desk.plain(&output.text));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_takes_three_requests_once_its_description_is_known() {
    let desk = Desk::new(Mode::Allow).await;
    let kind = "/services/data/{version}/sobjects/{kind}";
    let (row, describe) = (format!("{kind}/{{id}}"), format!("{kind}/describe"));
    let query = "/services/data/{version}/query";
    for round in 0..2 {
        let fields = json!({"Site": format!("Site {round}")});
        let reply = desk
            .call("update_record", update("Account", ACCOUNT, fields))
            .await;
        let mut requests = desk.requests(&reply);
        if round == 0 {
            assert_eq!(requests.remove(0), format!("GET {describe} 200"));
        }
        assert_eq!(
            requests,
            [
                format!("GET {query} 200"),
                format!("PATCH {row} 204"),
                format!("GET {row} 200")
            ]
        );
    }
    // A mistake by it is looked at once more before it is said.
    let mistake = update("Account", ACCOUNT, json!({"Sitee": "x"}));
    let reply = desk.call("update_record", mistake).await;
    assert_eq!(desk.requests(&reply), [format!("GET {describe} 304")]);
    let reply = desk
        .call(
            "create_record",
            json!({"object": "Account", "fields": {"Name": "New one"}}),
        )
        .await;
    assert_eq!(
        desk.requests(&reply),
        [format!("POST {kind} 201"), format!("GET {row} 200")]
    );
    let Outcome::Done(output) = reply.outcome else {
        panic!("{:?}", reply.outcome);
    };
    let id = output.structured.unwrap()["id"].clone();
    let reply = desk
        .call("delete_record", json!({"object": "Account", "id": id}))
        .await;
    assert_eq!(
        desk.requests(&reply),
        [format!("GET {query} 200"), format!("DELETE {row} 204")]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_type_comes_back_as_it_was_given_and_can_be_emptied() {
    let desk = Desk::new(Mode::Allow).await;
    let fields = json!({
        "Sensor__c": "S-1", "Taken_At__c": "2026-11-23T09:30:00+01:00", "Kind__c": "Power", "Unit__c": "kW",
        "Value__c": 12.345, "Outlier__c": true, "Flags__c": ["Manual", "Calibrated"], "Battery__c": 80,
        "Account__c": &ACCOUNT[..15], "Note__c": "one\ntwo \"three\" </org-data>", "External_Key__c": "K-1",
    });
    let reply = desk
        .call(
            "create_record",
            json!({"object": "Measurement__c", "fields": fields}),
        )
        .await;
    let Outcome::Done(output) = reply.outcome else {
        panic!("{:?}", reply.outcome);
    };
    let data = output.structured.unwrap();
    for field in data["fields"].as_array().unwrap() {
        assert_eq!(field["as_asked"], true, "{field}");
    }
    let id = data["id"].as_str().unwrap().to_owned();
    let stored = desk.record("Measurement__c", &id).await;
    assert_eq!(stored["Taken_At__c"], "2026-11-23T08:30:00.000+0000");
    assert_eq!(
        (&stored["Account__c"], &stored["Value__c"]),
        (&json!(ACCOUNT), &json!(12.345))
    );
    assert_eq!(stored["Outlier__c"], true);
    insta::assert_snapshot!(desk.plain(&output.text).replace(&id, "a00…"));

    // The same again, in other words, is no change.
    let same = json!({"Taken_At__c": "2026-11-23T08:30:00Z", "Value__c": "12.3450", "Flags__c": "Calibrated;Manual", "Account__c": ACCOUNT, "Battery__c": "80"});
    let reply = desk
        .call("update_record", update("Measurement__c", &id, same))
        .await;
    assert!(reply.sent.is_empty(), "{reply:?}");

    let empty = json!({"Kind__c": null, "Unit__c": null, "Value__c": null, "Flags__c": [], "Battery__c": null, "Account__c": null, "Note__c": "", "Outlier__c": false});
    desk.text(
        "update_record",
        update("Measurement__c", &id, empty.clone()),
    )
    .await;
    let stored = desk.record("Measurement__c", &id).await;
    for name in empty
        .as_object()
        .unwrap()
        .keys()
        .filter(|name| *name != "Outlier__c")
    {
        assert_eq!(stored[name], Value::Null, "{name}");
    }
    assert_eq!(stored["Outlier__c"], false);

    let sale =
        json!({"Amount": 1234.5, "CloseDate": "2027-01-31", "Probability": 35, "NextStep": "Call"});
    let reply = desk
        .call("update_record", update("Opportunity", SALE, sale))
        .await;
    let Outcome::Done(output) = reply.outcome else {
        panic!("{:?}", reply.outcome);
    };
    for field in output.structured.unwrap()["fields"].as_array().unwrap() {
        assert_eq!(field["as_asked"], true, "{field}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_of_a_type_is_made_and_deleted_with_what_hangs_on_it() {
    let desk = Desk::new(Mode::Allow).await;
    let made = json!({"object": "Account", "fields": {"Name": "Partner", "OwnerId": desk.org.users()[1].id().to_string()}, "record_type": "Partner Account"});
    let reply = desk.call("create_record", made).await;
    let Outcome::Done(output) = reply.outcome else {
        panic!("{:?}", reply.outcome);
    };
    let id = output.structured.unwrap()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    insta::assert_snapshot!(desk.plain(&output.text).replace(&id, "001…"));
    let contact = json!({"LastName": "Li", "AccountId": id});
    assert_eq!(
        desk.direct("POST", "sobjects/Contact", Some(contact))
            .await
            .0,
        201
    );
    let text = desk
        .text("delete_record", json!({"object": "Account", "id": id}))
        .await;
    insta::assert_snapshot!(text.replace(&id, "001…"));
    assert_eq!(
        desk.direct("GET", &format!("sobjects/Account/{id}"), None)
            .await
            .0,
        404
    );
    // It is gone; saying so again does no harm.
    insta::assert_snapshot!(
        desk.failure("delete_record", json!({"object": "Account", "id": id}))
            .await
            .replace(&id, "001…")
    );
}
