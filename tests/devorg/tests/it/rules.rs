//! What the org's administrator set up: rules, a trigger, duplicate rules; and who owns what.

use serde_json::{Value as Json, json};

use crate::client::{Answer, Api, V};

async fn create(api: &Api, object: &str, body: Json) -> Answer {
    api.send_json("POST", &format!("{V}/sobjects/{object}"), &body)
        .await
}

#[tokio::test]
async fn every_rule_that_fires_is_an_error_of_its_own() {
    let api = Api::new().await;
    let sale =
        json!({"Name": "x", "StageName": "Prospecting", "CloseDate": "2099-01-01", "Amount": -1});
    let answer = create(&api, "Opportunity", sale).await;
    assert_eq!(answer.status, 400);
    insta::assert_json_snapshot!(answer.json(), @r#"
    [
      {
        "errorCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION",
        "fields": [
          "Amount"
        ],
        "message": "The amount of an opportunity must not be negative."
      },
      {
        "errorCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION",
        "fields": [
          "CloseDate"
        ],
        "message": "The close date must be within ten years from today."
      }
    ]
    "#);
    let path = format!("{V}/sobjects/Opportunity/006DO0000000001");
    let answer = api
        .send_json("PATCH", &path, &json!({"Amount": -0.01}))
        .await;
    answer.assert_error(400, "FIELD_CUSTOM_VALIDATION_EXCEPTION");
    assert_eq!(
        api.send_json("PATCH", &path, &json!({"Amount": 0}))
            .await
            .status,
        204
    );
    let campaign = json!({"Name": "x", "StartDate": "2026-11-02", "EndDate": "2026-11-01"});
    let answer = create(&api, "Campaign", campaign).await;
    assert!(answer.json()[0].get("fields").is_none());
    answer.assert_error(400, "FIELD_CUSTOM_VALIDATION_EXCEPTION");

    // So is every value that the schema refuses.
    let answer = create(
        &api,
        "Contact",
        json!({"LastName": "x", "Email": "x", "Title": "t".repeat(129)}),
    )
    .await;
    let errors = answer.json();
    let codes: Vec<&Json> = errors
        .as_array()
        .unwrap()
        .iter()
        .map(|error| &error["errorCode"])
        .collect();
    assert_eq!(codes, ["INVALID_EMAIL_ADDRESS", "STRING_TOO_LONG"]);
}

#[tokio::test]
async fn a_trigger_changes_what_is_saved() {
    let api = Api::new().await;
    let made = create(
        &api,
        "Account",
        json!({"Name": "x", "Phone": "+1 415.555.0100", "Fax": "+49 30 123"}),
    )
    .await;
    let path = made.header("location").to_owned();
    let stored = api.get(&path).await.json();
    assert_eq!(
        (&stored["Phone"], &stored["Fax"]),
        (&json!("(415) 555-0100"), &json!("+49 30 123"))
    );
    assert_eq!(
        api.send_json("PATCH", &path, &json!({"Fax": "4155550101"}))
            .await
            .status,
        204
    );
    assert_eq!(api.get(&path).await.json()["Fax"], "(415) 555-0101");
}

#[tokio::test]
async fn duplicates_are_detected_and_allowed_on_request() {
    let api = Api::new().await;
    let contact = json!({"LastName": "Twin", "Email": "twin@mail.example"});
    let first = create(&api, "Contact", contact.clone()).await.json()["id"].clone();
    let lead = json!({"LastName": "TWIN", "Email": "Twin@Mail.example", "Company": "x"});
    let answer = create(&api, "Lead", lead.clone()).await;
    assert_eq!(answer.status, 400);
    let id = first.as_str().unwrap();
    assert_eq!(
        answer.json(),
        json!([{
            "errorCode": "DUPLICATES_DETECTED",
            "message": "Use one of these records?",
            "duplicateResult": {
                "allowSave": true,
                "duplicateRule": "Standard_Lead_Duplicate_Rule",
                "duplicateRuleEntityType": "Lead",
                "errorMessage": "Use one of these records?",
                "matchResults": [{
                    "entityType": "Contact",
                    "errors": [],
                    "matchEngine": "ExactMatchEngine",
                    "matchRecords": [{
                        "additionalInformation": [],
                        "fieldDiffs": [],
                        "matchConfidence": 100.0,
                        "record": {
                            "attributes": {"type": "Contact", "url": format!("{V}/sobjects/Contact/{id}")},
                            "Id": id,
                        },
                    }],
                    "rule": "Standard_Contact_Match_Rule_v1_1",
                    "size": 1,
                    "success": true,
                }],
            },
        }])
    );
    let send = |header: &'static str, body: Json| {
        let headers = [
            ("content-type", "application/json"),
            ("Sforce-Duplicate-Rule-Header", header),
        ];
        let (api, path) = (&api, format!("{V}/sobjects/Lead"));
        async move { api.send("POST", &path, &headers, body.to_string()).await }
    };
    let detailed = send("allowSave=false; includeRecordDetails=true", lead.clone())
        .await
        .json();
    let found = &detailed[0]["duplicateResult"]["matchResults"][0]["matchRecords"][0];
    assert_eq!(
        (&found["record"]["Id"], &found["record"]["LastName"]),
        (&first, &json!("Twin"))
    );
    assert_eq!(
        found["fieldDiffs"][0],
        json!({"difference": "SAME", "name": "LastName"})
    );
    let saved = send("AllowSave = TRUE", lead.clone()).await;
    assert_eq!(saved.status, 201);

    // A change is held against a rule where it changes what the rule compares.
    let path = saved.header("location").to_owned();
    assert_eq!(
        api.send_json("PATCH", &path, &json!({"Title": "x"}))
            .await
            .status,
        204
    );
    assert_eq!(
        api.send_json("PATCH", &path, &json!({"LastName": "Other"}))
            .await
            .status,
        204
    );
    let back = api
        .send_json("PATCH", &path, &json!({"LastName": "Twin"}))
        .await;
    back.assert_error(400, "DUPLICATES_DETECTED");

    let predupe = format!("{V}/ui-api/predupe");
    let body =
        json!({"apiName": "Lead", "fields": {"LastName": "Twin", "Email": "twin@mail.example"}});
    let found = api.send_json("POST", &predupe, &body).await.json();
    assert_eq!(
        found["duplicateRules"],
        json!(["Standard_Lead_Duplicate_Rule"])
    );
    assert_eq!(
        (
            &found["duplicateError"],
            &found["matches"][0]["matchRecordIds"]
        ),
        (&json!(true), &json!([first]))
    );
    let none = json!({"apiName": "Lead", "fields": {"LastName": "Twin"}});
    assert_eq!(
        api.send_json("POST", &predupe, &none).await.json()["duplicateError"],
        false
    );
    let unknown = json!({"apiName": "Lead", "fields": {"Nmae": "Twin"}});
    api.send_json("POST", &predupe, &unknown)
        .await
        .assert_error(400, "INVALID_FIELD");
    api.send_json("POST", &predupe, &json!({"apiName": "Nothing"}))
        .await
        .assert_error(404, "NOT_FOUND");
}

#[tokio::test]
async fn owners_are_active_users_and_queues() {
    let api = Api::new().await;
    let group = api
        .query("SELECT Id FROM Group WHERE Type = 'Queue' LIMIT 1")
        .await
        .json();
    let queue = group["records"][0]["Id"].clone();
    let lead = json!({"LastName": "x", "Company": "x", "OwnerId": queue});
    let made = create(&api, "Lead", lead).await;
    assert_eq!(
        api.get(made.header("location")).await.json()["OwnerId"],
        queue
    );
    create(&api, "Account", json!({"Name": "x", "OwnerId": queue}))
        .await
        .assert_error(400, "MALFORMED_ID");

    let user = api.org.users().last().unwrap().id();
    let path = format!("{V}/sobjects/User/{user}");
    assert_eq!(
        api.send_json("PATCH", &path, &json!({"IsActive": false}))
            .await
            .status,
        204
    );
    let answer = create(
        &api,
        "Account",
        json!({"Name": "x", "OwnerId": user.as_str()}),
    )
    .await;
    let message = answer.assert_error(400, "INACTIVE_OWNER_OR_USER");
    assert_eq!(
        message,
        format!(
            "operation performed with inactive user [{}] as owner of account",
            user.short()
        )
    );
    let answer = api.send("DELETE", &path, &[], "").await;
    answer.assert_error(400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY");
}

#[tokio::test]
async fn references_are_checked() {
    let api = Api::new().await;
    let one = "001DO0000000001YAA";
    let two = create(&api, "Account", json!({"Name": "x", "ParentId": one}))
        .await
        .json()["id"]
        .clone();
    let own = format!("{V}/sobjects/Account/{one}");
    for parent in [json!(one), two] {
        let message = api
            .send_json("PATCH", &own, &json!({"ParentId": parent}))
            .await
            .assert_error(400, "CIRCULAR_DEPENDENCY");
        assert_eq!(message, "attempt to violate hierarchy constraints");
    }
    let types = api
        .query("SELECT Id FROM RecordType WHERE SobjectType = 'Account' ORDER BY Id")
        .await
        .json();
    let second = types["records"][1]["Id"].clone();
    assert_eq!(
        api.send_json("PATCH", &own, &json!({"RecordTypeId": second}))
            .await
            .status,
        204
    );
    let other = json!({"RecordTypeId": "012DO00000zzzzz"});
    api.send_json("PATCH", &own, &other)
        .await
        .assert_error(400, "INVALID_CROSS_REFERENCE_KEY");

    let lead = create(
        &api,
        "Lead",
        json!({"LastName": "x", "Company": "x", "Email": "key@mail.example"}),
    )
    .await
    .json();
    for (who, code) in [
        (
            json!({"attributes": {"type": "Lead"}, "Email": "key@mail.example"}),
            "",
        ),
        (
            json!({"attributes": {"type": "Lead"}, "Email": "none@mail.example"}),
            "INVALID_FIELD",
        ),
        (json!({"Nmae": "x"}), "INVALID_FIELD"),
        (json!({}), "INVALID_FIELD"),
    ] {
        let made = create(&api, "Task", json!({"Subject": "x", "Who": who})).await;
        if code.is_empty() {
            assert_eq!(
                api.get(made.header("location")).await.json()["WhoId"],
                lead["id"]
            );
        } else {
            made.assert_error(400, code);
        }
    }
}
