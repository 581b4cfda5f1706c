//! Jobs that write: how they are made, go from state to state, and are listed.

use salesforce_devorg::{Limit, Options};
use serde_json::json;

use crate::bulk_ingest::JOBS;
use crate::client::{Answer, Api};

#[tokio::test]
async fn a_job_goes_from_state_to_state() {
    let mut api = Api::new().await;
    let job = json!({"object": "Account", "operation": "insert", "externalIdFieldName": null, "assignmentRuleId": "01QDO0000000001"});
    let made = api.make_job(&job).await.json();
    let id = made["id"].as_str().unwrap().to_owned();
    insta::assert_json_snapshot!(made, @r#"
    {
      "apiVersion": 68.0,
      "assignmentRuleId": "01QDO00000000012AA",
      "columnDelimiter": "COMMA",
      "concurrencyMode": "Parallel",
      "contentType": "CSV",
      "contentUrl": "services/data/v68.0/jobs/ingest/750DO0000000001YAA/batches",
      "createdById": "005DO0000000001YAA",
      "createdDate": "2026-11-23T12:00:00.000+0000",
      "id": "750DO0000000001YAA",
      "lineEnding": "LF",
      "object": "Account",
      "operation": "insert",
      "state": "Open",
      "systemModstamp": "2026-11-23T12:00:00.000+0000"
    }
    "#);
    let path = format!("{JOBS}/{id}");
    let state = |answer: Answer| answer.json()["state"].as_str().unwrap().to_owned();
    let refused = |answer: Answer| answer.assert_error(400, "INVALIDJOBSTATE");
    // Open.
    refused(api.get(&format!("{path}/successfulResults")).await);
    refused(api.send("DELETE", &path, &[], "").await);
    refused(api.set_state(&path, "JobComplete").await);
    api.send_json("PATCH", &path, &json!({}))
        .await
        .assert_error(400, "JSON_PARSER_ERROR");
    api.send_json("PUT", &format!("{path}/batches"), &json!({}))
        .await
        .assert_error(415, "UNSUPPORTED_MEDIA_TYPE");
    assert_eq!(api.put(&id, b"Name\nx\ny\n").await.status, 201);
    let twice = api
        .put(&id, b"Name\nx\n")
        .await
        .assert_error(400, "CLIENTINPUTERROR");
    assert!(twice.contains("Found multiple contents for job: <750DO0000000001YAA>"));
    // Aborted.
    assert_eq!(state(api.set_state(&path, "Aborted").await), "Aborted");
    assert_eq!(
        api.get(&format!("{path}/unprocessedrecords/")).await.text,
        "Name\nx\ny\n"
    );
    assert_eq!(
        api.get(&format!("{path}/failedResults")).await.text,
        "sf__Id,sf__Error,Name\n"
    );
    assert_eq!(
        refused(api.set_state(&path, "UploadComplete").await),
        "Closing already Aborted Job not allowed"
    );
    assert_eq!(
        refused(api.set_state(&path, "Aborted").await),
        "Aborting already Aborted Job not allowed"
    );
    refused(api.put(&id, b"Name\n").await);
    // Another user does not see it.
    let administrator = std::mem::replace(&mut api.token, api.org.users()[1].access_token.clone());
    api.get(&path).await.assert_error(403, "INVALIDUSER");
    assert_eq!(api.get(JOBS).await.json()["records"], json!([]));
    let hard = json!({"object": "Account", "operation": "hardDelete"});
    api.make_job(&hard)
        .await
        .assert_error(400, "FEATURENOTENABLED");
    api.token = administrator;
    // Gone.
    assert_eq!(api.send("DELETE", &path, &[], "").await.status, 204);
    for gone in [
        path.clone(),
        format!("{path}/failedResults"),
        format!("{JOBS}/nothing"),
        format!("/services/data/v68.0/jobs/query/{id}"),
    ] {
        api.get(&gone).await.assert_error(404, "NOT_FOUND");
    }
    // Complete.
    let run = api
        .run(
            &json!({"object": "Account", "operation": "insert"}),
            b"Name\nx\n",
        )
        .await;
    assert_eq!(
        refused(api.set_state(&run.path, "Aborted").await),
        "Aborting already Completed Job not allowed"
    );
    assert_eq!(
        refused(api.set_state(&run.path, "UploadComplete").await),
        "Closing already Completed Job not allowed"
    );
    assert_eq!(
        (
            &run.job["jobType"],
            &run.job["apexProcessingTime"],
            &run.job["retries"]
        ),
        (&json!("V2Ingest"), &json!(0), &json!(0))
    );
    assert_eq!(api.send("DELETE", &run.path, &[], "").await.status, 204);
}

#[tokio::test]
async fn what_is_no_job_is_refused() {
    let api = Api::new().await;
    for (job, code) in [
        (json!([]), "JSON_PARSER_ERROR"),
        (json!({"object": "Account"}), "JSON_PARSER_ERROR"),
        (
            json!({"object": "Account", "operation": "merge"}),
            "JSON_PARSER_ERROR",
        ),
        (
            json!({"object": "Account", "operation": "insert", "contentType": "XML"}),
            "JSON_PARSER_ERROR",
        ),
        (
            json!({"object": "Account", "operation": "insert", "columnDelimiter": "SPACE"}),
            "JSON_PARSER_ERROR",
        ),
        (
            json!({"object": "Account", "operation": "insert", "lineEnding": "CR"}),
            "JSON_PARSER_ERROR",
        ),
        (
            json!({"object": "Account", "operation": "insert", "nothing": 1}),
            "JSON_PARSER_ERROR",
        ),
        (
            json!({"object": "Account", "operation": "insert", "assignmentRuleId": "x"}),
            "INVALIDJOB",
        ),
        (
            json!({"object": "Nothing", "operation": "insert"}),
            "INVALIDENTITY",
        ),
        (
            json!({"object": "Account", "operation": "upsert"}),
            "INVALIDJOB",
        ),
        (
            json!({"object": "Account", "operation": "upsert", "externalIdFieldName": "Name"}),
            "INVALIDJOB",
        ),
    ] {
        api.make_job(&job).await.assert_error(400, code);
    }
    for (method, path, allowed) in [
        ("PUT", JOBS.to_owned(), "GET,HEAD,POST"),
        ("PATCH", format!("{JOBS}/750DO0000000001/batches"), "PUT"),
    ] {
        assert_eq!(
            api.send(method, &path, &[], "").await.header("allow"),
            allowed
        );
    }
    for path in [
        "/services/data/v40.0/jobs/ingest",
        "/services/data/v46.0/jobs/query",
        "/services/data/v68.0/jobs/x",
        "/services/data/v68.0/jobs/ingest/x/y/z",
    ] {
        api.get(path).await.assert_error(404, "NOT_FOUND");
    }
    let limits = vec![(Limit::DailyBulkApiBatches, 1)];
    let api = Api::with(Options {
        limits,
        ..Options::default()
    })
    .await;
    let job = json!({"object": "Account", "operation": "insert"});
    assert_eq!(api.make_job(&job).await.status, 200);
    let message = api.make_job(&job).await.assert_error(400, "EXCEEDEDQUOTA");
    assert_eq!(message, "ExceededQuota : ApiBatchItems Limit exceeded.");
}

#[tokio::test]
async fn a_job_may_come_with_its_data() {
    let api = Api::new().await;
    let send = |job: &str, content: &str| {
        let part = |name: &str, more: &str, body: &str| {
            format!(
                "--B\r\nContent-Type: text/plain\r\nContent-Disposition: form-data; name=\"{name}\"{more}\r\n\r\n{body}\r\n"
            )
        };
        let body = part("job", "", job)
            + &part("content", "; filename=\"content\"", content)
            + "--B--\r\n";
        let api = &api;
        async move {
            api.send(
                "POST",
                JOBS,
                &[("content-type", "multipart/form-data; boundary=B")],
                body,
            )
            .await
        }
    };
    let made = send(
        "{\"object\": \"Contact\", \"operation\": \"insert\"}",
        "LastName\nBulk\n",
    )
    .await;
    assert_eq!(
        (made.status, &made.json()["state"]),
        (200, &json!("UploadComplete"))
    );
    let job = api
        .ended(&format!("{JOBS}/{}", made.json()["id"].as_str().unwrap()))
        .await;
    assert_eq!(
        (&job["state"], &job["numberRecordsProcessed"]),
        (&json!("JobComplete"), &json!(1))
    );
    send("{}", "").await.assert_error(400, "JSON_PARSER_ERROR");
    send("{}", &"x".repeat(100_001))
        .await
        .assert_error(400, "CLIENTINPUTERROR");
    api.send(
        "POST",
        JOBS,
        &[("content-type", "multipart/form-data; boundary=B")],
        "--B--",
    )
    .await
    .assert_error(400, "INVALID_MULTIPART_REQUEST");
}

#[tokio::test]
async fn jobs_are_listed_in_pages() {
    let api = Api::new().await;
    let job = json!({"object": "Account", "operation": "insert"});
    for _ in 0..1_001 {
        assert_eq!(api.make_job(&job).await.status, 200);
    }
    let page = api.get(JOBS).await.json();
    assert_eq!(
        (&page["done"], page["records"].as_array().unwrap().len()),
        (&json!(false), 1_000)
    );
    let next = api
        .get(page["nextRecordsUrl"].as_str().unwrap())
        .await
        .json();
    assert_eq!(
        (
            &next["done"],
            &next["nextRecordsUrl"],
            next["records"].as_array().unwrap().len()
        ),
        (&json!(true), &json!(null), 1)
    );
    assert_ne!(next["records"][0]["id"], page["records"][999]["id"]);
    for (parameters, found) in [
        ("jobType=V2Ingest", 1_000),
        ("jobType=Classic", 0),
        ("isPkChunkingEnabled=true", 0),
        ("isPkChunkingEnabled=false", 1_000),
    ] {
        let page = api.get(&format!("{JOBS}?{parameters}")).await.json();
        assert_eq!(
            page["records"].as_array().unwrap().len(),
            found,
            "{parameters}"
        );
    }
    api.get(&format!("{JOBS}?queryLocator=%21"))
        .await
        .assert_error(400, "INVALID_QUERY_LOCATOR");
}

#[tokio::test]
async fn nothing_is_written_after_an_abort() {
    let api = Api::new().await;
    let rows = api.rows("SELECT Id FROM Account ORDER BY Id LIMIT 1").await;
    let account = rows[0]["Id"].as_str().unwrap();
    let data: String = (1..=20_000)
        .map(|row| format!("{account},{row}\n"))
        .collect();
    let job = json!({"object": "Account", "operation": "update"});
    let id = api.make_job(&job).await.json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let data = format!("Id,NumberOfEmployees\n{data}");
    assert_eq!(api.put(&id, data.as_bytes()).await.status, 201);
    let path = format!("{JOBS}/{id}");
    api.set_state(&path, "UploadComplete").await;
    while api.get(&path).await.json()["numberRecordsProcessed"] == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(
        api.set_state(&path, "Aborted").await.json()["state"],
        "Aborted"
    );
    // The rows are written in their order: what the account has is the number of the last one.
    let mut told = Vec::new();
    for _ in 0..2 {
        let written = api.get(&format!("{path}/successfulResults")).await.text;
        let left = api.get(&format!("{path}/unprocessedrecords")).await.text;
        let (written, left) = (written.lines().count() - 1, left.lines().count() - 1);
        assert_eq!(written + left, 20_000);
        let account = api
            .get(&format!("/services/data/v68.0/sobjects/Account/{account}"))
            .await;
        told.push((
            written,
            account.json()["NumberOfEmployees"].as_u64().unwrap() as usize,
        ));
    }
    assert_eq!(told, [(told[0].0, told[0].0); 2]);
}
