//! Jobs that read: their results in pages, and what they refuse.

use std::collections::BTreeSet;

use salesforce_devorg::{Limit, Options};
use serde_json::{Value as Json, json};

use crate::client::{Answer, Api, V};

const JOBS: &str = "/services/data/v68.0/jobs/query";

impl Api {
    pub(crate) async fn make_query(&self, operation: &str, soql: &str) -> Answer {
        let job = json!({"operation": operation, "query": soql, "contentType": "CSV"});
        self.send_json("POST", JOBS, &job).await
    }

    /// Runs a query to its end, and gives the job's path and the job.
    pub(crate) async fn run_query(&self, job: Json) -> (String, Json) {
        let made = self.send_json("POST", JOBS, &job).await;
        assert_eq!(made.status, 200, "{made:?}");
        let path = format!("{JOBS}/{}", made.json()["id"].as_str().unwrap());
        let job = self.ended(&path).await;
        (path, job)
    }
}

#[tokio::test]
async fn rows_come_as_csv() {
    let api = Api::new().await;
    let soql = "SELECT Id, Name, Amount, IsWon, CloseDate, CreatedDate, Account.Name, Account.Owner.Alias, Campaign.Name FROM opportunity ORDER BY Id LIMIT 2";
    let made = api.make_query("query", soql).await;
    insta::assert_json_snapshot!(made.json(), @r#"
    {
      "apiVersion": 68.0,
      "columnDelimiter": "COMMA",
      "concurrencyMode": "Parallel",
      "contentType": "CSV",
      "createdById": "005DO0000000001YAA",
      "createdDate": "2026-11-23T12:00:00.000+0000",
      "id": "750DO0000000001YAA",
      "lineEnding": "LF",
      "object": "Opportunity",
      "operation": "query",
      "state": "UploadComplete",
      "systemModstamp": "2026-11-23T12:00:00.000+0000"
    }
    "#);
    let path = format!("{JOBS}/{}", made.json()["id"].as_str().unwrap());
    let job = api.ended(&path).await;
    assert_eq!(
        (
            &job["state"],
            &job["numberRecordsProcessed"],
            &job["jobType"],
            &job["retries"]
        ),
        (
            &json!("JobComplete"),
            &json!(2),
            &json!("V2Query"),
            &json!(0)
        )
    );
    let results = api.get(&format!("{path}/results")).await;
    assert_eq!(results.header("content-type"), "text/csv");
    assert_eq!(
        (
            results.header("sforce-locator"),
            results.header("sforce-numberofrecords")
        ),
        ("null", "2")
    );
    let mut reader = csv::Reader::from_reader(results.text.as_bytes());
    assert_eq!(
        reader.headers().unwrap(),
        [
            "Id",
            "Name",
            "Amount",
            "IsWon",
            "CloseDate",
            "CreatedDate",
            "Account.Name",
            "Account.Owner.Alias",
            "Campaign.Name"
        ]
        .as_slice()
    );
    let same = api.query(soql).await.json();
    for (row, record) in reader.records().zip(same["records"].as_array().unwrap()) {
        let row = row.unwrap();
        let text = |value: &Json| match value {
            Json::Null => String::new(),
            Json::String(text) => text.replace("+0000", "Z"),
            other => other.to_string(),
        };
        let expected = [
            &record["Id"],
            &record["Name"],
            &record["Amount"],
            &record["IsWon"],
            &record["CloseDate"],
            &record["CreatedDate"],
            &record["Account"]["Name"],
            &record["Account"]["Owner"]["Alias"],
            &record["Campaign"]["Name"],
        ];
        assert_eq!(row.iter().collect::<Vec<_>>(), expected.map(text));
        assert!(row[5].ends_with(".000Z"));
    }
    assert!(results.text.starts_with("\"Id\",\"Name\"") && !results.text.contains('\r'));

    let other = json!({"operation": "query", "query": "SELECT Id FROM Account LIMIT 1", "columnDelimiter": "TAB", "lineEnding": "CRLF"});
    let (path, _) = api.run_query(other).await;
    let results = api.get(&format!("{path}/results/")).await.text;
    assert_eq!(results, "\"Id\"\r\n\"001DO0000000001YAA\"\r\n");
    api.get(&format!("{}/results", path.replace("v68.0", "v67.0")))
        .await
        .assert_error(409, "API_ERROR");
}

#[tokio::test]
async fn pages_make_up_the_whole() {
    let api = Api::new().await;
    let (path, job) = api
        .run_query(json!({"operation": "query", "query": "SELECT Id FROM Measurement__c"}))
        .await;
    assert_eq!(job["numberRecordsProcessed"], 5_000);
    for size in [1_700, 2_500, 5_000, 9_000] {
        let (mut ids, mut locator, mut pages) = (BTreeSet::new(), String::new(), 0);
        while locator != "null" {
            let page = api
                .get(&format!(
                    "{path}/results?maxRecords={size}&locator={locator}"
                ))
                .await;
            let rows: Vec<&str> = page.text.lines().skip(1).collect();
            assert_eq!(
                page.header("sforce-numberofrecords"),
                rows.len().to_string()
            );
            ids.extend(rows.iter().map(|row| (*row).to_owned()));
            locator = page.header("sforce-locator").to_owned();
            pages += 1;
        }
        assert_eq!((ids.len(), pages), (5_000, 5_000_usize.div_ceil(size)));
    }
    for parameters in [
        "locator=%21",
        "locator=OTk5OTk5",
        "maxRecords=0",
        "maxRecords=x",
    ] {
        let answer = api.get(&format!("{path}/results?{parameters}")).await;
        assert_eq!(answer.status, 400, "{parameters}");
    }
    // Deleted rows are found by `queryAll` alone.
    for (operation, found) in [("query", 150), ("queryAll", 153)] {
        let (_, job) = api
            .run_query(json!({"operation": operation, "query": "SELECT Id FROM Lead"}))
            .await;
        assert_eq!(
            (&job["operation"], &job["numberRecordsProcessed"]),
            (&json!(operation), &json!(found))
        );
    }
    let (path, _) = api
        .run_query(
            json!({"operation": "query", "query": "SELECT Id FROM Lead WHERE Name = 'nobody'"}),
        )
        .await;
    let none = api.get(&format!("{path}/results")).await;
    assert_eq!(
        (&*none.text, none.header("sforce-locator")),
        ("\"Id\"\n", "null")
    );
}

#[tokio::test]
async fn what_bulk_does_not_read_is_refused() {
    let api = Api::new().await;
    for (soql, code, message) in [
        (
            "SELECT COUNT() FROM Account",
            "API_ERROR",
            "Aggregate functions not supported in Bulk V2 Query",
        ),
        (
            "SELECT MAX(Name) m FROM Account",
            "API_ERROR",
            "Aggregate functions not supported in Bulk V2 Query",
        ),
        (
            "SELECT Industry FROM Account GROUP BY Industry",
            "API_ERROR",
            "GROUP BY not supported in Bulk V2 Query",
        ),
        (
            "SELECT Id FROM Account LIMIT 5 OFFSET 2",
            "API_ERROR",
            "OFFSET not supported in Bulk V2 Query",
        ),
        (
            "SELECT TYPEOF What WHEN Account THEN Name END FROM Task",
            "API_ERROR",
            "TYPEOF not supported in Bulk V2 Query",
        ),
        (
            "SELECT Id, (SELECT Id FROM Contacts) FROM Account",
            "API_ERROR",
            "Aggregate Relationships not supported in Bulk V2 Query with CSV content type",
        ),
        (
            "SELECT Id, BillingAddress FROM Account",
            "API_ERROR",
            "Selecting compound data not supported in Bulk Query",
        ),
        (
            "SELECT Account.BillingAddress FROM Contact",
            "API_ERROR",
            "Selecting compound data not supported in Bulk Query",
        ),
        (
            "SELECT VersionData FROM ContentVersion",
            "API_ERROR",
            "Blob field not supported in Bulk V2 Query with CSV content type",
        ),
    ] {
        assert_eq!(
            api.make_query("query", soql).await.assert_error(400, code),
            message,
            "{soql}"
        );
    }
    for (soql, code) in [
        ("SELECT", "MALFORMED_QUERY"),
        ("SELECT Nmae FROM Account", "INVALID_FIELD"),
        ("SELECT Id FROM Nothing", "INVALID_TYPE"),
        ("SELECT Id FROM ContentDocumentLink", "MALFORMED_QUERY"),
    ] {
        api.make_query("query", soql).await.assert_error(400, code);
    }
    for job in [
        json!({"operation": "query"}),
        json!({"operation": "insert", "query": "x"}),
        json!({"operation": "query", "query": "x", "object": "Account"}),
    ] {
        api.send_json("POST", JOBS, &job)
            .await
            .assert_error(400, "JSON_PARSER_ERROR");
    }
    // Functions that make a value of a row are no aggregates.
    assert_eq!(
        api.make_query(
            "query",
            "SELECT toLabel(Industry), FORMAT(AnnualRevenue) a FROM Account"
        )
        .await
        .status,
        200
    );
}

#[tokio::test]
async fn query_jobs_go_from_state_to_state_and_are_counted() {
    let limits = vec![
        (Limit::DailyBulkV2QueryJobs, 3),
        (Limit::DailyBulkV2QueryFileStorageMB, 0),
    ];
    let api = Api::with(Options {
        limits,
        ..Options::default()
    })
    .await;
    let (path, job) = api
        .run_query(json!({"operation": "query", "query": "SELECT Id FROM Account"}))
        .await;
    assert_eq!(
        (&job["state"], &job["errorMessage"]),
        (
            &json!("Failed"),
            &json!("Max bulk v2 query result size stored (0) kb per 24 hrs has been exceeded")
        )
    );
    let refused = |answer: Answer| answer.assert_error(400, "INVALIDJOBSTATE");
    refused(api.get(&format!("{path}/results")).await);
    let patch = |path: String, state: &str| {
        let (api, body) = (&api, json!({"state": state}));
        async move { api.send_json("PATCH", &path, &body).await }
    };
    assert_eq!(
        refused(patch(path.clone(), "Aborted").await),
        "Aborting already Failed Job not allowed"
    );
    refused(patch(path.clone(), "UploadComplete").await);
    let (empty, job) = api
        .run_query(
            json!({"operation": "query", "query": "SELECT Id FROM Account WHERE Name = 'x'"}),
        )
        .await;
    assert_eq!(job["state"], "JobComplete");
    assert_eq!(
        refused(patch(empty.clone(), "Aborted").await),
        "Aborting already Completed Job not allowed"
    );
    let listed = api.get(JOBS).await.json();
    assert_eq!(
        (&listed["done"], listed["records"].as_array().unwrap().len()),
        (&json!(true), 2)
    );
    let left = api.get(&format!("{V}/limits")).await.json();
    assert_eq!(
        left["DailyBulkV2QueryJobs"],
        json!({"Max": 3, "Remaining": 1})
    );
    assert_eq!(api.send("DELETE", &empty, &[], "").await.status, 204);
    api.get(&empty).await.assert_error(404, "NOT_FOUND");
    assert_eq!(
        api.make_query("query", "SELECT Id FROM User").await.status,
        200
    );
    let message = api
        .make_query("query", "SELECT Id FROM User")
        .await
        .assert_error(400, "LIMIT_EXCEEDED");
    assert_eq!(
        message,
        "Max bulk v2 query jobs (3) per 24 hrs has been reached (3)"
    );
}
