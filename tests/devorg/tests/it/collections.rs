//! Several records in one request, wholly or as far as they go.

use serde_json::{Value as Json, json};

use crate::client::{Answer, Api, V};

fn account(name: &str) -> Json {
    json!({"attributes": {"type": "Account"}, "Name": name})
}

async fn post(api: &Api, body: &Json) -> Answer {
    api.send_json("POST", &format!("{V}/composite/sobjects"), body)
        .await
}

/// Gives what became of each record: its error's code, or nothing.
fn codes(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, 200, "{answer:?}");
    let results = answer.json();
    let one = |result: &Json| {
        let code = result["errors"][0]["statusCode"].as_str();
        assert_eq!(
            result["success"].as_bool(),
            Some(code.is_none()),
            "{result}"
        );
        code.unwrap_or_default().to_owned()
    };
    results.as_array().unwrap().iter().map(one).collect()
}

#[tokio::test]
async fn records_are_made_changed_and_deleted_each_with_its_result() {
    let api = Api::new().await;
    let path = format!("{V}/composite/sobjects");
    let body = json!({"records": [
        account("One"),
        {"attributes": {"type": "Contact"}, "LastName": "Two", "Email": "no mail"},
        {"attributes": {"type": "lead"}, "LastName": "Three"},
    ]});
    let made = post(&api, &body).await;
    let id = made.json()[0]["id"].as_str().unwrap().to_owned();
    insta::assert_json_snapshot!(made.json(), @r#"
    [
      {
        "errors": [],
        "id": "001DO000000000zYAA",
        "success": true
      },
      {
        "errors": [
          {
            "fields": [
              "Email"
            ],
            "message": "Email: invalid email address: no mail",
            "statusCode": "INVALID_EMAIL_ADDRESS"
          }
        ],
        "success": false
      },
      {
        "errors": [
          {
            "fields": [
              "Company"
            ],
            "message": "Required fields are missing: [Company]",
            "statusCode": "REQUIRED_FIELD_MISSING"
          }
        ],
        "success": false
      }
    ]
    "#);

    let changed = json!({"records": [
        {"attributes": {"type": "Account"}, "id": id, "Site": "Here"},
        {"attributes": {"type": "Account"}, "Site": "Here"},
        {"attributes": {"type": "Account"}, "Id": "003DO0000000001", "Site": "Here"},
        {"attributes": {"type": "Account"}, "Id": "x", "Site": "Here"},
        {"attributes": {"type": "Account"}, "Id": "001DO00000zzzzz", "Site": "Here"},
    ]});
    let changed = api.send_json("PATCH", &path, &changed).await;
    assert_eq!(
        codes(&changed),
        [
            "",
            "MISSING_ARGUMENT",
            "MALFORMED_ID",
            "MALFORMED_ID",
            "INVALID_CROSS_REFERENCE_KEY"
        ]
    );
    assert_eq!(
        api.get(&format!("{V}/sobjects/Account/{id}?fields=Site"))
            .await
            .json()["Site"],
        "Here"
    );

    let deleted = api
        .send(
            "DELETE",
            &format!("{path}?ids={id},x,{id},005DO0000000002"),
            &[],
            "",
        )
        .await;
    assert_eq!(
        codes(&deleted),
        [
            "",
            "MALFORMED_ID",
            "ENTITY_IS_DELETED",
            "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"
        ]
    );
    assert_eq!(deleted.json()[1]["errors"][0]["message"], "malformed id x");
    assert_eq!(deleted.json()[2]["id"], json!(id));
    let bin = format!("{V}/queryAll?q=SELECT+Site+FROM+Account+WHERE+Id='{id}'+AND+IsDeleted=TRUE");
    assert_eq!(api.get(&bin).await.json()["records"][0]["Site"], "Here");
}

#[tokio::test]
async fn all_or_none_leaves_nothing_behind() {
    let (api, untouched) = (Api::new().await, Api::new().await);
    let rolled_back = "ALL_OR_NONE_OPERATION_ROLLED_BACK";
    let path = format!("{V}/composite/sobjects");
    let first = "001DO0000000001YAA";
    let body =
        json!({"allOrNone": true, "records": [account("One"), account(""), account("Three")]});
    let made = post(&api, &body).await;
    assert_eq!(
        codes(&made),
        [rolled_back, "REQUIRED_FIELD_MISSING", rolled_back]
    );
    assert_eq!(
        made.json()[0]["errors"][0]["message"],
        "Record rolled back because not all records were valid and the request was using AllOrNone header"
    );
    let changed = json!({"allOrNone": true, "records": [
        {"attributes": {"type": "Account"}, "Id": first, "Name": "Changed"},
        {"attributes": {"type": "Account"}, "Id": first, "Name": null},
    ]});
    let changed = api.send_json("PATCH", &path, &changed).await;
    assert_eq!(codes(&changed), [rolled_back, "REQUIRED_FIELD_MISSING"]);
    let deleted = format!("{path}?allOrNone=true&ids=00QDO0000000001,00QDO0000000002,nothing");
    let deleted = api.send("DELETE", &deleted, &[], "").await;
    assert_eq!(codes(&deleted), [rolled_back, rolled_back, "MALFORMED_ID"]);
    let upserted = json!({"allOrNone": true, "records": [
        {"attributes": {"type": "Measurement__c"}, "External_Key__c": "S-001/0000", "Value__c": 9},
        {"attributes": {"type": "Measurement__c"}, "External_Key__c": "new"},
    ]});
    let upserted = api
        .send_json(
            "PATCH",
            &format!("{path}/Measurement__c/External_Key__c"),
            &upserted,
        )
        .await;
    assert_eq!(codes(&upserted), [rolled_back, "REQUIRED_FIELD_MISSING"]);
    assert_eq!(
        (
            &upserted.json()[0]["created"],
            &upserted.json()[1]["created"]
        ),
        (&json!(false), &json!(true))
    );

    // Ids and moments go on as if nothing had happened.
    for api in [&api, &untouched] {
        assert_eq!(
            codes(&post(api, &json!({"records": [account("Next")]})).await),
            [""]
        );
    }
    for soql in [
        "SELECT FIELDS(ALL) FROM Account ORDER BY Id LIMIT 200",
        "SELECT FIELDS(ALL) FROM Lead ORDER BY Id LIMIT 200",
        "SELECT FIELDS(ALL) FROM Measurement__c ORDER BY Id LIMIT 200",
        "SELECT COUNT(Id), MAX(SystemModstamp) FROM Task",
    ] {
        assert_eq!(
            api.query(soql).await.json(),
            untouched.query(soql).await.json(),
            "{soql}"
        );
    }
}

#[tokio::test]
async fn a_collection_is_upserted_by_an_external_id() {
    let api = Api::new().await;
    let path = format!("{V}/composite/sobjects/Measurement__c/External_Key__c");
    let reading = |key: Json| {
        json!({
            "attributes": {"type": "Measurement__c"}, "external_key__c": key, "Sensor__c": "S", "Taken_At__c": "2026-11-23T00:00:00Z",
        })
    };
    let body = json!({"records": [reading(json!("S-001/0000")), reading(json!("new")), reading(json!("NEW")), reading(json!(null))]});
    let answer = api.send_json("PATCH", &path, &body).await;
    assert_eq!(codes(&answer), ["", "", "", "MISSING_ARGUMENT"]);
    let results = answer.json();
    let created: Vec<&Json> = (0..3).map(|at| &results[at]["created"]).collect();
    assert_eq!(created, [&json!(false), &json!(true), &json!(false)]);
    assert_eq!(results[1]["id"], results[2]["id"]);

    let by_id = json!({"records": [
        {"attributes": {"type": "Account"}, "Id": "001DO0000000001", "Site": "x"},
        {"attributes": {"type": "Account"}, "Name": "Made"},
    ]});
    let answer = api
        .send_json(
            "PATCH",
            &format!("{V}/composite/sobjects/Account/Id"),
            &by_id,
        )
        .await;
    assert_eq!(codes(&answer), ["", ""]);
    assert_eq!(answer.json()[1]["created"], true);
    let answer = api
        .send_json(
            "PATCH",
            &format!("{V}/composite/sobjects/Account/Site"),
            &by_id,
        )
        .await;
    answer.assert_error(404, "NOT_FOUND");
    let answer = api
        .send_json(
            "PATCH",
            &format!("{V}/composite/sobjects/Contact/Id"),
            &by_id,
        )
        .await;
    answer.assert_error(400, "INVALID_TYPE");
}

#[tokio::test]
async fn several_records_are_read() {
    let api = Api::new().await;
    let path = format!("{V}/composite/sobjects/Account");
    let read = api
        .get(&format!(
            "{path}?ids=001DO0000000001,001DO00000zzzzz&fields=Name"
        ))
        .await
        .json();
    assert_eq!(
        (&read[0]["Id"], &read[1]),
        (&json!("001DO0000000001YAA"), &json!(null))
    );
    let body = json!({"ids": ["001DO0000000002", "001DO0000000001"], "fields": ["id", "name"]});
    let posted = api.send_json("POST", &path, &body).await.json();
    assert_eq!(posted[1], read[0]);
    for (query, code) in [
        ("?fields=Name", "MISSING_ARGUMENT"),
        ("?ids=001DO0000000001", "MISSING_ARGUMENT"),
        ("?ids=001DO0000000001&fields=Nmae", "INVALID_FIELD"),
    ] {
        api.get(&format!("{path}{query}"))
            .await
            .assert_error(400, code);
    }
    api.get(&format!("{V}/composite/sobjects/Nothing?ids=x&fields=Id"))
        .await
        .assert_error(404, "NOT_FOUND");
}

#[tokio::test]
async fn a_malformed_collection_is_refused_as_a_whole() {
    let api = Api::new().await;
    let many = vec![account("x"); 201];
    let contact = json!({"attributes": {"type": "Contact"}, "LastName": "x"});
    let chunks: Vec<Json> = (0..11)
        .map(|at| {
            if at % 2 == 0 {
                account("x")
            } else {
                contact.clone()
            }
        })
        .collect();
    for (records, code) in [
        (json!(null), "MISSING_ARGUMENT"),
        (json!(many), "EXCEEDED_ID_LIMIT"),
        (json!(chunks), "LIMIT_EXCEEDED"),
        (json!([account("x"), {"Name": "x"}]), "MISSING_ARGUMENT"),
        (json!([{"attributes": {"type": "Nothing"}}]), "INVALID_TYPE"),
        (
            json!([account("x"), {"attributes": {"type": "Account"}, "Nmae": "x"}]),
            "INVALID_FIELD",
        ),
        (
            json!([account("x"), {"attributes": {"type": "Account"}, "AnnualRevenue": "much"}]),
            "JSON_PARSER_ERROR",
        ),
        (json!(["x"]), "JSON_PARSER_ERROR"),
    ] {
        post(&api, &json!({"records": records}))
            .await
            .assert_error(400, code);
    }
    let path = format!("{V}/composite/sobjects");
    let ids = vec!["001DO0000000001"; 201].join(",");
    api.send("DELETE", &format!("{path}?ids={ids}"), &[], "")
        .await
        .assert_error(400, "EXCEEDED_ID_LIMIT");
    api.send("DELETE", &path, &[], "")
        .await
        .assert_error(400, "MISSING_ARGUMENT");
    api.get(&path).await.assert_error(405, "METHOD_NOT_ALLOWED");
    assert_eq!(
        api.query("SELECT COUNT() FROM Account WHERE Name = 'x'")
            .await
            .json()["totalSize"],
        0
    );
}
