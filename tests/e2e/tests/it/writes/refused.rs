//! What is refused: by the connector before anything is sent, by the org, or because somebody else was faster.

use portcullis::Outcome;
use portcullis::policy::Mode;
use salesforce_devorg::fault::{Fault, Rule, When, Work};
use serde_json::json;

use super::desk::{ACCOUNT, Desk, SALE, held, said, update};
use crate::support::{ended, name, world::AGENT};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_fit_is_refused_before_a_change_and_says_what_would() {
    for mode in [Mode::Allow, Mode::Ask] {
        let desk = Desk::new(mode).await;
        let mut text = String::new();
        for (tool, arguments) in [
            (
                "update_record",
                update("Acount", ACCOUNT, json!({"Name": "x"})),
            ),
            (
                "update_record",
                update("Account", "003DO0000000001", json!({"Name": "x"})),
            ),
            (
                "update_record",
                update("Account", "001DO0000zzzzzz", json!({"Name": "x"})),
            ),
            (
                "update_record",
                update("Account", ACCOUNT, json!({"Nmae": "x"})),
            ),
            (
                "update_record",
                update(
                    "Account",
                    ACCOUNT,
                    json!({"CreatedDate": "2026-01-01T00:00:00Z", "BillingAddress": "x", "Industry": "Bankin", "Site": "s".repeat(81), "NumberOfEmployees": "many", "ParentId": "003DO0000000001", "Name": null}),
                ),
            ),
            (
                "update_record",
                update("Account", ACCOUNT, json!({"ParentId": "001DO0000zzzzzz"})),
            ),
            (
                "update_record",
                update(
                    "Measurement__c",
                    "a00DO0000000001",
                    json!({"Deviation__c": 1, "Taken_At__c": "2026-11-23T09:00:00", "Flags__c": ["Manuel"]}),
                ),
            ),
            (
                "create_record",
                json!({"object": "Opportunity", "fields": {"Name": "x"}}),
            ),
            (
                "create_record",
                json!({"object": "Account", "fields": {"Name": "x"}, "record_type": "Partner"}),
            ),
            (
                "create_record",
                json!({"object": "User", "fields": {"LastName": "x"}, "record_type": "Partner"}),
            ),
        ] {
            let reply = desk.call(tool, arguments).await;
            assert_eq!(desk.changes(&reply).len(), 0);
            let Outcome::Failed(failure) = &reply.outcome else {
                panic!("{reply:?}");
            };
            text.push_str(&format!("{tool}\n{}\n\n", said(failure)));
        }
        insta::assert_snapshot!("misfits", desk.plain(&text));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_org_refuses_comes_with_what_to_do() {
    for mode in [Mode::Allow, Mode::Ask] {
        let desk = Desk::new(mode).await;
        let twin = json!({"object": "Contact", "fields": {"LastName": "Twin", "Email": "twin@mail.example"}});
        desk.text("create_record", twin.clone()).await;
        let mut text = String::new();
        for (tool, arguments) in [
            ("create_record", twin),
            (
                "update_record",
                update(
                    "Opportunity",
                    SALE,
                    json!({"Amount": -1, "CloseDate": "2099-01-01"}),
                ),
            ),
            (
                "create_record",
                json!({"object": "Contact", "fields": {"LastName": "x", "Email": "li..wu@mail.example"}}),
            ),
        ] {
            let failure = desk.failure(tool, arguments).await;
            text.push_str(&format!("{tool}\n{failure}\n\n"));
        }
        let path = Some("/services/data/v68.0/sobjects/*".to_owned());
        let when = When {
            method: Some("PATCH".to_owned()),
            path,
            ..When::default()
        };
        desk.org
            .add_fault(Rule {
                fault: Fault::LockRow,
                when,
                work: None,
            })
            .unwrap();
        let failure = desk
            .failure(
                "update_record",
                update("Account", ACCOUNT, json!({"Site": "x"})),
            )
            .await;
        text.push_str(&format!("update_record of a locked row\n{failure}\n"));
        insta::assert_snapshot!("org_refuses", text);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rights_of_the_user_hold() {
    for mode in [Mode::Allow, Mode::Ask] {
        // Sales: one field is read-only, another hidden.
        let desk = Desk::of("aiko", mode).await;
        let mut text = String::new();
        let fields = json!({"AccountNumber": "1", "AnnualRevenue": 1});
        let failure = desk
            .failure("update_record", update("Account", ACCOUNT, fields))
            .await;
        text.push_str(&format!("aiko: {failure}\n\n"));
        let foreign = desk
            .rows("SELECT Id FROM Account WHERE Owner.Username LIKE 'ben%' LIMIT 1")
            .await;
        let foreign = foreign[0]["Id"].as_str().unwrap();
        let failure = desk
            .failure("delete_record", json!({"object": "Account", "id": foreign}))
            .await;
        text.push_str(&format!("aiko: {}\n\n", failure.replace(foreign, "001…")));
        // A deal that waits for its approval process is locked.
        let deals = "SELECT Id FROM Opportunity WHERE Owner.Username LIKE 'aiko%' AND Amount >= 50000 AND IsClosed = false LIMIT 20";
        let mut locked = None;
        for deal in desk.rows(deals).await {
            let id = deal["Id"].as_str().unwrap().to_owned();
            let request = json!({"actionType": "Submit", "contextId": id});
            let token = desk
                .org
                .users()
                .iter()
                .find(|user| user.username.starts_with("aiko"));
            let token = &token.unwrap().access_token;
            let body = Some(json!({"requests": [request]}));
            let (_, answer) = desk
                .direct_as(token, "POST", "process/approvals", body)
                .await;
            if answer[0]["success"] == true {
                locked = Some(id);
                break;
            }
        }
        let locked = locked.unwrap();
        let failure = desk
            .failure(
                "update_record",
                update("Opportunity", &locked, json!({"NextStep": "x"})),
            )
            .await;
        text.push_str(&format!("aiko: {}\n\n", failure.replace(&locked, "006…")));
        // Who only reads.
        let desk = Desk::of("hedda", mode).await;
        for (tool, arguments) in [
            (
                "update_record",
                update("Account", ACCOUNT, json!({"Site": "x"})),
            ),
            (
                "create_record",
                json!({"object": "Account", "fields": {"Name": "x"}}),
            ),
            ("delete_record", json!({"object": "Account", "id": ACCOUNT})),
        ] {
            let failure = desk.failure(tool, arguments).await;
            text.push_str(&format!("hedda: {failure}\n\n"));
        }
        insta::assert_snapshot!("rights", text);
    }
}

/// One of the requests that are carried together is refused: whom it would have found is not taken for nobody, nor a queue of that name for them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_who_could_not_be_looked_for_is_not_replaced_by_a_queue() {
    let desk = Desk::new(Mode::Allow).await;
    let queue = "SELECT Id, Name, DeveloperName FROM Group WHERE Name = 'Inbound Leads'";
    let queue = desk.rows(queue).await;
    let case = "500DO0000000001YAA";
    let before = desk.record("Case", case).await;
    let results = json!([
        {"statusCode": 403, "result": [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}]},
        {"statusCode": 200, "result": {"totalSize": 1, "done": true, "records": queue}},
        {"statusCode": 200, "result": {"totalSize": 1, "done": true, "records": [before]}},
    ]);
    let fault = Fault::Answer {
        status: 200,
        headers: vec![("Content-Type".to_owned(), "application/json".to_owned())],
        body: json!({"hasErrors": true, "results": results}).to_string(),
    };
    let when = When {
        path: Some("/services/data/v68.0/composite/batch".to_owned()),
        ..When::default()
    };
    let work = None;
    desk.org.add_fault(Rule { fault, when, work }).unwrap();
    let arguments = json!({"object": "Case", "id": case, "owner": "Inbound Leads"});
    let reply = desk.call("assign_owner", arguments).await;
    assert_eq!(ended(&reply), "failed rate_limited", "{:?}", reply.outcome);
    assert_eq!(desk.changes(&reply), [0; 0]);
    assert_eq!(
        desk.record("Case", case).await["OwnerId"],
        before["OwnerId"]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_administrator_hides_costs_no_request() {
    let desk = Desk::new(Mode::Allow).await;
    let permissions = &desk.world.permissions;
    permissions.hide(&name(AGENT), &name("Account.Site"));
    permissions.hide(&name(AGENT), &name("Lead"));
    for (tool, arguments) in [
        (
            "update_record",
            update("Account", ACCOUNT, json!({"sITE": "x"})),
        ),
        (
            "create_record",
            json!({"object": "Account", "fields": {"Name": "x", "Site": "x"}}),
        ),
        (
            "create_record",
            json!({"object": "lead", "fields": {"LastName": "x"}}),
        ),
        (
            "delete_record",
            json!({"object": "LEAD", "id": "00QDO0000000001"}),
        ),
    ] {
        let reply = desk.call(tool, arguments).await;
        assert_eq!(ended(&reply), "failed not_permitted");
        assert!(desk.requests(&reply).is_empty());
    }
    // What would go with a record is held to the same rule: it is read, and stays.
    permissions.hide(&name(AGENT), &name("Contact"));
    let with_contacts = desk
        .rows("SELECT AccountId FROM Contact WHERE AccountId != null LIMIT 1")
        .await;
    let id = with_contacts[0]["AccountId"].clone();
    let reply = desk
        .call("delete_record", json!({"object": "Account", "id": id}))
        .await;
    assert_eq!(ended(&reply), "failed not_permitted");
    assert_eq!(desk.changes(&reply).len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_second_is_told_what_the_first_has_changed() {
    for mode in [Mode::Allow, Mode::Ask] {
        let desk = Desk::new(mode).await;
        let arguments = update(
            "Account",
            ACCOUNT,
            json!({"Site": "mine", "Industry": "Banking"}),
        );
        if mode == Mode::Ask {
            let reply = desk.call("update_record", arguments.clone()).await;
            assert!(desk.world.approvals.approve(held(&reply).id));
        }
        // The connector's read is answered late, with what was there before somebody else's change.
        let when = When {
            path: Some("/services/data/v68.0/query".to_owned()),
            ..When::default()
        };
        let fault = Fault::Latency { ms: 1_500 };
        desk.org
            .add_fault(Rule {
                fault,
                when,
                work: Some(Work::After),
            })
            .unwrap();
        let call = desk.call("update_record", arguments);
        let other = async {
            while desk.org.faults_due() > 0 {
                tokio::task::yield_now().await;
            }
            desk.record("Account", ACCOUNT).await;
            desk.meanwhile("Account", ACCOUNT, json!({"Site": "theirs"}))
                .await;
        };
        let (reply, ()) = tokio::join!(call, other);
        let Outcome::Failed(failure) = &reply.outcome else {
            panic!("{reply:?}");
        };
        insta::assert_snapshot!("conflict", desk.plain(&said(failure)));
        assert_eq!(desk.record("Account", ACCOUNT).await["Site"], "theirs");
    }
}
