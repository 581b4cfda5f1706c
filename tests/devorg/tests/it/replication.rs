//! What has been changed and deleted, and upserts with their preconditions.

use serde_json::json;

use crate::client::{Api, V};

#[tokio::test]
async fn changed_and_deleted_records_are_listed() {
    let api = Api::new().await;
    let lead = format!("{V}/sobjects/Lead");
    let (one, two) = ("00QDO0000000001", "00QDO0000000002");
    assert_eq!(
        api.send_json("PATCH", &format!("{lead}/{one}"), &json!({"Title": "x"}))
            .await
            .status,
        204
    );
    assert_eq!(
        api.send("DELETE", &format!("{lead}/{two}"), &[], "")
            .await
            .status,
        204
    );
    let today = "start=2026-11-23T12:00:40%2B00:00&end=2026-11-23T13:01:59.000Z";
    let updated = api.get(&format!("{lead}/updated/?{today}")).await.json();
    let id = updated["ids"][0].as_str().unwrap();
    assert_eq!(
        (&id[..15], updated["ids"].as_array().unwrap().len()),
        (one, 1)
    );
    assert_eq!(updated["latestDateCovered"], "2026-11-23T13:01:00.000+0000");
    let deleted = api.get(&format!("{lead}/deleted?{today}")).await.json();
    assert_eq!(
        deleted["deletedRecords"][0]["deletedDate"],
        "2026-11-23T12:00:02.000+0000"
    );
    assert_eq!(
        &deleted["deletedRecords"][0]["id"].as_str().unwrap()[..15],
        two
    );
    assert!(deleted["earliestDateAvailable"].is_string());
    // A plus that was not encoded, and a time in which nothing happened.
    let later = "start=2026-11-23T12:01:00+00:00&end=2026-11-23T12:02:00+00:00";
    assert_eq!(
        api.get(&format!("{lead}/updated?{later}")).await.json()["ids"],
        json!([])
    );
    for (query, code) in [
        ("", "MISSING_ARGUMENT"),
        ("start=2026-11-23T12:00:00Z", "MISSING_ARGUMENT"),
        ("start=yesterday&end=today", "INVALID_REPLICATION_DATE"),
        (
            "start=2026-11-23T12:00:00Z&end=2026-11-23T12:00:59Z",
            "INVALID_REPLICATION_DATE",
        ),
        (
            "start=2026-11-23T12:00:00Z&end=2026-11-22T12:00:00Z",
            "INVALID_REPLICATION_DATE",
        ),
        (
            "start=2026-10-01T00:00:00Z&end=2026-11-23T12:00:00Z",
            "INVALID_REPLICATION_DATE",
        ),
    ] {
        for list in ["updated", "deleted"] {
            api.get(&format!("{lead}/{list}?{query}"))
                .await
                .assert_error(400, code);
        }
    }
    api.get(&format!("{V}/sobjects/Nothing/updated?{today}"))
        .await
        .assert_error(404, "NOT_FOUND");
    api.send("POST", &format!("{lead}/updated"), &[], "")
        .await
        .assert_error(405, "METHOD_NOT_ALLOWED");
}

#[tokio::test]
async fn an_upsert_keeps_to_its_key_and_its_precondition() {
    let api = Api::new().await;
    let path = format!("{V}/sobjects/Measurement__c/External_Key__c/S-001%2F0000");
    let given = json!({"external_key__c": "other"});
    let message = api
        .send_json("PATCH", &path, &given)
        .await
        .assert_error(400, "INVALID_FIELD");
    assert_eq!(
        message,
        "The external_key__c field should not be specified in the sobject data."
    );
    let headers = [
        ("content-type", "application/json"),
        ("If-Unmodified-Since", "Mon, 01 Jan 2001 00:00:00 GMT"),
    ];
    api.send("PATCH", &path, &headers, r#"{"Value__c": 1}"#)
        .await
        .assert_error(412, "PRECONDITION_FAILED");
    let missing = format!("{V}/sobjects/Measurement__c/External_Key__c/new");
    api.send_json("PATCH", &missing, &json!({}))
        .await
        .assert_error(400, "REQUIRED_FIELD_MISSING");

    let by_id = format!("{V}/sobjects/Account/Id");
    let changed = api
        .send_json(
            "PATCH",
            &format!("{by_id}/001DO0000000001"),
            &json!({"Site": "x"}),
        )
        .await;
    assert_eq!(
        (changed.status, &changed.json()["created"]),
        (200, &json!(false))
    );
    let made = api.send_json("POST", &by_id, &json!({"Name": "x"})).await;
    assert_eq!((made.status, &made.json()["created"]), (201, &json!(true)));
    api.send_json(
        "PATCH",
        &format!("{by_id}/001DO00000zzzzz"),
        &json!({"Site": "x"}),
    )
    .await
    .assert_error(404, "NOT_FOUND");
}
