//! Approvals: submitted, agreed to step by step, rejected, recalled; and what is locked meanwhile.

use serde_json::{Value as Json, json};

use crate::client::{Api, V};

/// Somebody who asks, by first name.
fn become_user(api: &mut Api, name: &str) -> String {
    let mut users = api.org.users().iter();
    let user = users.find(|user| user.username.starts_with(name)).unwrap();
    api.token = user.access_token.clone();
    user.id().to_string()
}

async fn act(api: &Api, request: Json) -> Json {
    let path = format!("{V}/process/approvals");
    let answer = api
        .send_json("POST", &path, &json!({"requests": [request]}))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()[0].clone()
}

async fn rows(api: &Api, soql: &str) -> Vec<Json> {
    api.query(soql).await.json()["records"]
        .as_array()
        .unwrap()
        .clone()
}

/// Finds a deal of Aiko's that can be submitted.
async fn deal(api: &Api) -> String {
    let soql = "SELECT Id FROM Opportunity WHERE Owner.Name = 'Aiko Mori' AND Amount >= 50000 AND IsClosed = false \
                AND Id NOT IN (SELECT TargetObjectId FROM ProcessInstance) LIMIT 1";
    rows(api, soql).await[0]["Id"].as_str().unwrap().to_owned()
}

fn code(result: &Json) -> &str {
    assert_eq!(
        (&result["success"], &result["instanceId"]),
        (&json!(false), &json!(null))
    );
    result["errors"][0]["statusCode"].as_str().unwrap()
}

#[tokio::test]
async fn a_deal_is_agreed_to_by_one_after_another() {
    let mut api = Api::new().await;
    let list = api.get(&format!("{V}/process/approvals")).await.json();
    let process = &list["approvals"]["Opportunity"][0];
    assert_eq!(
        (&process["name"], &process["sortOrder"]),
        (&json!("Large Deal Approval"), &json!(1))
    );
    let (manager, chief) = (
        become_user(&mut api, "victor"),
        become_user(&mut api, "carmen"),
    );
    let aiko = become_user(&mut api, "aiko");
    let deal = deal(&api).await;
    let path = format!("{V}/sobjects/Opportunity/{deal}");
    let submitted = act(
        &api,
        json!({"actionType": "Submit", "contextId": deal, "comments": "Please"}),
    )
    .await;
    assert_eq!(
        (
            &submitted["success"],
            &submitted["instanceStatus"],
            &submitted["entityId"],
            &submitted["actorIds"],
            &submitted["errors"]
        ),
        (
            &json!(true),
            &json!("Pending"),
            &json!(deal),
            &json!([manager]),
            &json!(null)
        )
    );
    let item = submitted["newWorkitemIds"][0].as_str().unwrap().to_owned();
    let again = act(&api, json!({"actionType": "Submit", "contextId": deal})).await;
    assert_eq!(code(&again), "ALREADY_IN_PROCESS");

    // Nobody but an administrator changes it meanwhile.
    for (method, body) in [("PATCH", json!({"NextStep": "x"})), ("DELETE", json!({}))] {
        let answer = api.send_json(method, &path, &body).await;
        assert_eq!(
            answer.assert_error(400, "ENTITY_IS_LOCKED"),
            "the entity is locked for editing"
        );
    }
    become_user(&mut api, "robin");
    assert_eq!(
        api.send_json("PATCH", &path, &json!({"NextStep": "x"}))
            .await
            .status,
        204
    );

    // Who submitted it does not agree to it.
    become_user(&mut api, "aiko");
    let own = act(&api, json!({"actionType": "Approve", "contextId": item})).await;
    assert_eq!(code(&own), "INSUFFICIENT_ACCESS_OR_READONLY");
    become_user(&mut api, "victor");
    let first = act(
        &api,
        json!({"actionType": "Approve", "contextId": item, "comments": "Fine"}),
    )
    .await;
    assert_eq!(
        (&first["instanceStatus"], &first["actorIds"]),
        (&json!("Pending"), &json!([chief]))
    );
    let gone = act(&api, json!({"actionType": "Approve", "contextId": item})).await;
    assert_eq!(code(&gone), "INVALID_CROSS_REFERENCE_KEY");
    become_user(&mut api, "carmen");
    let item = first["newWorkitemIds"][0].clone();
    let last = act(&api, json!({"actionType": "approve", "contextId": item})).await;
    assert_eq!(
        (&last["instanceStatus"], &last["newWorkitemIds"]),
        (&json!("Approved"), &json!([]))
    );

    let soql = format!(
        "SELECT Status, SubmittedById, CompletedDate, ProcessDefinition.DeveloperName, \
         (SELECT StepStatus, ActorId, Comments FROM Steps ORDER BY Id), (SELECT Id FROM Workitems) \
         FROM ProcessInstance WHERE TargetObjectId = '{deal}'"
    );
    let instance = rows(&api, &soql).await[0].clone();
    assert_eq!(
        (
            &instance["Status"],
            &instance["SubmittedById"],
            &instance["Workitems"]
        ),
        (&json!("Approved"), &json!(aiko), &json!(null))
    );
    assert!(instance["CompletedDate"].is_string());
    let steps: Vec<_> = instance["Steps"]["records"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| (&step["StepStatus"], &step["ActorId"], &step["Comments"]))
        .collect();
    assert_eq!(
        steps,
        [
            (&json!("Started"), &json!(aiko), &json!("Please")),
            (&json!("Approved"), &json!(manager), &json!("Fine")),
            (&json!("Approved"), &json!(chief), &json!(null)),
        ]
    );
    become_user(&mut api, "aiko");
    assert_eq!(
        api.send_json("PATCH", &path, &json!({"NextStep": "y"}))
            .await
            .status,
        204
    );
}

#[tokio::test]
async fn a_deal_is_rejected_or_recalled_and_may_be_submitted_again() {
    let mut api = Api::new().await;
    become_user(&mut api, "aiko");
    let deal = deal(&api).await;
    for (who, action, status) in [
        ("victor", "Reject", "Rejected"),
        ("aiko", "Removed", "Removed"),
        ("robin", "Removed", "Removed"),
    ] {
        become_user(&mut api, "aiko");
        let submitted = act(&api, json!({"actionType": "Submit", "contextId": deal, "processDefinitionNameOrId": "Large_Deal_Approval"})).await;
        become_user(&mut api, "dana");
        let item = &submitted["newWorkitemIds"][0];
        let stranger = act(&api, json!({"actionType": action, "contextId": item})).await;
        assert_eq!(code(&stranger), "INVALID_CROSS_REFERENCE_KEY");
        become_user(&mut api, who);
        let ended = act(&api, json!({"actionType": action, "contextId": item})).await;
        assert_eq!(
            (&ended["instanceStatus"], &ended["actorIds"]),
            (&json!(status), &json!([]))
        );
    }
    let ended = rows(
        &api,
        &format!(
            "SELECT Id FROM ProcessInstance WHERE TargetObjectId = '{deal}' AND Status != 'Pending'"
        ),
    )
    .await;
    assert_eq!(ended.len(), 3);
    let pending = api
        .query(
            "SELECT COUNT() FROM ProcessInstanceWorkitem WHERE ProcessInstance.Status = 'Pending'",
        )
        .await;
    assert_eq!(pending.json()["totalSize"], 1, "the sample's own");
}

#[tokio::test]
async fn what_no_process_takes_is_refused() {
    let mut api = Api::new().await;
    let small = rows(
        &api,
        "SELECT Id FROM Opportunity WHERE Amount < 50000 AND IsClosed = false LIMIT 1",
    )
    .await[0]["Id"]
        .clone();
    let odd = rows(
        &api,
        "SELECT Id, Owner.Username FROM Measurement__c WHERE Outlier__c = true LIMIT 1",
    )
    .await[0]
        .clone();
    let (odd, of_odd) = (&odd["Id"], odd["Owner"]["Username"].as_str().unwrap());
    for (request, expected, fields) in [
        (
            json!({"actionType": "Submit", "contextId": small}),
            "NO_APPLICABLE_PROCESS",
            json!([]),
        ),
        // Criteria are skipped only where the process is named.
        (
            json!({"actionType": "Submit", "contextId": small, "skipEntryCriteria": true}),
            "NO_APPLICABLE_PROCESS",
            json!([]),
        ),
        (
            json!({"actionType": "Submit", "contextId": small, "processDefinitionNameOrId": "Outlier_Review", "skipEntryCriteria": "true"}),
            "NO_APPLICABLE_PROCESS",
            json!([]),
        ),
        (
            json!({"actionType": "Submit", "contextId": "001DO0000000001"}),
            "NO_APPLICABLE_PROCESS",
            json!([]),
        ),
        (
            json!({"actionType": "Submit", "contextId": "006DO00000zzzzz"}),
            "INVALID_CROSS_REFERENCE_KEY",
            json!([]),
        ),
        (
            json!({"actionType": "Submit", "contextId": odd}),
            "REQUIRED_FIELD_MISSING",
            json!(["nextApproverIds"]),
        ),
        (
            json!({"actionType": "Submit", "contextId": odd, "nextApproverIds": ["005DO00000zzzzz"]}),
            "INVALID_CROSS_REFERENCE_KEY",
            json!([]),
        ),
        (
            json!({"actionType": "Submit", "contextId": odd, "nextApproverIds": ["x"]}),
            "MALFORMED_ID",
            json!(["nextApproverIds"]),
        ),
        (
            json!({"actionType": "Submit", "contextId": odd, "contextActorId": api.org.users()[0].id().as_str()}),
            "INSUFFICIENT_ACCESS_OR_READONLY",
            json!([]),
        ),
        (
            json!({"actionType": "Submit"}),
            "REQUIRED_FIELD_MISSING",
            json!(["contextId"]),
        ),
        (
            json!({"actionType": "Wave", "contextId": odd}),
            "INVALID_ARGUMENT",
            json!(["actionType"]),
        ),
        (
            json!({"actionType": "Approve", "contextId": odd}),
            "INVALID_CROSS_REFERENCE_KEY",
            json!([]),
        ),
        (
            json!({"actionType": "Submit", "contextId": odd, "comments": "x".repeat(4_001)}),
            "STRING_TOO_LONG",
            json!(["comments"]),
        ),
        (json!(7), "INVALID_ARGUMENT", json!(["actionType"])),
    ] {
        // Carmen sees every sale, and no measurement.
        let sees = if request["contextId"] == *odd {
            become_user(&mut api, "carmen");
            let hidden = act(&api, json!({"actionType": "Submit", "contextId": odd})).await;
            assert_eq!(code(&hidden), "INVALID_CROSS_REFERENCE_KEY");
            of_odd
        } else {
            "carmen"
        };
        become_user(&mut api, sees);
        let result = act(&api, request).await;
        assert_eq!(
            (code(&result), &result["errors"][0]["fields"]),
            (expected, &fields)
        );
    }
    // Carmen has no manager.
    become_user(&mut api, "carmen");
    let skipping = json!({"actionType": "Submit", "contextId": small, "processDefinitionNameOrId": "Large_Deal_Approval", "skipEntryCriteria": "true"});
    assert_eq!(
        code(&act(&api, skipping.clone()).await),
        "MANAGER_NOT_DEFINED"
    );
    let victor = become_user(&mut api, "victor");
    assert_eq!(act(&api, skipping).await["success"], true);
    // One succeeds, whatever becomes of the others.
    become_user(&mut api, of_odd);
    let path = format!("{V}/process/approvals");
    let both = json!({"requests": [{"actionType": "Submit", "contextId": odd}, {"actionType": "Submit", "contextId": odd, "nextApproverIds": [victor]}]});
    let both = api.send_json("POST", &path, &both).await.json();
    assert_eq!(
        (
            &both[0]["success"],
            &both[1]["success"],
            &both[1]["actorIds"]
        ),
        (&json!(false), &json!(true), &json!([victor]))
    );
    api.send_json("POST", &path, &json!({}))
        .await
        .assert_error(400, "INVALID_ARGUMENT");
    api.send("POST", &path, &[], "{")
        .await
        .assert_error(400, "JSON_PARSER_ERROR");
    api.send("DELETE", &path, &[], "")
        .await
        .assert_error(405, "METHOD_NOT_ALLOWED");
}
