//! The older Bulk API, as clients that speak JSON use it.

use salesforce_devorg::{Limit, Options};
use serde_json::{Value as Json, json};

use crate::client::{Answer, Api};

const JOB: &str = "/services/async/59.0/job";

impl Api {
    /// Asks the older API, with its own header alone.
    pub(crate) async fn classic(&self, method: &str, path: &str, body: &str) -> Answer {
        let token = self.org.users()[0].access_token.clone();
        let headers = [
            ("x-sfdc-session", &*token),
            ("content-type", "application/json"),
        ];
        self.send(method, path, &headers, body.to_owned()).await
    }

    /// Makes a job, sends one batch, closes the job, and gives the batch's path and the batch.
    pub(crate) async fn batch(&self, job: Json, data: &str) -> (String, Json) {
        let made = self.classic("POST", JOB, &job.to_string()).await;
        assert_eq!(made.status, 201, "{made:?}");
        let path = format!("{JOB}/{}", made.json()["id"].as_str().unwrap());
        let sent = self.classic("POST", &format!("{path}/batch"), data).await;
        assert_eq!(sent.status, 201, "{sent:?}");
        let closed = self.classic("POST", &path, "{\"state\": \"Closed\"}").await;
        assert_eq!(closed.json()["state"], "Closed");
        let batch = format!("{path}/batch/{}", sent.json()["id"].as_str().unwrap());
        let info = self.classic("GET", &batch, "").await.json();
        (batch, info)
    }

    async fn results(&self, job: Json, rows: Json) -> Json {
        let (path, info) = self.batch(job, &rows.to_string()).await;
        assert_eq!(info["state"], "Completed", "{info}");
        let results = self
            .classic("GET", &format!("{path}/result"), "")
            .await
            .json();
        assert_eq!(
            info["numberRecordsProcessed"],
            results.as_array().unwrap().len()
        );
        results
    }
}

async fn api() -> Api {
    let mut api = Api::new().await;
    api.token.clear();
    api
}

fn job(operation: &str) -> Json {
    json!({"operation": operation, "object": "account", "contentType": "JSON", "concurrencyMode": "Parallel"})
}

#[tokio::test]
async fn rows_are_written_and_read() {
    let api = api().await;
    let owner = &api.org.users()[2];
    let rows = json!([
        {"attributes": {"type": "Account"}, "Name": "Classic", "NumberOfEmployees": 4, "Owner": {"Username": owner.username}},
        {"Industry": "Energy"},
        {"Name": "x", "Owner": {"Username": "nobody"}},
        {"Name": "x", "Nothing": {"Username": "nobody"}},
        {"Name": "x", "Nothing": "y"},
    ]);
    let results = api.results(job("insert"), rows).await;
    let id = results[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(
        results[0],
        json!({"success": true, "created": true, "id": id, "errors": []})
    );
    let errors: Vec<(&str, &str)> = (1..5)
        .map(|at| {
            let error = &results[at]["errors"][0];
            assert_eq!(
                (&results[at]["success"], &results[at]["id"]),
                (&json!(false), &json!(null))
            );
            (
                error["statusCode"].as_str().unwrap(),
                error["message"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        errors,
        [
            (
                "REQUIRED_FIELD_MISSING",
                "Required fields are missing: [Name]"
            ),
            (
                "INVALID_FIELD",
                "Foreign key external ID: nobody not found for field Username in entity User"
            ),
            (
                "INVALID_FIELD",
                "No such column 'Nothing' on sobject of type Account"
            ),
            (
                "INVALID_FIELD",
                "No such column 'Nothing' on sobject of type Account"
            ),
        ]
    );

    let changed = api
        .results(
            job("update"),
            json!([{"Id": id, "Industry": null}, {"Name": "x"}]),
        )
        .await;
    assert_eq!(
        (
            &changed[0]["success"],
            &changed[1]["errors"][0]["statusCode"]
        ),
        (&json!(true), &json!("MISSING_ARGUMENT"))
    );

    let soql =
        format!("SELECT Id, OwnerId, Owner.Name, CreatedDate FROM Account WHERE Id = '{id}'");
    let (path, info) = api.batch(job("query"), &soql).await;
    assert_eq!(
        (&info["state"], &info["numberRecordsProcessed"]),
        (&json!("Completed"), &json!(1))
    );
    let list = api
        .classic("GET", &format!("{path}/result"), "")
        .await
        .json();
    let found = api
        .classic(
            "GET",
            &format!("{path}/result/{}", list[0].as_str().unwrap()),
            "",
        )
        .await
        .json();
    assert_eq!(
        (&found[0]["OwnerId"], &found[0]["attributes"]["type"]),
        (&json!(owner.id().as_str()), &json!("Account"))
    );
    assert_eq!(found[0]["CreatedDate"], 1_795_435_201_000_i64);
    assert_eq!(
        found[0]["attributes"]["url"],
        format!("/services/data/v59.0/sobjects/Account/{id}")
    );
    let gone = api
        .classic("GET", &format!("{path}/result/752DO0000000999"), "")
        .await;
    assert_eq!(
        (gone.status, &gone.json()["exceptionCode"]),
        (400, &json!("InvalidBatch"))
    );

    let mut upsert = job("upsert");
    upsert["object"] = json!("Measurement__c");
    upsert["externalIdFieldName"] = json!("External_Key__c");
    let rows = json!([{"external_key__c": "S-001/0000", "Value__c": 3}, {"External_Key__c": "classic", "Sensor__c": "S", "Taken_At__c": "2026-11-23T00:00:00Z"}, {}]);
    let results = api.results(upsert, rows).await;
    let ended = |at: usize| {
        (
            results[at]["success"].as_bool().unwrap(),
            results[at]["created"].as_bool().unwrap(),
        )
    };
    assert_eq!(
        [ended(0), ended(1), ended(2)],
        [(true, false), (true, true), (false, false)]
    );

    let deleted = api
        .results(job("hardDelete"), json!([{"Id": id}, {"Id": "x"}]))
        .await;
    assert_eq!(
        (
            &deleted[0]["success"],
            &deleted[1]["errors"][0]["statusCode"]
        ),
        (&json!(true), &json!("MALFORMED_ID"))
    );
}

#[tokio::test]
async fn what_the_older_api_refuses_has_its_shape() {
    let api = api().await;
    let refused = |answer: Answer, code: &str| {
        assert_eq!(
            (answer.status, &answer.json()["exceptionCode"]),
            (400, &json!(code)),
            "{answer:?}"
        );
    };
    refused(api.get(JOB).await, "InvalidSessionId");
    for (job, code) in [
        (json!({"object": "Account"}), "InvalidJob"),
        (
            json!({"object": "Account", "operation": "merge"}),
            "InvalidJob",
        ),
        (
            json!({"object": "Nothing", "operation": "insert"}),
            "InvalidEntity",
        ),
        (
            json!({"object": "Account", "operation": "upsert"}),
            "InvalidJob",
        ),
        (
            json!({"object": "Account", "operation": "insert", "contentType": "XML"}),
            "InvalidJob",
        ),
    ] {
        refused(api.classic("POST", JOB, &job.to_string()).await, code);
    }
    let xml = "<?xml version=\"1.0\"?><jobInfo><object>Account</object></jobInfo>";
    let answer = api.classic("POST", JOB, xml).await;
    assert!(answer.text.contains("this org is JSON"), "{answer:?}");
    refused(answer, "InvalidJob");
    for (path, code) in [
        ("/services/async/1.0/job", "InvalidUrl"),
        ("/services/async/59.0/jobs", "InvalidUrl"),
        ("/services/async/59.0/job/750DO0000000999", "InvalidJob"),
    ] {
        refused(api.classic("GET", path, "").await, code);
    }
    assert_eq!(api.classic("DELETE", JOB, "").await.status, 405);

    let (path, _) = api.batch(job("insert"), "[]").await;
    let (own, batches) = (
        path.get(..path.len() - 25).unwrap(),
        path.get(..path.len() - 19).unwrap(),
    );
    assert_eq!(
        api.classic("GET", batches, "").await.json()["batchInfo"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(
        api.classic("GET", own, "").await.json()["numberBatchesTotal"],
        1
    );
    refused(api.classic("POST", batches, "[]").await, "InvalidJobState");
    refused(
        api.classic("POST", own, "{\"state\": \"Aborted\"}").await,
        "InvalidJobState",
    );
    refused(
        api.classic("POST", own, "{\"state\": \"Broken\"}").await,
        "InvalidJob",
    );

    let open = api
        .classic("POST", JOB, &job("insert").to_string())
        .await
        .json();
    let batches = format!("{JOB}/{}/batch", open["id"].as_str().unwrap());
    for data in ["", "{}", "[1]", &format!("[{}{{}}]", "{},".repeat(10_000))] {
        refused(api.classic("POST", &batches, data).await, "InvalidBatch");
    }
    let (path, info) = api.batch(job("query"), "SELECT COUNT() FROM Account").await;
    assert_eq!(info["state"], "Failed");
    let words = info["stateMessage"].as_str().unwrap();
    assert!(
        words.starts_with("InvalidBatch : Failed to process query: API_ERROR"),
        "{words}"
    );
    refused(
        api.classic("GET", &format!("{path}/result"), "").await,
        "InvalidBatch",
    );

    let limits = vec![(Limit::DailyBulkApiBatches, 0)];
    let api = Api::with(Options {
        limits,
        ..Options::default()
    })
    .await;
    let open = api
        .classic("POST", JOB, &job("query").to_string())
        .await
        .json();
    let batches = format!("{JOB}/{}/batch", open["id"].as_str().unwrap());
    refused(
        api.classic("POST", &batches, "SELECT Id FROM Account")
            .await,
        "ExceededQuota",
    );
}
