//! Actions: mail that ends in the outbox, and quick actions that make records.

use salesforce_devorg::{Limit, Options};
use serde_json::{Value as Json, json};

use crate::client::{Answer, Api, V};

const EMAIL: &str = "/services/data/v68.0/actions/standard/emailSimple";

async fn send(api: &Api, input: Json) -> Answer {
    api.send_json("POST", EMAIL, &json!({"inputs": [input]}))
        .await
}

#[tokio::test]
async fn actions_are_listed_and_described() {
    let api = Api::new().await;
    let actions = api.get(&format!("{V}/actions")).await.json();
    let list = api.get(actions["standard"].as_str().unwrap()).await.json();
    assert_eq!(list["actions"][0]["url"], EMAIL);
    let describe = api.get(EMAIL).await.json();
    assert_eq!(
        (&describe["type"], &describe["standard"]),
        (&json!("EMAILSIMPLE"), &json!(true))
    );
    let required: Vec<&str> = describe["inputs"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|input| input["required"] == true)
        .map(|input| input["name"].as_str().unwrap())
        .collect();
    assert_eq!(required, ["emailSubject", "emailBody"]);
    api.get(&format!("{V}/actions/standard/nothing"))
        .await
        .assert_error(404, "NOT_FOUND");
    api.send("DELETE", EMAIL, &[], "")
        .await
        .assert_error(405, "METHOD_NOT_ALLOWED");
}

#[tokio::test]
async fn mail_is_sent_logged_and_counted() {
    let api = Api::new().await;
    let contact = api.query("SELECT Id, Email, AccountId FROM Contact WHERE Email != NULL AND AccountId != NULL LIMIT 1").await.json();
    let contact = contact["records"][0].clone();
    let answer = send(&api, json!({
        "emailAddresses": "ada@one.example, bob@two.example", "emailSubject": "Hello", "emailBody": "Are you there?",
        "senderType": "CurrentUser", "recipientId": contact["Id"], "relatedRecordId": contact["AccountId"],
        "logEmailOnSend": true, "sendRichBody": false,
    })).await;
    assert_eq!(answer.status, 200);
    let result = &answer.json()[0];
    assert_eq!(
        (
            &result["actionName"],
            &result["errors"],
            &result["isSuccess"],
            &result["outputValues"]
        ),
        (
            &json!("emailSimple"),
            &json!(null),
            &json!(true),
            &json!(null)
        )
    );
    let outbox = api.org.outbox();
    let mail = &outbox[0];
    assert_eq!(mail.sender, "robin.admin@devorg.example");
    assert_eq!(
        mail.to,
        [
            "ada@one.example",
            "bob@two.example",
            contact["Email"].as_str().unwrap()
        ]
    );
    assert_eq!(
        (&*mail.subject, &*mail.body, mail.rich),
        ("Hello", "Are you there?", false)
    );
    let task = api
        .get(&format!("{V}/sobjects/Task/{}", mail.logged_as.unwrap()))
        .await
        .json();
    for (field, value) in [
        ("Subject", json!("Email: Hello")),
        ("TaskSubtype", json!("Email")),
        ("Status", json!("Completed")),
        ("WhoId", contact["Id"].clone()),
        ("WhatId", contact["AccountId"].clone()),
    ] {
        assert_eq!(task[field], value, "{field}");
    }
    let limits = api.get(&format!("{V}/limits")).await.json();
    assert_eq!(limits["SingleEmail"], json!({"Max": 50, "Remaining": 47}));
    // Colleagues are not counted.
    let colleague = json!({"emailAddresses": "aiko.mori@devorg.example", "emailSubject": "x", "emailBody": "y"});
    assert_eq!(send(&api, colleague).await.status, 200);
    let limits = api.get(&format!("{V}/limits")).await.json();
    assert_eq!(limits["SingleEmail"]["Remaining"], 47);
}

#[tokio::test]
async fn mail_that_cannot_be_sent_says_why() {
    let api = Api::with(Options {
        limits: vec![(Limit::SingleEmail, 2)],
        ..Options::default()
    })
    .await;
    let good = json!({"emailAddresses": "a@b.example", "emailSubject": "x", "emailBody": "y"});
    let with = |name: &str, value: Json| {
        let mut input = good.clone();
        input[name] = value;
        input
    };
    let many = vec!["a@b.example"; 151].join(",");
    for (input, code, words) in [
        (
            with("emailAddresses", json!("nobody")),
            "INVALID_EMAIL_ADDRESS",
            "Email address is invalid: nobody",
        ),
        (
            with("ccRecipientAddressList", json!("a@b")),
            "INVALID_EMAIL_ADDRESS",
            "a@b",
        ),
        (
            with("emailAddresses", json!("")),
            "REQUIRED_FIELD_MISSING",
            "emailAddresses",
        ),
        (
            with("emailSubject", json!(null)),
            "REQUIRED_FIELD_MISSING",
            "Missing required input parameter: emailSubject",
        ),
        (
            with("emailBody", json!(" ")),
            "REQUIRED_FIELD_MISSING",
            "emailBody",
        ),
        (
            with("emailBody", json!(7)),
            "INVALID_API_INPUT",
            "emailBody",
        ),
        (
            with("template", json!("x")),
            "INVALID_API_INPUT",
            "template",
        ),
        (
            with("senderType", json!("Anyone")),
            "INVALID_API_INPUT",
            "Anyone",
        ),
        (
            with("senderType", json!("OrgWideEmailAddress")),
            "INVALID_EMAIL_ADDRESS",
            "organization-wide",
        ),
        (
            with("relatedRecordId", json!("x")),
            "INVALID_ID_FIELD",
            "relatedRecordId",
        ),
        (
            with("relatedRecordId", json!("001DO00000zzzzz")),
            "INVALID_CROSS_REFERENCE_KEY",
            "related record",
        ),
        (
            with("recipientId", json!("001DO0000000001")),
            "INVALID_ID_FIELD",
            "email address",
        ),
        (
            with("logEmailOnSend", json!(true)),
            "REQUIRED_FIELD_MISSING",
            "relatedRecordId",
        ),
        (with("emailAddresses", json!(many)), "LIMIT_EXCEEDED", "150"),
        (
            with("emailAddressesArray", json!(["a@b.example", "c@d.example"])),
            "SINGLE_EMAIL_LIMIT_EXCEEDED",
            "Daily limit",
        ),
        (json!([]), "INVALID_API_INPUT", "object"),
    ] {
        let answer = send(&api, input).await;
        let result = &answer.json()[0];
        assert_eq!((answer.status, &result["isSuccess"]), (400, &json!(false)));
        assert_eq!(result["errors"][0]["statusCode"], code);
        let message = result["errors"][0]["message"].as_str().unwrap();
        assert!(message.contains(words), "{message}");
    }
    assert!(api.org.outbox().is_empty());
    // Each input stands alone.
    let both = json!({"inputs": [with("emailAddresses", json!("x")), good]});
    let answer = api.send_json("POST", EMAIL, &both).await;
    assert_eq!(
        (answer.status, &answer.json()[1]["isSuccess"]),
        (400, &json!(true))
    );
    assert_eq!(api.org.outbox().len(), 1);
    api.send_json("POST", EMAIL, &json!({}))
        .await
        .assert_error(400, "INVALID_API_INPUT");
    api.send("POST", EMAIL, &[], "{")
        .await
        .assert_error(400, "JSON_PARSER_ERROR");
}

#[tokio::test]
async fn a_call_is_logged_beside_the_record() {
    let api = Api::new().await;
    let global = api.get(&format!("{V}/quickActions")).await.json();
    assert_eq!(global[0]["name"], "LogACall");
    for (object, id, field) in [
        ("Account", "001DO0000000003YAA", "WhatId"),
        ("Contact", "003DO0000000004YAA", "WhoId"),
        ("Lead", "00QDO00000000022AA", "WhoId"),
    ] {
        let list = api
            .get(&format!("{V}/sobjects/{object}/quickActions"))
            .await
            .json();
        let urls = &list[0]["urls"];
        let describe = api.get(urls["describe"].as_str().unwrap()).await.json();
        assert_eq!(
            (
                &describe["targetSobjectType"],
                &describe["contextSobjectType"]
            ),
            (&json!("Task"), &json!(object))
        );
        assert_eq!(describe["targetParentField"], field);
        assert_eq!(
            describe["layout"]["layoutRows"][0]["layoutItems"][0]["layoutComponents"][0]["details"]
                ["type"],
            "combobox"
        );
        let template = urls["defaultValuesTemplate"]
            .as_str()
            .unwrap()
            .replace("{ID}", id);
        let defaults = api.get(&template).await.json();
        assert_eq!(
            (
                &defaults["Subject"],
                &defaults[field],
                &defaults["ActivityDate"]
            ),
            (&json!("Call"), &json!(id), &json!("2026-11-23"))
        );

        let body = json!({"contextId": id, "record": {"Subject": "Asked for a price", "Description": "Later."}});
        let made = api
            .send_json("POST", urls["quickAction"].as_str().unwrap(), &body)
            .await;
        assert_eq!(
            (
                made.status,
                &made.json()["success"],
                &made.json()["contextId"]
            ),
            (201, &json!(true), &json!(id))
        );
        let task = api
            .get(&format!(
                "{V}/sobjects/Task/{}",
                made.json()["id"].as_str().unwrap()
            ))
            .await
            .json();
        assert_eq!(
            (
                &task[field],
                &task["Subject"],
                &task["Status"],
                &task["TaskSubtype"],
                &task["IsClosed"]
            ),
            (
                &json!(id),
                &json!("Asked for a price"),
                &json!("Completed"),
                &json!("Call"),
                &json!(true)
            )
        );
    }
    let path = format!("{V}/sobjects/Account/quickActions/LogACall");
    for (body, code) in [
        (json!({"contextId": "003DO0000000004"}), "INVALID_ID_FIELD"),
        (json!({"contextId": "001DO00000zzzzz"}), "INVALID_ID_FIELD"),
        (json!({"contextId": 5}), "INVALID_ID_FIELD"),
        (json!({"record": []}), "JSON_PARSER_ERROR"),
        (json!({"record": {"Nothing": 1}}), "INVALID_FIELD"),
    ] {
        api.send_json("POST", &path, &body)
            .await
            .assert_error(400, code);
    }
    for path in [
        "quickActions/Nothing",
        "sobjects/Nothing/quickActions",
        "sobjects/Profile/quickActions/LogACall",
        "quickActions/LogACall/x",
    ] {
        api.get(&format!("{V}/{path}"))
            .await
            .assert_error(404, "NOT_FOUND");
    }
    let about_user = api
        .get(&format!(
            "{V}/quickActions/LogACall/defaultValues/{}",
            api.org.users()[0].id()
        ))
        .await;
    about_user.assert_error(400, "INVALID_CROSS_REFERENCE_KEY");
}
