//! Records read, made, changed and deleted.

use serde_json::json;

use crate::client::{Api, V};

#[tokio::test]
async fn a_record_is_read_by_either_form_of_its_id() {
    let api = Api::new().await;
    let record = api
        .get(&format!(
            "{V}/sobjects/account/001DO0000000001?fields=name,%20billingaddress"
        ))
        .await
        .json();
    let id = record["Id"].as_str().unwrap();
    assert_eq!(id, "001DO0000000001YAA");
    insta::assert_json_snapshot!(record, @r#"
    {
      "BillingAddress": {
        "city": "Yokohama",
        "country": "Japan",
        "geocodeAccuracy": null,
        "latitude": 35.457,
        "longitude": 139.632,
        "postalCode": "220-0012",
        "state": "Kanagawa",
        "street": "20 Harbour Road"
      },
      "Id": "001DO0000000001YAA",
      "Name": "Alder & Finch Instruments",
      "attributes": {
        "type": "Account",
        "url": "/services/data/v68.0/sobjects/Account/001DO0000000001YAA"
      }
    }
    "#);
    let whole = api.get(&format!("{V}/sobjects/Account/{id}")).await.json();
    assert_eq!(whole["Name"], record["Name"]);
    assert_eq!(whole["CreatedDate"].as_str().unwrap().len(), 28);

    let answer = api
        .get(&format!("{V}/sobjects/Account/{id}?fields=Name,Nmae"))
        .await;
    let message = answer.assert_error(400, "INVALID_FIELD");
    assert_eq!(message, "No such column 'Nmae' on sobject of type Account");
}

#[tokio::test]
async fn a_record_lives_and_dies() {
    let api = Api::new().await;
    let account = format!("{V}/sobjects/Account");
    let body = json!({"attributes": {"type": "Account"}, "Name": "Łódź Works", "Industry": "Energy", "AnnualRevenue": 5});
    let made = api.send_json("POST", &account, &body).await;
    assert_eq!(made.status, 201);
    let id = made.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(
        made.json(),
        json!({"id": id, "success": true, "errors": []})
    );
    let own = format!("{account}/{id}");
    assert_eq!(made.header("location"), own);

    let changed = api
        .send_json(
            "PATCH",
            &own,
            &json!({"Industry": null, "NumberOfEmployees": 7}),
        )
        .await;
    assert_eq!((changed.status, &*changed.text), (204, ""));
    let record = api.get(&own).await.json();
    assert_eq!(
        (
            &record["Name"],
            &record["Industry"],
            &record["NumberOfEmployees"]
        ),
        (&json!("Łódź Works"), &json!(null), &json!(7))
    );
    assert_eq!(record["CreatedDate"], "2026-11-23T12:00:01.000+0000");
    assert_eq!(record["LastModifiedDate"], "2026-11-23T12:00:02.000+0000");
    assert_eq!(record["CreatedById"], api.org.users()[0].id().as_str());

    let posted = format!("{own}?_HttpMethod=PATCH");
    assert_eq!(
        api.send_json("POST", &posted, &json!({"Name": "Łódź"}))
            .await
            .status,
        204
    );
    assert_eq!(api.get(&own).await.json()["Name"], "Łódź");

    assert_eq!(api.send("DELETE", &own, &[], "").await.status, 204);
    for method in ["GET", "PATCH", "DELETE"] {
        let gone = api.send_json(method, &own, &json!({"Name": "x"})).await;
        assert_eq!(
            gone.assert_error(404, "ENTITY_IS_DELETED"),
            "entity is deleted"
        );
    }
}

#[tokio::test]
async fn an_external_id_finds_makes_and_changes() {
    let api = Api::new().await;
    let by_key = |key: &str| format!("{V}/sobjects/Measurement__c/External_Key__c/{key}");
    let first = api.get(&by_key("S-001%2F0000")).await.json();
    assert_eq!(
        (&first["Sensor__c"], &first["Name"]),
        (&json!("S-001"), &json!("M-00001"))
    );

    let body = json!({"Sensor__c": "S-900", "Taken_At__c": "2026-11-23T10:00:00Z", "Value__c": "1.5", "Expected__c": 1});
    let made = api.send_json("PATCH", &by_key("new"), &body).await;
    assert_eq!((made.status, &made.json()["created"]), (201, &json!(true)));
    let again = api
        .send_json("PATCH", &by_key("NEW"), &json!({"Value__c": 2.25}))
        .await;
    assert_eq!(
        (again.status, &again.json()["created"]),
        (200, &json!(false))
    );
    assert_eq!(again.json()["id"], made.json()["id"]);
    let record = api.get(&by_key("new")).await.json();
    assert_eq!(
        (&record["Deviation__c"], &record["External_Key__c"]),
        (&json!(1.25), &json!("new"))
    );

    let only = format!("{}?updateOnly=true", by_key("other"));
    api.send_json("PATCH", &only, &body)
        .await
        .assert_error(404, "NOT_FOUND");
    assert_eq!(
        api.send("DELETE", &by_key("new"), &[], "").await.status,
        204
    );
    api.get(&by_key("new")).await.assert_error(404, "NOT_FOUND");
}

#[tokio::test]
async fn several_records_of_one_key_are_a_choice() {
    let api = Api::new().await;
    let lead = json!({"LastName": "Twin", "Company": "Twins", "Email": "twin@mail.example"});
    let mut urls = Vec::new();
    let headers = [
        ("content-type", "application/json"),
        ("Sforce-Duplicate-Rule-Header", "allowSave=true"),
    ];
    for _ in 0..2 {
        let path = format!("{V}/sobjects/Lead");
        let made = api.send("POST", &path, &headers, lead.to_string()).await;
        urls.push(made.header("location").to_owned());
    }
    let path = format!("{V}/sobjects/Lead/Email/twin@mail.example");
    for method in ["GET", "PATCH", "DELETE"] {
        let several = api.send_json(method, &path, &json!({"Title": "x"})).await;
        assert_eq!((several.status, several.json()), (300, json!(urls)));
    }
}

#[tokio::test]
async fn a_body_must_be_a_json_object() {
    let api = Api::new().await;
    let path = format!("{V}/sobjects/Account");
    let headers = [("content-type", "application/json; charset=UTF-8")];
    for body in ["", "{", "[]", "\"x\"", "{\"Name\": }"] {
        let answer = api.send("POST", &path, &headers, body).await;
        let message = answer.assert_error(400, "JSON_PARSER_ERROR");
        assert!(message.contains("[line:1, column:"), "{message}");
    }
    let answer = api.post_form(&path, &[("Name", "x")]).await;
    answer.assert_error(415, "UNSUPPORTED_MEDIA_TYPE");
}

#[tokio::test]
async fn a_refused_field_is_named() {
    let api = Api::new().await;
    let answer = api
        .send_json(
            "POST",
            &format!("{V}/sobjects/Opportunity"),
            &json!({"Name": "x"}),
        )
        .await;
    answer.assert_error(400, "REQUIRED_FIELD_MISSING");
    assert_eq!(
        answer.json()[0]["fields"],
        json!(["StageName", "CloseDate"])
    );
    let path = format!("{V}/sobjects/Account/003DO0000000001");
    let answer = api.send_json("PATCH", &path, &json!({"Name": "x"})).await;
    let message = answer.assert_error(400, "MALFORMED_ID");
    assert_eq!(
        message,
        "Account ID: id value of incorrect type: 003DO0000000001"
    );
}

#[tokio::test]
async fn members_of_a_campaign_are_counted_and_there_once() {
    let api = Api::new().await;
    let members = format!("{V}/sobjects/CampaignMember");
    let campaign = "701DO0000000001YAA";
    let counts = async || {
        let path = format!("{V}/sobjects/Campaign/{campaign}");
        let record = api.get(&path).await.json();
        let names = ["NumberOfLeads", "NumberOfContacts", "NumberOfResponses"];
        names.map(|name| record[name].as_i64().unwrap())
    };
    assert_eq!(counts().await, [0, 0, 0]);
    let lead = json!({"CampaignId": campaign, "LeadId": "00QDO0000000001"});
    let made = api.send_json("POST", &members, &lead).await;
    assert_eq!(made.status, 201, "{made:?}");
    let member = format!("{members}/{}", made.json()["id"].as_str().unwrap());
    let read = api.get(&member).await.json();
    assert_eq!(
        (&read["Status"], &read["HasResponded"]),
        (&json!("Sent"), &json!(false))
    );
    let contact =
        json!({"CampaignId": campaign, "ContactId": "003DO0000000001", "Status": "Responded"});
    assert_eq!(api.send_json("POST", &members, &contact).await.status, 201);
    assert_eq!(counts().await, [1, 1, 1]);
    let answer = api.send_json("POST", &members, &lead).await;
    assert_eq!(
        answer.assert_error(400, "DUPLICATE_VALUE"),
        "Already a campaign member."
    );
    for nobody in [
        json!({"CampaignId": campaign}),
        json!({"CampaignId": campaign, "LeadId": "00QDO0000000002", "ContactId": "003DO0000000002"}),
    ] {
        let answer = api.send_json("POST", &members, &nobody).await;
        answer.assert_error(400, "FIELD_INTEGRITY_EXCEPTION");
    }
    let status = json!({"Status": "Responded"});
    assert_eq!(api.send_json("PATCH", &member, &status).await.status, 204);
    let read = api.get(&member).await.json();
    assert_eq!(read["FirstRespondedDate"], "2026-11-23");
    assert_eq!(counts().await, [1, 1, 2]);
    assert_eq!(api.send("DELETE", &member, &[], "").await.status, 204);
    assert_eq!(counts().await, [0, 1, 1]);
}

#[tokio::test]
async fn comments_belong_to_their_case() {
    let api = Api::new().await;
    let comments = format!("{V}/sobjects/CaseComment");
    let case = "500DO0000000001YAA";
    let body = json!({"ParentId": case, "CommentBody": "Called back", "IsPublished": true});
    let made = api.send_json("POST", &comments, &body).await;
    assert_eq!(made.status, 201, "{made:?}");
    let id = made.json()["id"].as_str().unwrap().to_owned();
    assert!(id.starts_with("00a"), "{id}");
    let found = api
        .query(&format!(
            "SELECT CommentBody, IsPublished, Parent.CaseNumber FROM CaseComment WHERE ParentId = '{case}'"
        ))
        .await
        .json();
    assert_eq!(found["records"][0]["CommentBody"], "Called back");
    assert!(found["records"][0]["Parent"]["CaseNumber"].is_string());
    let nowhere = json!({"CommentBody": "x"});
    let answer = api.send_json("POST", &comments, &nowhere).await;
    answer.assert_error(400, "REQUIRED_FIELD_MISSING");
    let deleted = api
        .send("DELETE", &format!("{V}/sobjects/Case/{case}"), &[], "")
        .await;
    assert_eq!(deleted.status, 204);
    api.get(&format!("{comments}/{id}"))
        .await
        .assert_error(404, "ENTITY_IS_DELETED");
}
